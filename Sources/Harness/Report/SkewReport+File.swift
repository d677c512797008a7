import Foundation

/// One number of a feature's skew, which may be bounded.
public enum SkewMetric: String, Hashable, Sendable, CaseIterable {
  /// How many pairs differ.
  case mismatches
  /// The share of the pairs that differ, 0…1.
  case mismatchRate = "mismatch_rate"
  /// See ``SkewDifferences/smape``.
  case smape
  /// The largest absolute difference.
  case largestDifference = "largest_difference"
}

extension SkewReport.Row {
  /// A number of the row; a category has no differences, so that those of it are 0.
  public subscript(_ metric: SkewMetric) -> Double {
    switch metric {
    case .mismatches: Double(mismatches)
    case .mismatchRate: mismatchRate
    case .smape: differences.smape
    case .largestDifference: differences.largest
    }
  }
}

extension SkewReport {
  /// The report's file in `--out`, without `.csv`.
  public static let file = "skew_report"

  private static let key = ["feature", "decision_point_minutes"]
  private static let percents = [1.0, 5, 50, 95, 99]

  /// All that is known of each feature and decision point, for people and programs alike.
  var table: CSVTable {
    let percentiles = Self.percents.map { "difference_p\(Int($0))" }
    return CSVTable(
      name: Self.file,
      columns: Self.key + [
        "pairs", "online_only", "offline_only", "online_nulls", "offline_nulls", "mismatches",
        "late_mismatches", "mismatch_rate", "smape", "mean_absolute_difference",
      ] + percentiles + ["largest_difference"], keyColumns: Self.key,
      rows: rows.map { row in
        let differences = row.differences
        let numbers =
          [differences.smape, differences.meanAbsolute]
          + Self.percents.map { differences.percentile($0) } + [differences.largest]
        return [
          row.feature, "\(row.decisionPoint)", "\(row.pairs)", "\(row.onlineOnly)",
          "\(row.offlineOnly)", "\(row.onlineNulls)", "\(row.offlineNulls)", "\(row.mismatches)",
          "\(row.lateMismatches)", "\(row.mismatchRate)",
        ] + numbers.map { row.feature == Self.category ? "" : "\($0)" }
      })
  }

  /// Reads the report's file in a run's folder.
  ///
  /// - Throws: ``FolderError`` that names the file and what is wrong.
  public static func table(in folder: String) throws(FolderError) -> CSVTable {
    let path = "\(folder)/\(file).csv"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FolderError(
        description: "there is no '\(path)'; make it with: rehearsal run NAME --out \(folder)")
    }
    let table: CSVTable
    do throws(CSVError) {
      table = try CSVTable(
        name: file, keyColumns: key, parsing: String(decoding: data, as: UTF8.self))
    } catch {
      throw FolderError(description: "\(folder)/\(error)")
    }
    let expected = SkewReport().table.columns
    guard table.columns == expected else {
      throw FolderError(
        description: "\(path): the columns aren't \(expected.joined(separator: ","))")
    }
    return table
  }
}
