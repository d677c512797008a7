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
    var passed = 0
    var watermark: EventTime?
  }

  private struct Mark {
    var resolvedAt: EventTime
    /// The next offset of each followed partition.
    var ends: [Int64]
  }

  private var partitions: [TopicPartition] = []
  private var lanes: [Lane] = []
  private var marks: [Mark] = []
  /// Marks dropped from the front of `marks` because all partitions have passed them.
  private var dropped = 0

  /// Starts to follow partitions from the given watermarks on, and no others; a partition's slot
  /// is its place in the list.
  mutating func follow(_ partitions: [TopicPartition], from watermarks: [EventTime?]) {
    marks = []
    dropped = 0
    self.partitions = partitions
    lanes = watermarks.map { Lane(watermark: $0) }
  }

  /// Adds a mark that was read after all records added so far.
  mutating func add(_ mark: ResolvedMark) {
    marks.append(Mark(resolvedAt: mark.resolvedAt, ends: partitions.map { mark.end(of: $0) }))
  }

  /// The watermark that holds before the record at `offset` of the partition at `slot`.
  mutating func watermark(of slot: Int, before offset: Int64) -> EventTime? {
    while lanes[slot].passed - dropped < marks.count {
      let next = lanes[slot].passed - dropped
      guard marks[next].ends[slot] <= offset else { break }
      let resolvedAt = marks[next].resolvedAt
      lanes[slot].watermark = max(lanes[slot].watermark ?? resolvedAt, resolvedAt)
      lanes[slot].passed += 1
    }
    return lanes[slot].watermark
  }

  /// Drops the marks that every partition has passed.
  mutating func prune() {
    let least = lanes.map(\.passed).min() ?? dropped
    guard least > dropped else { return }
    marks.removeFirst(least - dropped)
    dropped = least
  }
}
