import Moderation
import Pipeline
import Ports

extension RunResult {
  /// The last deletion of an image or a comment, or operator's action; the start without any.
  var lastChange: EventTime {
    let deletions = tables.images.compactMap(\.deletedAt) + tables.comments.compactMap(\.deletedAt)
    let actions = scenario.actions.map { scenario.start + $0.at }
    return (deletions + actions).max() ?? scenario.start
  }

  /// Whether a training-set build or an erasure ran after the last change, so that the training set
  /// is what governance says at the end.
  var isTrainingSetCurrent: Bool {
    let last = lastChange
    return jobs.contains {
      [.trainingSet, .erasure].contains($0.job) && $0.failure == nil && $0.at.asEventTime >= last
    }
  }

  /// Up to where the current snapshot of a lake table holds its topic, by partition.
  func offsets(of table: TableName) -> [Int64] {
    snapshots[table]?.last.map(Self.offsets) ?? []
  }

  /// The next offsets that a snapshot notes.
  static func offsets(of snapshot: TableSnapshot) -> [Int64] {
    snapshot.summary[LogOffsets.key]?.split(separator: ",").compactMap { Int64($0) } ?? []
  }
}
