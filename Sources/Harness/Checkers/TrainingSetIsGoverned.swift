import Moderation
import Pipeline
import Ports

/// No training row is of an image that the database, as it is at the end, excludes; no key stands
/// twice.
///
/// Applies when a training-set build or an erasure ran after the last deletion and operator's
/// action. Doesn't check: what went into the features (see ``GovernanceIsTransitive``).
public struct TrainingSetIsGoverned: Checker {
  /// `TrainingSetIsGoverned`.
  public let name = "TrainingSetIsGoverned"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.isTrainingSetCurrent else { return nil }
    let users = Dictionary(uniqueKeysWithValues: run.tables.users.map { ($0.id, $0) })
    let images = Dictionary(uniqueKeysWithValues: run.tables.images.map { ($0.id, $0) })
    var seen: [ImageID: Set<Int>] = [:]
    var faults: [String] = []
    for row in run.trainingRows {
      var name: String { run.aliases.name(row) }
      if !seen[row.image, default: []].insert(row.decisionPointMinutes).inserted {
        faults.append("\(name) stands twice")
      }
      guard let image = images[row.image], let user = users[image.userID] else {
        faults.append("\(name) is of an image that isn't in the database")
        continue
      }
      if !run.scenario.policy.governance.isEligible(image, uploader: user) {
        faults.append("\(name) is of an excluded image")
      }
    }
    return faults
  }
}
