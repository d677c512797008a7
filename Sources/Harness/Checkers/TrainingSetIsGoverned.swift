import Moderation
import Pipeline
import Ports

/// No training row is of an image that the database, as it is at the end, excludes; no key stands
/// twice.
///
/// Applies when a training-set build or an erasure ran after the last operator's action. Doesn't
/// check: what went into the features (see ``WindowsMatchNaive`` and the governance tests).
public struct TrainingSetIsGoverned: Checker {
  /// `TrainingSetIsGoverned`.
  public let name = "TrainingSetIsGoverned"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    let scenario = run.scenario
    let lastDeletion = run.tables.images.compactMap(\.deletedAt).max()
    let lastAction = scenario.actions.map { scenario.start + $0.at }.max()
    let last = [lastDeletion, lastAction].compactMap { $0 }.max() ?? scenario.start
    let isCurrent = run.jobs.contains {
      [.trainingSet, .erasure].contains($0.job) && $0.failure == nil && $0.at.asEventTime >= last
    }
    guard isCurrent else { return nil }
    let users = Dictionary(uniqueKeysWithValues: run.tables.users.map { ($0.id, $0) })
    let images = Dictionary(uniqueKeysWithValues: run.tables.images.map { ($0.id, $0) })
    var seen: Set<String> = []
    var faults: [String] = []
    for row in run.trainingRows {
      let name = "\(run.aliases.name(row.image)) at \(row.decisionPointMinutes) min"
      if !seen.insert(name).inserted { faults.append("\(name) stands twice") }
      guard let image = images[row.image], let user = users[image.userID] else {
        faults.append("\(name) is of an image that isn't in the database")
        continue
      }
      if !scenario.policy.governance.isEligible(image, uploader: user) {
        faults.append("\(name) is of an excluded image")
      }
    }
    return faults
  }
}
