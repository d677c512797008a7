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
    let images = run.tables.images
    var places: [ImageID: Int] = Dictionary(minimumCapacity: images.count)
    for index in images.indices { places[images[index].id] = index }
    var seen: Set<Key> = Set(minimumCapacity: run.trainingRows.count)
    var faults: [String] = []
    // By index: rows are large.
    for index in run.trainingRows.indices {
      let (id, minutes) = (
        run.trainingRows[index].image, run.trainingRows[index].decisionPointMinutes
      )
      var name: String { run.aliases.name(run.trainingRows[index]) }
      if !seen.insert(Key(image: id, minutes: minutes)).inserted {
        faults.append("\(name) stands twice")
      }
      guard let place = places[id], let user = users[images[place].userID] else {
        faults.append("\(name) is of an image that isn't in the database")
        continue
      }
      if !run.scenario.policy.governance.isEligible(images[place], uploader: user) {
        faults.append("\(name) is of an excluded image")
      }
    }
    return faults
  }

  private struct Key: Hashable {
    var image: ImageID
    var minutes: Int
  }
}
