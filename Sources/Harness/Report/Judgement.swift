import Lakehouse
import Moderation
import Pipeline
import Ports

/// Whether one thing that was expected came.
public struct Finding: Hashable, Sendable {
  /// What was expected, as written; a checker's name.
  public var what: String
  /// Where it stands in the scenario file; 0 for a checker.
  public var line: Int
  /// What is wrong and why, a line each; empty when it came.
  public var faults: [String]

  /// Whether it came.
  public var holds: Bool { faults.isEmpty }
}

extension Finding: CustomStringConvertible {
  /// `FAIL { scored: hero, … } (line 23)`, then what is wrong and why, indented.
  public var description: String {
    let place = line > 0 ? " (line \(line))" : ""
    return (["\(holds ? "ok  " : "FAIL") \(what)\(place)"] + faults.map { "     \($0)" })
      .joined(separator: "\n")
  }
}

/// A run judged: expectations, checkers, jobs.
public struct Judgement: Sendable {
  /// The scenario's expectations, in its order.
  public let expectations: [Finding]
  /// The checkers that apply to the run.
  public let checkers: [Finding]

  /// Whether everything holds.
  public var passed: Bool { (expectations + checkers).allSatisfy(\.holds) }

  /// Judges a run.
  public init(_ run: RunResult) {
    expectations = run.scenario.expectations.map {
      Finding(
        what: $0.text, line: $0.line, faults: ExpectationCheck(run: run).faults($0))
    }
    // Each looks at the finished run by itself.
    let findings = Parallel.map(allCheckers) { checker in
      checker.faults(run).map {
        Finding(what: checker.name, line: 0, faults: Array($0.prefix(5)))
      }
    }
    checkers = findings.compactMap(\.self)
  }
}

/// Checks one expectation; a failure says what was seen and what led to it.
struct ExpectationCheck {
  let run: RunResult

  func faults(_ expectation: Expectation) -> [String] {
    switch expectation.kind {
    case .scored(let image, let trigger, let bound): return scored(image, trigger, bound)
    case .unscored(let image, let trigger):
      return scores(image, trigger).map {
        "\(image) was scored \($0.row.riskScore) by \($0.request.trigger.name) as of \($0.asOf)"
      }
    case .feature(let image, let trigger, let feature, let governed, let bound):
      return self.feature(image, trigger, feature, governed, bound)
    case .absent(let image, let table):
      // Nothing is in a table that nobody writes: a misspelt name would always hold.
      guard LakeTables.all.contains(where: { $0.description == table }) else {
        let known = LakeTables.all.map(\.description).joined(separator: ", ")
        return ["no job writes a table '\(table)'; known: \(known)"]
      }
      let count = rows(image, table)
      guard count > 0 else { return [] }
      return ["\(image) has \(count) rows in \(table)"] + tableCause(image, table)
    case .erased(let image):
      guard let proof = run.proofs[image] else { return ["there is no image or user \(image)"] }
      return proof.places.filter { $0.retention == nil }.map {
        "\(image) still stands in \($0.kind) \($0.name): \($0.count)"
      }
    case .present(let image, let table):
      return rows(image, table) > 0
        ? [] : ["\(image) has no row in \(table)"] + tableCause(image, table)
    case .column(let name, let table):
      guard let columns = run.columns[table] else { return ["the table \(table) doesn't exist"] }
      return columns.contains(name)
        ? [] : ["\(table) has no column \(name), but \(columns.joined(separator: ", "))"]
    case .training(let image, let point, let column, let bound):
      return training(image, point, column, bound)
    case .count(let name, let bound): return count(name, bound)
    case .undisturbed:
      guard let difference = run.undisturbed?.firstDifference(RunOutcome(run)) else { return [] }
      return difference.split(separator: "\n").map { line in
        line.trimmingPrefix(while: \.isWhitespace).description
      }
    case .skew(let feature, let metric, let bound): return skewed(feature, metric, bound)
    }
  }

  private func scores(_ image: String, _ trigger: String?) -> [ScoredRequest] {
    guard let id = run.aliases.image(image) else { return [] }
    return run.scores.filter {
      $0.request.image == id && (trigger == nil || $0.request.trigger.name == trigger)
    }
  }

  private func scored(
    _ image: String, _ trigger: String?, _ bound: Expectation.Bound
  ) -> [String] {
    let found = scores(image, trigger)
    guard !found.isEmpty else {
      return ["\(image) has no score" + (trigger.map { " by \($0)" } ?? "")] + requestCause(image)
    }
    if found.contains(where: { bound.admits($0.row.riskScore) }) { return [] }
    return found.map {
      "\(image) scored \($0.row.riskScore) by \($0.request.trigger.name) as of \($0.asOf), "
        + "expected \(bound.text); rules: \($0.row.rationale ?? "none"); "
        + Self.counts($0.observed)
    }
  }

  private func feature(
    _ image: String, _ trigger: String, _ feature: String, _ governed: Bool,
    _ bound: Expectation.Bound
  ) -> [String] {
    guard let score = scores(image, trigger).first else {
      return ["\(image) has no score by \(trigger)"] + requestCause(image)
    }
    let value = (governed ? score.governed : score.observed)[feature] ?? 0
    if bound.admits(value) { return [] }
    return [
      "\(feature) of \(image) at \(trigger) (\(score.asOf)) is \(value), expected \(bound.text)",
      Self.counts(governed ? score.governed : score.observed),
    ]
  }

