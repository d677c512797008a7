import Moderation
import Pipeline
import Ports

/// Every score of a model is one of the model that stood at that stage as of the request's instant,
/// and is what that model says of the governed vector; where a deployed model could score, the
/// rules didn't. Every model is what training comes to on the snapshot that it names.
///
/// Doesn't check: the training itself (`ci/model-parity.sh` does), and models whose snapshot
/// `expire` dropped.
public struct ModelLineageHolds: Checker {
  /// `ModelLineageHolds`.
  public let name = "ModelLineageHolds"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.scenario.policy.inference != .heuristic || !run.models.journal.changes.isEmpty
    else { return nil }
    return run.models.journal.changes.compactMap { Self.fault(of: $0, run) }
      + run.scores.flatMap { score in
        Self.faults(of: score, run).map {
          "\(run.aliases.name(score.request.image)) \(score.request.trigger.name) as of "
            + "\(score.asOf): \($0)"
        }
      } + missingShadows(run)
  }

  private static func fault(of change: ModelStageChange, _ run: RunResult) -> String? {
    guard change.stage == .candidate else { return nil }
    guard let source = change.source, let pinned = ModelSource(source) else {
      return "\(change.version) doesn't say what it was trained on"
    }
    let isKnown = pinned.pinned.allSatisfy { pinned in
      run.snapshots[pinned.table]?.contains { $0.id == pinned.snapshot } ?? false
    }
    guard isKnown else {
      let wasExpired = run.jobs.contains { $0.job == .expire }
      return wasExpired ? nil : "\(change.version) was trained on \(source), which isn't there"
    }
    guard run.models.retrained[change.version] != run.models.models[change.version] else {
      return nil
    }
    return "\(change.version) isn't what \(source) gives: training again comes to another model"
  }

  private static func faults(of score: ScoredRequest, _ run: RunResult) -> [String] {
    let (row, journal) = (score.row, run.models.journal)
    guard let version = row.modelVersion else {
      guard run.scenario.policy.inference == .model,
        let deployed = journal.version(.deployed, at: score.asOf),
        let model = run.models.models[deployed], model.incompatibility == nil
      else { return [] }
      return ["scored by the rules, though \(deployed) was deployed"]
    }
    let stage: ModelStage = row.inferenceMode == "shadow" ? .shadow : .deployed
    let expected = journal.version(stage, at: score.asOf)
    guard expected == version else {
      return ["scored by \(version), but \(expected ?? "no model") was \(stage.rawValue)"]
    }
    guard let model = run.models.models[version] else {
      return ["scored by \(version), which can't be read"]
    }
    let inputs = ModelInputs(score.governed.numeric, category: score.category)
    let probability = model.probability(inputs)
    guard probability != row.riskScore else { return [] }
    return ["\(version) says \(probability), the row \(row.riskScore)"]
  }

  /// Requests that a shadow model should have scored, too.
  private func missingShadows(_ run: RunResult) -> [String] {
    guard run.scenario.policy.inference == .shadow else { return [] }
    let shadowed = Set(run.scores.filter { $0.row.inferenceMode == "shadow" }.map(\.request.id))
    return run.scores.compactMap { score in
      guard score.row.inferenceMode != "shadow", !shadowed.contains(score.request.id),
        let version = run.models.journal.version(.shadow, at: score.asOf),
        let model = run.models.models[version], model.incompatibility == nil
      else { return nil }
      return "\(run.aliases.name(score.request.image)) \(score.request.trigger.name) as of "
        + "\(score.asOf): \(version) is the shadow, but has no score"
    }
  }
}
