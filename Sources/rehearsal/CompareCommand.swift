import ArgumentParser
import Foundation
import Harness
import Moderation

/// `rehearsal compare`.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares two ways of scoring the same requests of a run.",
    discussion: """
      What decided beside the shadow model, or beside any model of the run. Each way sends as many
      of its highest scores to review as moderators can look at; flips are what only one of them
      sends. Where labels are ripe, both are judged by how they rank; and by the planted truth,
      where the scenario plants bad images. csv and json give all contributions and both vectors.

      Examples:
        rehearsal run shadow-compare --out out/shadow
        rehearsal compare out/shadow --per-hour 5
        rehearsal compare out/rollback --model v2 --format json
      """)

  @Argument(help: "The folder of run --out.")
  var folder: String

  @Option(help: "A model of the run; without, the shadow's own rows.")
  var model: String?

  @Option(help: "How many requests moderators can look at in an hour.")
  var perHour = 5.0

  @Option(help: "How many flips are listed.")
  var limit = 20

  @Option(help: "table, csv or json, of the flips.")
  var format = CellFormat.table

  func validate() throws {
    guard perHour > 0, perHour.isFinite, perHour < 1e9 else {
      throw ValidationError("--per-hour must be more than 0.")
    }
    guard limit >= 0 else { throw ValidationError("--limit must be at least 0.") }
  }

  func run() throws {
    let comparison: ScoreComparison
    do {
      comparison = try ComparedRun(folder).comparison(with: model, perHour: perHour)
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: \(error)")
    }
    if format == .table { show(comparison) }
    var cells = CellTable(
      [
        "image", "trigger", "as_of", comparison.names.first, comparison.names.second, "label",
        "reasons", "vector",
      ] + (format == .table ? [] : ["first_vector"]))
    for flip in comparison.flips.prefix(format == .table ? limit : .max) {
      let reasons = flip.reasons.prefix(format == .table ? 3 : .max).map {
        "\($0.feature) \(Self.rounded($0.value))"
      }
      cells.append(
        [
          .text(flip.image), .text(flip.trigger), .text(flip.asOf),
          .number(Self.rounded(flip.first)),
          .number(Self.rounded(flip.second)), flip.label.map { .boolean($0) } ?? .null,
          .text(reasons.joined(separator: ", ")), .text(Self.text(flip.features)),
        ] + (format == .table ? [] : [.text(Self.text(flip.firstFeatures))]))
    }
    if format != .table || !comparison.flips.isEmpty { cells.print(format) }
    if format == .table, comparison.flips.count > limit {
      print("… and \(comparison.flips.count - limit) more; --limit shows them")
    }
  }

  private func show(_ comparison: ScoreComparison) {
    let names = comparison.names
    print(
      "\(comparison.pairs.count) requests, \(comparison.reviewed) to review: "
        + "\(names.first) from \(Self.rounded(comparison.thresholds.first)) on, "
        + "\(names.second) from \(Self.rounded(comparison.thresholds.second)) on")
    print(
      "agreement \(Self.rounded(comparison.agreement)), \(comparison.flips.count) flips\n")
    var cells = CellTable([
      "segment", "labelled", "positive", "AUC \(names.first)", "AUC \(names.second)",
      "AP \(names.first)", "AP \(names.second)",
    ])
    for ranking in comparison.rankings {
      func cell(_ value: Double?) -> Cell {
        value.map { .number(Self.rounded($0)) } ?? .text("n/a")
      }
      cells.append([
        .text(ranking.segment), .integer(Int64(ranking.count)),
        .integer(Int64(ranking.positive)), cell(ranking.first), cell(ranking.second),
        cell(ranking.firstPrecision), cell(ranking.secondPrecision),
      ])
    }
    cells.print(.table)
    print("")
  }

  /// The features that aren't 0.
  private static func text(_ vector: [Double]) -> String {
    zip(FeatureVector.names, vector).filter { $0.1 != 0 }.map {
      "\($0.0)=\(rounded($0.1))"
    }.joined(separator: " ")
  }

  private static func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
