import Foundation
import Moderation
import Pipeline

/// The scores, labels and models that a run left in its `--out` folder.
public struct ComparedRun: Sendable {
  private struct Score {
    var image: String
    var request: String
    var trigger: String
    var asOf: String
    var mode: String
    var version: String
    var risk: Double
    var features: [Double]
  }

  /// The folder.
  public let folder: String
  /// The versions of the models in it, sorted.
  public let versions: [String]
  private let scores: [Score]
  private let labels: [String: Bool]
  /// The images that the traffic planted; nil when it planted none.
  private let planted: Set<String>?
  /// The uploaders' countries, by image.
  private let countries: [String: String]
  private let models: [String: LearnedModel]

  /// Reads a folder.
  ///
  /// - Throws: ``FolderError`` that names the file and what is wrong.
  public init(_ folder: String) throws(FolderError) {
    self.folder = folder
    scores = try Self.scores(try Self.table("scores", in: folder))
    labels = try Self.labels(try Self.table("training_data", in: folder))
    planted = try Self.planted(in: folder)
    countries = try Self.countries(in: folder)
    // A run without models has no such folder.
    let found = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/models")) ?? []
    var models: [String: LearnedModel] = [:]
    for version in found.sorted() {
      let file = "\(folder)/models/\(version)/\(ModelRegistry.modelFile)"
      guard let data = FileManager.default.contents(atPath: file) else { continue }
      do throws(ModelFormatError) {
        models[version] = try LearnedModel(json: Array(data))
      } catch {
        throw FolderError(description: "\(file): \(error)")
      }
    }
    self.models = models
    versions = models.keys.sorted()
  }

  /// Compares the rows that decided with the shadow's of the same requests; with `version`, with
  /// what that model would have said of them.
  ///
  /// - Parameter perHour: how many requests moderators can look at in an hour.
  public func comparison(
    with version: String? = nil, perHour: Double
  ) throws(FolderError) -> ScoreComparison {
    if let version, models[version] == nil {
      throw FolderError(
        description: "'\(folder)' has no model \(version); there are: "
          + (versions.isEmpty ? "none" : versions.joined(separator: ", ")))
    }
    let decided = scores.filter { $0.mode != "shadow" }
    let shadows = Dictionary(
      scores.filter { $0.mode == "shadow" }.map { ($0.request, $0) }, uniquingKeysWith: { $1 })
    var pairs: [ScoreComparison.Pair] = []
    for score in decided {
      let beside = shadows[score.request]
      let second: (risk: Double, version: String)
      if let version, let model = models[version] {
        let seen = beside ?? score
        second = (model.probability(Self.inputs(seen.features)), version)
      } else if let beside {
        second = (beside.risk, beside.version)
      } else {
        continue
      }
      pairs.append(pair(score, beside ?? score, second.risk, second.version))
    }
    guard !pairs.isEmpty else {
      throw FolderError(
        description: "'\(folder)' has no request that two ways scored; run with "
          + "`policy: { inference: shadow }`, or name a model")
    }
    let instants = pairs.compactMap { ISO8601.parse($0.asOf)?.microseconds }
    let hours = Double((instants.max() ?? 0) - (instants.min() ?? 0)) / 3.6e9
    let capacity = Int((perHour * max(hours, 1)).rounded())
    let first = Set(decided.map { $0.version.isEmpty ? "heuristic" : $0.version }).sorted()
    return ScoreComparison(
      (first.joined(separator: "/"), version ?? "shadow"), pairs, capacity: capacity)
  }

  private func pair(
    _ score: Score, _ seen: Score, _ second: Double, _ version: String
  ) -> ScoreComparison.Pair {
    ScoreComparison.Pair(
      image: score.image, trigger: score.trigger, asOf: score.asOf, first: score.risk,
      second: second, firstFeatures: score.features, features: seen.features,
      reasons: models[version]?.reasons(Self.inputs(seen.features), limit: .max) ?? [],
      label: labels["\(score.image) \(score.trigger)"],
      isPlanted: planted?.contains(score.image), segments: segments(seen))
  }

