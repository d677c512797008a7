import Moderation
import Ports
import Simulation

/// A seeded stream of batches as consumers of several partitions send them: events late, out of
/// order and twice, batches again, overlapping and with gaps, watermarks that halt, leap and go
/// back.
struct FeatureTraffic {
  /// How long the store keeps events beyond the longest window.
  static let grace: Duration = .seconds(600)
  /// Low enough that everything fires.
  static let policy: TriggerPolicy = {
    var policy = TriggerPolicy()
    policy.viral = 6
    policy.suspicious = 3
    policy.flagged = 2
    policy.popular = 9
    policy.milestones = [1, 4, 20, 50, 100]
    return policy
  }()

  /// A partition as its consumers see it.
  private struct Source {
    let partition: TopicPartition
    let kind: EventKind
    var next: Int64 = 0
    var watermark: EventTime?
  }

  /// Draws everything, the caller's questions too.
  var random: SeededRandom
  /// The latest instant of any event so far, about.
  private(set) var now = Sample.start
  private var ids: UInt64 = 0
  private var sources = [
    Source(partition: TopicPartition("views", 0), kind: .view),
    Source(partition: TopicPartition("views", 1), kind: .view),
    Source(partition: TopicPartition("comments", 0), kind: .comment),
    Source(partition: TopicPartition("flags", 0), kind: .flag),
    Source(partition: TopicPartition("uploads", 0), kind: .upload),
  ]
  private var recentBatches: [FeatureBatch] = []
  private var recentEvents: [PlatformEvent] = []

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// The next batch; tell ``applied(_:)`` when it was taken.
  mutating func batch() -> FeatureBatch {
    let draw = random.below(20)
    if draw == 0, let batch = any(recentBatches) { return batch }
    if draw == 1, let batch = recentBatches.last { return batch }
    if draw == 2 { return leap() }
    now = now + .microseconds(random.below(120_000_000))
    return fresh(shift: draw == 3 ? Int64(random.below(3)) + 1 : draw < 6 ? -2 : 0)
  }

  /// A batch was taken: the next ones go on behind it.
  mutating func applied(_ batch: FeatureBatch) {
    for advance in batch.partitions {
      for index in sources.indices where sources[index].partition == advance.partition {
        sources[index].next = max(sources[index].next, advance.to)
        sources[index].watermark = [sources[index].watermark, advance.watermark]
          .compactMap { $0 }.max()
      }
    }
    recentBatches = (recentBatches + [batch]).suffix(4)
    recentEvents = (recentEvents + batch.entries.map(\.event)).suffix(30)
  }

  /// An image; some are asked for more than others, and one never.
  mutating func image() -> ImageID { .number(UInt64(random.below(1 + random.below(12)))) }

  /// An instant at which something changes, or any other one.
  mutating func instant() -> EventTime {
    switch random.below(6) {
    case 0: now
    case 1: now.later(-Int64(random.below(3_600_000_000)))
    case 2: (any(sources)?.watermark ?? now).later(Int64(random.below(3)))
    case 3: now.later(Int64(random.below(600_000_000)) - 5_400_000_000)
    default:
      (any(recentEvents)?.time ?? now).later(
        [0, 60_000_000, 300_000_000, 3_600_000_000][random.below(4)] + Int64(random.below(3)) - 1)
    }
  }

  /// No events for longer than the retention, and all watermarks with the clock.
  private mutating func leap() -> FeatureBatch {
    let retention = Self.grace + .seconds(3600)
    now = now + (random.chance(0.5) ? retention : .seconds(900))
    return FeatureBatch(
      entries: [],
      partitions: sources.filter { $0.watermark != nil }.map { source in
        FeatureBatch.Advance(
          partition: source.partition, from: source.next, to: source.next,
          watermark: now.later(-60_000_000))
      })
  }

  /// A batch of some partitions; the first one's offsets are shifted.
  private mutating func fresh(shift: Int64) -> FeatureBatch {
    let first = random.below(sources.count)
    let slots = (0...random.below(3)).map { (first + $0) % sources.count }
    let from = slots.enumerated().map { slot, source in
      max(0, sources[source].next + (slot == 0 ? shift : 0))
    }
    var to = from
    var entries: [FeatureBatch.Entry] = []
    for _ in 0..<random.below(24) {
      let slot = random.below(slots.count)
      let source = sources[slots[slot]]
      let event = self.event(source.kind)
      let watermark = source.watermark.flatMap { event.time <= $0 ? $0 : nil }
      entries.append(
        FeatureBatch.Entry(
          slot: slot, offset: to[slot], event: event, visibleFrom: watermark?.later(1)))
      to[slot] += 1
    }
    return FeatureBatch(
      entries: entries,
      partitions: slots.enumerated().map { slot, source in
        FeatureBatch.Advance(
          partition: sources[source].partition, from: from[slot], to: to[slot],
          watermark: random.chance(0.4) ? nil : now.later(-Int64(random.below(900_000_000))))
      })
  }

  private mutating func event(_ kind: EventKind) -> PlatformEvent {
    if random.chance(0.08), let event = any(recentEvents) { return event }
    ids += 1
    let image = self.image()
    let subject: PlatformEvent.Subject =
      switch kind {
      case .upload:
        .upload(
          image: image, category: random.chance(0.2) ? nil : "Soup", caption: nil, s3URL: "s3/x")
      case .view: .view(image: image)
      case .comment: .comment(comment: .number(ids), image: image, content: "")
      case .flag:
        .flag(
          flag: .number(ids), image: random.chance(0.1) ? nil : image, comment: .number(1),
          reason: "")
      }
    return PlatformEvent(
      id: EventID(high: 7, low: ids), time: time(), actor: nil,
      actorEligible: random.chance(0.1) ? nil : random.chance(0.8), subject: subject)
  }

  /// A recent instant; often a whole half minute, so that some are just a window apart.
  private mutating func time() -> EventTime {
    let age = random.chance(0.1) ? 3_600_000_000 : 90_000_000
    let time = now.later(-Int64(random.below(age)))
    return random.chance(0.5) ? time.later(-(time.microseconds % 30_000_000)) : time
  }

  private mutating func any<Element>(_ elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[random.below(elements.count)]
  }
}
