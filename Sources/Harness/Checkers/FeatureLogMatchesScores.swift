import Moderation
import Pipeline
import Ports

/// `moderation.feature_log` has each score once, as it is stored, with the vectors that the scorer
/// saw.
///
/// Doesn't check: the vectors themselves, and which of an erased image's went. Applies where events
/// go through the outbox: published directly, a crash may lose the first entry of a score.
public struct FeatureLogMatchesScores: Checker {
  /// `FeatureLogMatchesScores`.
  public let name = "FeatureLogMatchesScores"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.scenario.policy.publication == .outbox, let rows = run.lake[LakeTables.featureLog]
    else { return nil }
    var expected: [String: ScoredRequest] = [:]
    for score in run.scores { expected[Self.key(score)] = score }
    var faults: [String] = []
    let modes = rows.strings("inference_mode")
    for (row, request) in rows.strings("request_id").enumerated() {
      guard let score = expected.removeValue(forKey: "\(request) by \(modes[row])") else {
        faults.append("request \(request) stands twice, or was never scored")
        continue
      }
      faults += Self.differences(rows, row, score).map {
        "\(run.aliases.name(score.request.image)) \(score.request.trigger.name) as of "
          + "\(score.asOf): \($0)"
      }
    }
    return faults + missing(expected, run)
  }

  private static func key(_ score: ScoredRequest) -> String {
    "\(score.request.id) by \(score.row.inferenceMode)"
  }

  /// Scores without a row: erasure takes some, and a job before the end can't have the last ones.
  private func missing(_ scores: [String: ScoredRequest], _ run: RunResult) -> [String] {
    let wasErased = run.jobs.contains { $0.job == .erasure }
    let ran = run.jobs.last { $0.job == .featureLog && $0.failure == nil }
    let isComplete = ran.map { $0.at.asEventTime >= run.scenario.end } ?? false
    guard isComplete && !wasErased else { return [] }
    return scores.values.sorted { ($0.asOf, $0.row.id) < ($1.asOf, $1.row.id) }.map {
      "\(run.aliases.name($0.request.image)) \($0.request.trigger.name) as of \($0.asOf) is missing"
    }
  }

  /// What a row says otherwise than the score.
  private static func differences(
    _ rows: RecordBatch, _ row: Int, _ score: ScoredRequest
  ) -> [String] {
    var wanted: [String: String] = [
      "image_id": score.request.image.description, "trigger": score.request.trigger.name,
      "as_of": "\(score.asOf.microseconds)", "scored_at": "\(score.row.createdAt.microseconds)",
      "inference_mode": score.row.inferenceMode, "risk_score": "\(score.row.riskScore)",
      "model_version": score.row.modelVersion ?? "null",
    ]
    for name in FeatureVector.numericNames { wanted[name] = text(name, score.governed) }
    for name in FeatureVector.countedNames {
      wanted["observed_\(name)"] = text(name, score.observed)
    }
    return rows.schema.fields.enumerated().compactMap { column, field in
      guard let wanted = wanted[field.name] else { return nil }
      let seen = rows.text(row: row, column: column) ?? "null"
      return seen == wanted ? nil : "\(field.name) is \(seen), the scorer saw \(wanted)"
    }
  }

  private static func text(_ feature: String, _ vector: FeatureVector) -> String {
    let value = vector[feature] ?? 0
    return FeatureVector.fractionalNames.contains(feature) ? "\(value)" : "\(Int64(value))"
  }
}