  private func segments(_ score: Score) -> [String] {
    var segments: [String] = []
    if let category = Self.category(score.features) { segments.append("category=\(category)") }
    if let country = countries[score.image] { segments.append("country=\(country)") }
    segments.append(ModelSegments.viral(views: score.features[Self.viewsIndex]))
    return segments
  }

  private static let viewsIndex = FeatureVector.index(of: "views_5min") ?? 0

  private static func inputs(_ features: [Double]) -> ModelInputs {
    ModelInputs(features.prefix(18), category: category(features))
  }

  /// The category whose column is 1.
  private static func category(_ features: [Double]) -> String? {
    zip(FeatureVector.categories, features.dropFirst(18)).first { $1 == 1 }?.0.name
  }

  // MARK: Files

  private static func table(_ name: String, in folder: String) throws(FolderError) -> CSVTable {
    let path = "\(folder)/\(name).csv"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FolderError(
        description: "there is no '\(path)'; make it with: rehearsal run NAME --out \(folder)")
    }
    do throws(CSVError) {
      return try CSVTable(
        name: name, keyColumns: [], parsing: String(decoding: data, as: UTF8.self))
    } catch {
      throw FolderError(description: "\(folder)/\(error)")
    }
  }

  /// Images that the traffic planted as bad ones; nil without any.
  private static func planted(in folder: String) throws(FolderError) -> Set<String>? {
    guard FileManager.default.fileExists(atPath: "\(folder)/planted.csv") else { return nil }
    let table = try table("planted", in: folder)
    let image = try index("image_id", of: table)
    return Set(table.rows.map { $0[image] })
  }

  private static func countries(in folder: String) throws(FolderError) -> [String: String] {
    let tables: RecordedTables
    do throws(ScenarioError) {
      tables = try RecordedTables(folder: "\(folder)/tables")
    } catch {
      throw FolderError(description: "\(error)")
    }
    let ofUsers = Dictionary(
      tables.users.map { ($0.id, $0.countryOfResidence ?? ModelSegments.unknown) },
      uniquingKeysWith: { $1 })
    return Dictionary(
      tables.images.compactMap { image in
        ofUsers[image.userID].map { (image.id.description, $0) }
      }, uniquingKeysWith: { $1 })
  }

  private static func index(_ column: String, of table: CSVTable) throws(FolderError) -> Int {
    guard let index = table.columns.firstIndex(of: column) else {
      throw FolderError(description: "\(table.name).csv has no column \(column)")
    }
    return index
  }

  private static func scores(_ table: CSVTable) throws(FolderError) -> [Score] {
    let names = ["image_id", "request_id", "trigger", "as_of", "inference_mode", "model_version"]
    var columns: [Int] = []
    for name in names { columns.append(try index(name, of: table)) }
    let risk = try index("risk_score", of: table)
    var features: [Int] = []
    for name in FeatureVector.names { features.append(try index(name, of: table)) }
    var scores: [Score] = []
    for (line, row) in table.rows.enumerated() {
      let values = features.compactMap { Double(row[$0]) }
      guard values.count == features.count, let risk = Double(row[risk]), 0...1 ~= risk else {
        throw FolderError(
          description: "\(table.name).csv: record \(line + 1) has a value that is no number")
      }
      scores.append(
        Score(
          image: row[columns[0]], request: row[columns[1]], trigger: row[columns[2]],
          asOf: row[columns[3]], mode: row[columns[4]], version: row[columns[5]], risk: risk,
          features: values))
    }
    return scores
  }

  /// Labels by image and the anchor's trigger.
  private static func labels(_ table: CSVTable) throws(FolderError) -> [String: Bool] {
    let image = try index("image_id", of: table)
    let point = try index("decision_point_minutes", of: table)
    let label = try index(TrainingRow.labelColumn, of: table)
    var labels: [String: Bool] = [:]
    for row in table.rows where !row[label].isEmpty {
      labels["\(row[image]) anchor_\(row[point])m"] = row[label] == "1"
    }
    return labels
  }
}
