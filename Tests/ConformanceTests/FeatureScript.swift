import Moderation
import Ports

/// Writes batches of one partition for a feature store: fresh event ids, consecutive offsets.
struct FeatureScript {
  /// The partition that ``batch(_:watermark:)`` advances.
  let partition: TopicPartition
  /// The next batch's first offset.
  var next: Int64 = 0
  private var ids: UInt64

  /// A script; scripts of one test have different `series`, so that their ids differ.
  init(_ topic: String = "views", partition: Int = 0, series: UInt64 = 0) {
    self.partition = TopicPartition(topic, partition)
    ids = 0x100 + series << 8
  }

  /// An image's event of a metric.
  mutating func event(
    _ metric: Metric, _ image: ImageID, at time: EventTime, isEligible: Bool? = true
  ) -> PlatformEvent {
    ids += 1
    let subject: PlatformEvent.Subject =
      switch metric {
      case .views: .view(image: image)
      case .comments: .comment(comment: .number(ids), image: image, content: "")
      case .flags: .flag(flag: .number(ids), image: image, comment: nil, reason: "")
      }
    return PlatformEvent(
      id: EventID(high: 1, low: ids), time: time, actor: nil, actorEligible: isEligible,
      subject: subject)
  }

  /// A view.
  mutating func view(
    _ image: ImageID, at time: EventTime, isEligible: Bool? = true
  ) -> PlatformEvent {
    event(.views, image, at: time, isEligible: isEligible)
  }

  /// An upload.
  mutating func upload(_ image: ImageID, at time: EventTime) -> PlatformEvent {
    ids += 1
    return PlatformEvent(
      id: EventID(high: 1, low: ids), time: time, actor: .number(1), actorEligible: true,
      subject: .upload(image: image, category: "Soup", caption: "hot", s3URL: "s3/x"))
  }

  /// The next batch.
  mutating func batch(_ events: [PlatformEvent], watermark: EventTime? = nil) -> FeatureBatch {
    defer { next += Int64(events.count) }
    return batch(events, from: next, watermark: watermark)
  }

  /// A batch at an offset of the caller's choice; late events get `visibleFrom`.
  func batch(
    _ events: [PlatformEvent], from: Int64, watermark: EventTime? = nil,
    visibleFrom: EventTime? = nil
  ) -> FeatureBatch {
    FeatureBatch(
      entries: events.enumerated().map { index, event in
        FeatureBatch.Entry(
          slot: 0, offset: from + Int64(index), event: event, visibleFrom: visibleFrom)
      },
      partitions: [
        FeatureBatch.Advance(
          partition: partition, from: from, to: from + Int64(events.count), watermark: watermark)
      ])
  }
}

extension FeatureBatch {
  /// Both batches as one.
  func joined(_ other: FeatureBatch) -> FeatureBatch {
    FeatureBatch(
      entries: entries
        + other.entries.map { entry in
          var entry = entry
          entry.slot += partitions.count
          return entry
        },
      partitions: partitions + other.partitions)
  }
}

extension TriggerPolicy {
  /// Nothing fires.
  static let silent: Self = {
    var policy = TriggerPolicy()
    policy.viral = nil
    policy.suspicious = nil
    policy.flagged = nil
    policy.popular = nil
    policy.milestones = []
    policy.anchors = []
    return policy
  }()

  /// Only views in 5 minutes fire, at this threshold.
  static func viral(_ threshold: Int) -> Self {
    var policy = silent
    policy.viral = threshold
    return policy
  }
}

extension FeatureStore {
  /// One image's counts.
  func counts(_ image: ImageID, asOf: EventTime) async throws(PortError) -> EngagementCounts {
    try await counts([CountQuestion(image: image, asOf: asOf)])[0]
  }

  /// All that is pending.
  func allPending() async throws(PortError) -> [ModerationRequest] {
    try await pending(asOf: EventTime(microseconds: .max), limit: 1000)
  }
}
