import Moderation

/// The rolling features of the online path, with everything that must change together with them.
///
/// Contract (rule N is test N of `FeatureStoreConformance`):
/// 1. `apply` is one atomic step: events, trigger memory, pending requests and progress change
///    together or not at all.
/// 2. An event whose offset lies below its partition's applied offset changes nothing; neither does
///    one whose id was counted before, within the retention. Both are reported.
/// 3. A batch that starts beyond a partition's applied offset throws `conflict`: records would be
///    skipped.
/// 4. Counts are half-open `(t − w, t]` in event time, observed and governed, as known at the
///    instant asked for: a late event counts from its `visibleFrom` on. An unknown image has
///    zeros.
/// 5. A trigger fires once per image, restarts included; what fired and asks for a score is pending
///    until acknowledged.
/// 6. `pending` gives requests whose instant is at or before the bound, by (instant, image,
///    trigger), at most `limit`.
/// 7. `progress` has every partition ever applied; a partition's watermark and offset never go
///    back.
/// 8. Counts as of an instant older than the retention throw `outOfRetention`, never a wrong
///    number.
/// 9. A batch with the advances of the last one of its first partition is that batch again, sent
///    because its reply was lost: it fires nothing, and the reply says what it fired before.
public protocol FeatureStore: Sendable {
  /// Applies a batch of one consumer.
  func apply(_ batch: FeatureBatch, policy: TriggerPolicy) async throws(PortError) -> AppliedBatch

  /// The counts of images as of instants; one answer per question, in order.
  func counts(_ questions: [CountQuestion]) async throws(PortError) -> [EngagementCounts]

  /// Offsets and watermarks per partition.
  func progress() async throws(PortError) -> [TopicPartition: PartitionProgress]

  /// Requests not acknowledged yet.
  func pending(asOf bound: EventTime, limit: Int) async throws(PortError) -> [ModerationRequest]

  /// Forgets pending requests that the log holds by now.
  func acknowledge(_ requests: [ModerationRequest]) async throws(PortError)
}

/// The events of one poll, decoded.
public struct FeatureBatch: Sendable {
  /// One event at its position.
  public struct Entry: Sendable {
    /// Index into ``FeatureBatch/partitions``.
    public var slot: Int
    /// The offset in that partition.
    public var offset: Int64
    /// What happened.
    public var event: PlatformEvent
    /// The instant after the watermark at its arrival when it came late, else nil.
    public var visibleFrom: EventTime?

    /// An event at its position.
    public init(slot: Int, offset: Int64, event: PlatformEvent, visibleFrom: EventTime?) {
      self.slot = slot
      self.offset = offset
      self.event = event
      self.visibleFrom = visibleFrom
    }
  }

  /// How far one partition gets with this batch.
  public struct Advance: Hashable, Sendable {
    /// The partition.
    public var partition: TopicPartition
    /// The offset at which the batch starts.
    public var from: Int64
    /// The offset after the batch.
    public var to: Int64
    /// The partition's watermark after the batch, if it has one.
    public var watermark: EventTime?

    /// A partition's advance.
    public init(partition: TopicPartition, from: Int64, to: Int64, watermark: EventTime?) {
      self.partition = partition
      self.from = from
      self.to = to
      self.watermark = watermark
    }
  }

  /// Events in the order in which they are applied.
  public var entries: [Entry]
  /// The partitions that the batch advances, records or not.
  public var partitions: [Advance]

  /// A batch.
  public init(entries: [Entry], partitions: [Advance]) {
    self.entries = entries
    self.partitions = partitions
  }
}

/// What a batch changed.
public struct AppliedBatch: Sendable {
  /// Triggers that fired, in the order of their events; anchors included.
  public var fired: [FiredTrigger]
  /// Entries (indices) that changed nothing because they were applied or counted before.
  public var duplicates: [Int]

  /// What the very same batch fired when it was applied before; see rule 9.
  public var firedBefore: [FiredTrigger]

  /// What a batch changed.
  public init(
    fired: [FiredTrigger] = [], duplicates: [Int] = [], firedBefore: [FiredTrigger] = []
  ) {
    self.fired = fired
    self.duplicates = duplicates
    self.firedBefore = firedBefore
  }
}

/// How far a partition has been applied.
public struct PartitionProgress: Hashable, Sendable {
  /// The next offset to apply.
  public var nextOffset: Int64
  /// Every on-time event up to here has been applied; nil before the first watermark.
  public var watermark: EventTime?

  /// A partition's progress.
  public init(nextOffset: Int64, watermark: EventTime?) {
    self.nextOffset = nextOffset
    self.watermark = watermark
  }
}

/// Which counts are asked for.
public struct CountQuestion: Hashable, Sendable {
  /// The image.
  public var image: ImageID
  /// The instant.
  public var asOf: EventTime

  /// A question.
  public init(image: ImageID, asOf: EventTime) {
    self.image = image
    self.asOf = asOf
  }
}
