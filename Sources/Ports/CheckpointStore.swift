import Moderation

/// Named watermarks of batch jobs.
///
/// Contract (rule N is test N of `CheckpointStoreConformance`):
/// 1. A name never saved loads as nil.
/// 2. `load` gives what was saved last, whole.
/// 3. `save` with `expecting` throws `conflict` when the stored value isn't the expected one, and
///    then changes nothing.
public protocol CheckpointStore: Sendable {
  /// The checkpoint of this name.
  func load(_ name: String) async throws(PortError) -> Checkpoint?
  /// Replaces the checkpoint when it still is `expected`.
  func save(_ checkpoint: Checkpoint, as name: String, expecting expected: Checkpoint?)
    async throws(PortError)
}

/// How far a job has read: the next offset of each partition.
public struct Checkpoint: Hashable, Sendable {
  /// The next offset to read.
  public var offsets: [TopicPartition: Int64]
  /// Every on-time event up to here lies before ``offsets``; nil when that isn't known.
  public var completeThrough: EventTime?

  /// A checkpoint.
  public init(offsets: [TopicPartition: Int64], completeThrough: EventTime? = nil) {
    self.offsets = offsets
    self.completeThrough = completeThrough
  }
}
