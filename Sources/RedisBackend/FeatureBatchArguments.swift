import Moderation
import Ports

/// A batch as `apply.lua` reads it: the advances as text, the retention in microseconds, then lists
/// of partitions, of thresholds and of entries, each a list itself.
struct FeatureBatchArguments {
  /// The latest instant, and with a minus the earliest, that a score keeps to the microsecond: a
  /// double of Unix seconds does until 2242. This is 2200-01-01.
  static let latest: Int64 = 7_258_118_400_000_000

  /// The packed batch.
  let bytes: [UInt8]

  /// Packs a batch.
  init(_ batch: FeatureBatch, _ policy: TriggerPolicy, retention: Duration) {
    var pack = MessagePack()
    pack.list(5)
    pack.text(Self.text(of: batch.partitions))
    pack.integer(retention.microseconds)
    pack.list(batch.partitions.count)
    for advance in batch.partitions {
      pack.list(4)
      pack.text(advance.partition.description)
      pack.integer(advance.from)
      pack.integer(advance.to)
      pack.integer(advance.watermark?.microseconds)
    }
    Self.append(policy, to: &pack)
    pack.list(batch.entries.count)
    for entry in batch.entries { Self.append(entry, to: &pack) }
    bytes = pack.bytes
  }

  /// What is wrong with a batch that the server couldn't keep; nil when nothing is.
  static func problem(_ batch: FeatureBatch, _ policy: TriggerPolicy) -> String? {
    for (index, entry) in batch.entries.enumerated() {
      guard batch.partitions.indices.contains(entry.slot) else {
        return "entry \(index) is of slot \(entry.slot), of \(batch.partitions.count) partitions"
      }
      let times = [entry.event.time, entry.visibleFrom].compactMap { $0?.microseconds }
      if let time = times.first(where: { $0.magnitude > latest.magnitude }) {
        return "entry \(index) is dated \(time) µs, which Redis keeps exactly only until 2200"
      }
    }
    if let watermark = batch.partitions.compactMap(\.watermark)
      .first(where: { $0.microseconds.magnitude > latest.magnitude })
    {
      return "a watermark is \(watermark.microseconds) µs, which is kept exactly only until 2200"
    }
    let numbered = policy.milestones.map(Trigger.milestone) + policy.anchors.map(Trigger.anchor)
    if let trigger = numbered.first(where: { Trigger(name: $0.name) != $0 }) {
      return "a trigger can't be called '\(trigger.name)'; choose a number that isn't negative"
    }
    return nil
  }

  /// Tells a batch from any other one of its first partition.
  private static func text(of advances: [FeatureBatch.Advance]) -> String {
    advances.map { advance in
      let watermark = advance.watermark.map { "\($0.microseconds)" } ?? "-"
      return "\(advance.partition) \(advance.from) \(advance.to) \(watermark)"
    }.joined(separator: ", ")
  }

  private static func append(_ policy: TriggerPolicy, to pack: inout MessagePack) {
    pack.list(6)
    for threshold in [policy.viral, policy.suspicious, policy.flagged, policy.popular] {
      pack.integer(threshold.map(Int64.init))
    }
    for numbers in [policy.milestones, policy.anchors] {
      pack.list(numbers.count)
      for number in numbers { pack.integer(Int64(number)) }
    }
  }

  /// Slot, offset and kind; the kind says what follows.
  private static func append(_ entry: FeatureBatch.Entry, to pack: inout MessagePack) {
    let event = entry.event
    guard let image = event.image else {
      pack.list(3)
      append(entry, kind: 0, to: &pack)
      return
    }
    pack.list(event.kind.metric == nil ? 10 : 8)
    append(entry, kind: event.kind.metric.map { $0.rawValue + 1 } ?? 4, to: &pack)
    pack.id(event.id)
    pack.id(image)
    pack.integer(event.time.microseconds)
    if case .upload(_, let category, let caption, _) = event.subject {
      pack.text(event.time.description)
      pack.integer(Int64(caption?.scalarCount ?? 0))
      pack.text(category)
      pack.text(event.actor?.description)
    } else {
      pack.integer(entry.visibleFrom?.microseconds)
      pack.boolean(event.actorEligible ?? true)
    }
  }

  private static func append(
    _ entry: FeatureBatch.Entry, kind: Int, to pack: inout MessagePack
  ) {
    pack.integer(Int64(entry.slot))
    pack.integer(entry.offset)
    pack.integer(Int64(kind))
  }
}