  private func training(
    _ image: String, _ point: Int, _ column: String, _ bound: Expectation.Bound
  ) -> [String] {
    guard let id = run.aliases.image(image),
      let row = run.trainingRows.first(where: {
        $0.image == id && $0.decisionPointMinutes == point
      })
    else {
      return ["\(image) has no training row at \(point) min"]
        + tableCause(image, LakeTables.trainingData.description)
    }
    let value: Double?
    if column == TrainingRow.labelColumn {
      value = row.label.map { $0 ? 1 : 0 }
    } else {
      value = FeatureVector.numericNames.firstIndex(of: column).map { row.features[$0] }
    }
    guard let value else { return ["\(column) of \(image) at \(point) min is null"] }
    return bound.admits(value)
      ? [] : ["\(column) of \(image) at \(point) min is \(value), expected \(bound.text)"]
  }

  private func count(_ name: String, _ bound: Expectation.Bound) -> [String] {
    guard let value = run.counts.first(where: { $0.name == name })?.value else {
      return [
        "there is no count '\(name)'; known: \(run.counts.map(\.name).joined(separator: ", "))"
      ]
    }
    if bound.admits(Double(value)) { return [] }
    var faults = ["\(name) is \(value), expected \(bound.text)"]
    faults += run.jobs.compactMap { job in
      job.failure.map { "\(job.job.rawValue) at \(job.at) failed: \($0)" }
    }
    return faults
  }

  private func skewed(
    _ feature: String?, _ metric: SkewMetric, _ bound: Expectation.Bound
  ) -> [String] {
    let rows = run.skew.rows.filter { feature == nil || $0.feature == feature }
    guard rows.contains(where: { $0.pairs > 0 }) else {
      return ["no score of an anchor has a training row to compare with"]
    }
    let value =
      metric == .mismatches
      ? Double(rows.reduce(0) { $0 + $1.mismatches }) : rows.map { $0[metric] }.max() ?? 0
    guard !bound.admits(value) else { return [] }
    let examples = run.skew.mismatches.filter { feature == nil || $0.feature == feature }.prefix(3)
    let what =
      metric == .mismatches
      ? "\(Int(value)) mismatches" : "\(metric.rawValue) is \(value) at worst"
    return ["\(what), expected \(bound.text)"]
      + examples.map {
        "\($0.feature) of \(run.aliases.name($0.image)) at \($0.decisionPoint) min: online "
          + "\($0.online), offline \($0.offline)" + ($0.isLate ? " (late events)" : "")
      }
  }

  private func rows(_ image: String, _ table: String) -> Int {
    guard let id = run.aliases.image(image)?.description, let name = TableName(table),
      let batch = run.lake[name]
    else { return 0 }
    let column = name.namespace == "raw" && name.name == "images" ? "id" : "image_id"
    return batch.strings(column).count { $0 == id }
  }

  /// Why an image is or isn't in a table: its state, its uploader's, the jobs that ran.
  private func tableCause(_ image: String, _ table: String) -> [String] {
    guard let id = run.aliases.image(image),
      let row = run.tables.images.first(where: { $0.id == id })
    else { return ["the image was never uploaded"] }
    var lines = ["uploaded \(row.createdAt)" + (row.deletedAt.map { ", deleted \($0)" } ?? "")]
    if let user = run.tables.users.first(where: { $0.id == row.userID }) {
      let isEligible = run.scenario.policy.governance.isEligible(user, at: row.createdAt)
      lines[0] += ", uploader \(isEligible ? "eligible" : "not eligible")"
    }
    let runs = run.jobs.map { "\($0.job.rawValue) \($0.at)" + ($0.failure == nil ? "" : " failed") }
    lines.append("jobs: " + (runs.isEmpty ? "none ran" : runs.joined(separator: ", ")))
    if run.lake[TableName(table) ?? TableName("", "")] == nil {
      lines.append("the table \(table) doesn't exist")
    }
    return lines
  }

  private func requestCause(_ image: String) -> [String] {
    guard let id = run.aliases.image(image) else { return ["the image was never uploaded"] }
    let requests = run.requests.filter { $0.image == id }
    let events = run.applied.count { $0.record.recordKey == RecordKey(id) }
    return [
      "requests: "
        + (requests.isEmpty
          ? "none"
          : requests.map { "\($0.trigger.name) as of \($0.asOf)" }.joined(separator: ", "))
        + "; \(events) events of the image were applied"
    ]
  }

  private static func counts(_ vector: FeatureVector) -> String {
    let names = [
      "views_5min", "comments_5min", "flags_5min", "views_1hr", "comments_1hr", "total_flags",
    ]
    return names.map { "\($0)=\(Int(vector[$0] ?? 0))" }.joined(separator: " ")
  }
}

extension Expectation.Bound {
  /// `at least 0.4 and at most 1`, as failures say it.
  var text: String {
    let parts = [
      atLeast.map { "at least \($0)" }, atMost.map { "at most \($0)" }, equals.map { "\($0)" },
    ]
    return parts.compactMap { $0 }.joined(separator: " and ")
  }
}
