import Moderation
import Ports

/// Which watermark held when a record arrived, as a function of the log alone.
///
/// A record at offset `o` of partition `p` is late when a resolved mark with `end(p) ≤ o` had
/// already passed its event time. No clock and no consumer's pace enters, so any number of
/// consumers, at any speed, agree on which events are late and from when on they count.
struct WatermarkTracker {
  private struct Lane {
    /// How many of all marks ever added this partition has passed.
    var passed: Int
    var watermark: EventTime?
  }

  private var lanes: [TopicPartition: Lane] = [:]
  private var marks: [ResolvedMark] = []
  /// Marks dropped from the front of `marks` because all partitions have passed them.
  private var dropped = 0

  /// Starts to follow partitions that have the given progress, and no others.
  mutating func follow(_ partitions: [TopicPartition: EventTime?]) {
    marks = []
    dropped = 0
    lanes = partitions.mapValues { Lane(passed: 0, watermark: $0) }
  }

  /// Adds a mark that was read after all records added so far.
  mutating func add(_ mark: ResolvedMark) { marks.append(mark) }

  /// The watermark that holds before the record at `offset`.
  mutating func watermark(of partition: TopicPartition, before offset: Int64) -> EventTime? {
    guard var lane = lanes[partition] else { return nil }
    var moved = false
    while lane.passed - dropped < marks.count,
      marks[lane.passed - dropped].end(of: partition) <= offset
    {
      let mark = marks[lane.passed - dropped]
      lane.watermark = max(lane.watermark ?? mark.resolvedAt, mark.resolvedAt)
      lane.passed += 1
      moved = true
    }
    if moved { lanes[partition] = lane }
    return lane.watermark
  }

  /// Drops the marks that every partition has passed.
  mutating func prune() {
    let least = lanes.values.map(\.passed).min() ?? dropped
    guard least > dropped else { return }
    marks.removeFirst(least - dropped)
    dropped = least
  }
}
