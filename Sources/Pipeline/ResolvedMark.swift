import Moderation
import Ports

/// A resolved timestamp: every event up to `resolvedAt` lies before `ends`.
///
/// The relay publishes one after each drain of the outbox. So an idle partition's watermark follows
/// what has really been published, not the wall clock, and a relay that stands still holds the
/// watermark back instead of making its events late. The idea is that of a change feed's resolved
/// timestamps.
public struct ResolvedMark: Hashable, Sendable {
  /// The instant up to which everything has been published.
  public var resolvedAt: EventTime
  /// The next offset of each partition, by topic.
  public var ends: [TopicName: [Int64]]

  /// The next offset of a partition; 0 when the mark doesn't know it.
  public func end(of partition: TopicPartition) -> Int64 {
    guard let ends = ends[partition.name], ends.indices.contains(partition.partition) else {
      return 0
    }
    return ends[partition.partition]
  }

  /// `microseconds topic=offset,offset …`, topics sorted.
  func encoded() -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(160)
    Self.append(resolvedAt.microseconds, to: &text)
    let topics = ends.map { (text: $0.key.text, offsets: $0.value) }
    for topic in topics.sorted(by: { $0.text < $1.text }) {
      text.append(UInt8(ascii: " "))
      text.append(contentsOf: topic.text.utf8)
      var separator = UInt8(ascii: "=")
      for offset in topic.offsets {
        text.append(separator)
        Self.append(offset, to: &text)
        separator = UInt8(ascii: ",")
      }
    }
    return text
  }

  /// A number's digits, without a text on the way: a mark has a dozen, and there is one per tick.
  private static func append(_ number: Int64, to text: inout [UInt8]) {
    if number < 0 { text.append(UInt8(ascii: "-")) }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var first = digits.count
      var rest = number.magnitude
      repeat {
        first -= 1
        digits.initializeElement(at: first, to: UInt8(ascii: "0") + UInt8(rest % 10))
        rest /= 10
      } while rest > 0
      text.append(contentsOf: digits[first...])
    }
  }

  init(resolvedAt: EventTime, ends: [TopicName: [Int64]]) {
    self.resolvedAt = resolvedAt
    self.ends = ends
  }

  /// The mark that a record's value holds, or nil.
  public init?(_ value: [UInt8]) {
    var rest = value[...]
    guard let microseconds = Self.number(&rest) else { return nil }
    var ends = [TopicName: [Int64]](minimumCapacity: 4)
    while !rest.isEmpty {
      guard rest.removeFirst() == UInt8(ascii: " "),
        let equals = rest.firstIndex(of: UInt8(ascii: "="))
      else { return nil }
      let topic = Self.topic(rest[..<equals])
      rest = rest[(equals + 1)...]
      var offsets: [Int64] = []
      offsets.reserveCapacity(4)
      while let offset = Self.number(&rest) {
        offsets.append(offset)
        guard rest.first == UInt8(ascii: ",") else { break }
        rest.removeFirst()
      }
      guard let topic, !offsets.isEmpty else { return nil }
      ends[topic] = offsets
    }
    self.init(resolvedAt: EventTime(microseconds: microseconds), ends: ends)
  }

  /// The topics that a relay's marks name.
  private static let sources = Catalog.sourceTopics.map {
    (text: Array($0.utf8), name: TopicName($0))
  }

  /// The topic of a name; nil for none.
  private static func topic(_ text: ArraySlice<UInt8>) -> TopicName? {
    if let known = sources.first(where: { $0.text.elementsEqual(text) }) { return known.name }
    return text.isEmpty ? nil : TopicName(String(decoding: text, as: UTF8.self))
  }

  /// Takes a whole number of at most 18 digits from the front.
  private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    var index = bytes.startIndex
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative { index += 1 }
    let firstDigit = index
    var value: Int64 = 0
    while index < bytes.endIndex, bytes[index] &- 48 < 10, index - firstDigit < 18 {
      value = value * 10 + Int64(bytes[index] &- 48)
      index += 1
    }
    guard index > firstDigit else { return nil }
    bytes = bytes[index...]
    return isNegative ? -value : value
  }

  /// Publishes a mark of what the log holds now.
  static func publish(
    _ resolvedAt: EventTime, to log: any EventLog, at now: ProcessingTime
  ) async throws(PortError) {
    var ends = [TopicName: [Int64]](minimumCapacity: 4)
    for (topic, source) in zip(Catalog.sourceTopics, sources) {
      ends[source.name] = try await log.ends(of: topic)
    }
    let mark = ResolvedMark(resolvedAt: resolvedAt, ends: ends)
    _ = try await log.append([
      ProducerRecord(
        .resolved, recordKey: nil, value: mark.encoded(), timestamp: now.asEventTime)
    ])
  }
}
