import Moderation
import Ports

extension AppliedBatch {
  /// What `apply.lua` replies; nil when it's something else.
  init?(_ parts: [RedisReply]) {
    guard parts.first == .text("applied"), parts.count == 4,
      let fired = [FiredTrigger](parts[1]), let duplicates = parts[2].list,
      let firedBefore = [FiredTrigger](parts[3])
    else { return nil }
    self.init(
      fired: fired, duplicates: duplicates.compactMap { $0.integer.map(Int.init) },
      firedBefore: firedBefore)
  }
}

extension [FiredTrigger] {
  /// A list of `image trigger microseconds count`, where `-` is no count.
  fileprivate init?(_ reply: RedisReply) {
    guard let elements = reply.list else { return nil }
    self = []
    for element in elements {
      let words = element.text?.split(separator: " ").map(String.init) ?? []
      guard words.count == 4, let microseconds = Int64(words[2]),
        let fired = FiredTrigger(
          words[0], words[1], EventTime(microseconds: microseconds), count: words[3])
      else { return nil }
      append(fired)
    }
  }
}

extension FiredTrigger {
  /// A request that `pending.lua` replies: `image trigger`, Unix seconds, and the count if any.
  init?(pending reply: RedisReply) {
    guard let parts = reply.list, parts.count == 3,
      let words = parts[0].text?.split(separator: " "), words.count == 2,
      let seconds = parts[1].text.flatMap(Double.init),
      let asOf = EventTime(unixSeconds: seconds)
    else { return nil }
    self.init(String(words[0]), String(words[1]), asOf, count: parts[2].text ?? "-")
  }

  fileprivate init?(_ image: String, _ trigger: String, _ asOf: EventTime, count: String) {
    guard let image = ImageID(image), let trigger = Trigger(name: trigger),
      count == "-" || Int(count) != nil
    else { return nil }
    self.init(image: image, trigger: trigger, asOf: asOf, count: Int(count))
  }
}

extension EventTime {
  /// The instant of a score. Whole seconds and their fraction are scaled apart, so that rounding
  /// gives the very microseconds that the score was made of.
  init?(unixSeconds: Double) {
    let whole = unixSeconds.rounded(.down)
    guard let seconds = Int64(exactly: whole),
      seconds.magnitude <= FeatureBatchArguments.latest.magnitude
    else { return nil }
    let fraction = ((unixSeconds - whole) * 1e6).rounded()
    self.init(microseconds: seconds * 1_000_000 + Int64(fraction))
  }
}

extension EngagementCounts {
  /// Numbers per image: nine counts, each observed and governed.
  static let width = 18

  /// The first numbers of a slice, in the order of `counts.lua`.
  init(_ numbers: ArraySlice<Int>) {
    func tally(_ place: Int) -> RollingCounter.Tally {
      let index = numbers.startIndex + 2 * place
      return RollingCounter.Tally(observed: numbers[index], governed: numbers[index + 1])
    }
    self.init(
      views5min: tally(0), views1hr: tally(1), comments5min: tally(2), comments1hr: tally(3),
      flags5min: tally(4), flags1hr: tally(5), totalViews: tally(6), totalComments: tally(7),
      totalFlags: tally(8))
  }
}

extension PartitionProgress {
  /// `offset watermark`, where `-` is no watermark; nil of anything else.
  init?(_ text: String) {
    let words = text.split(separator: " ")
    guard words.count == 2, let offset = Int64(words[0]), words[1] == "-" || Int64(words[1]) != nil
    else { return nil }
    self.init(
      nextOffset: offset, watermark: Int64(words[1]).map(EventTime.init(microseconds:)))
  }
}

extension TopicPartition {
  /// `topic-partition`; nil of anything else.
  init?(_ text: String) {
    guard let dash = text.lastIndex(of: "-"), let partition = Int(text[dash...].dropFirst()) else {
      return nil
    }
    self.init(String(text[..<dash]), partition)
  }
}
