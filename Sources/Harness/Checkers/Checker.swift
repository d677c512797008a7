import Moderation
import Pipeline
import Ports

/// A property that every run must have, checked apart from what makes it true.
public protocol Checker: Sendable {
  /// The property.
  var name: String { get }

  /// Where it is violated; nil when the run isn't of a kind to which it applies.
  func faults(_ run: RunResult) -> [String]?
}

/// The checkers of every run, in the order of the pipeline.
let allCheckers: [any Checker] = [
  NoEventLost(), OffsetsNeverRegress(), TriggersMatchNaive(), WindowsMatchNaive(),
  EveryRequestScoredOnce(), WindowTablesSumToLog(), FeatureLogMatchesScores(),
  TrainingSetIsGoverned(), GovernanceIsTransitive(), NoLabelLeakage(), TrainServeParity(),
  ErasureIsComplete(), LakeIsReadable(), JobsSucceeded(), DecisionsSettleFlags(), EveryFaultFired(),
  ModelLineageHolds(),
]
