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
    let mark = value.withUnsafeBufferPointer { bytes in
      var reader = MarkReader(bytes: bytes)
      return reader.mark()
    }
    guard let mark else { return nil }
    self = mark
  }

  /// Publishes a mark of what the log holds now.
  static func publish(
    _ resolvedAt: EventTime, to log: any EventLog, at now: ProcessingTime
  ) async throws(PortError) {
    var ends = [TopicName: [Int64]](minimumCapacity: 4)
    for (topic, source) in zip(Catalog.sourceTopics, MarkReader.sources) {
      ends[source.name] = try await log.ends(of: topic)
    }
    let mark = ResolvedMark(resolvedAt: resolvedAt, ends: ends)
    _ = try await log.append([
      ProducerRecord(
        .resolved, recordKey: nil, value: mark.encoded(), timestamp: now.asEventTime)
    ])
  }
}

/// A position in a mark's text. Each consumer reads a mark per tick, so it takes bytes one by one:
/// what a slice or a sequence of them costs is most of it in a debug build.
private struct MarkReader {
  /// The topics that a relay's marks name, in the order in which they do.
  static let sources = Catalog.sourceTopics.map {
    (text: Array($0.utf8), name: TopicName($0))
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The mark that the whole text is; nil when it isn't one.
  mutating func mark() -> ResolvedMark? {
    guard let microseconds = number() else { return nil }
    var ends = [TopicName: [Int64]](minimumCapacity: 4)
    var place = 0
    while index < bytes.count {
      guard take(UInt8(ascii: " ")), let topic = topic(at: place), let offsets = offsets() else {
        return nil
      }
      ends[topic] = offsets
      place += 1
    }
    return ResolvedMark(resolvedAt: EventTime(microseconds: microseconds), ends: ends)
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  /// A topic's name, and the sign after it: as a rule that of the source at a place.
  private mutating func topic(at place: Int) -> TopicName? {
    if place < Self.sources.count, take(Self.sources[place].text) {
      if take(UInt8(ascii: "=")) { return Self.sources[place].name }
      index -= Self.sources[place].text.count
    }
    guard let equals = bytes[index...].firstIndex(of: UInt8(ascii: "=")), equals > index else {
      return nil
    }
    defer { index = equals + 1 }
    return TopicName(String(decoding: bytes[index..<equals], as: UTF8.self))
  }

  private mutating func take(_ text: [UInt8]) -> Bool {
    var count = 0
    while count < text.count, index + count < bytes.count, bytes[index + count] == text[count] {
      count += 1
    }
    guard count == text.count else { return false }
    index += count
    return true
  }

  /// One offset or more, with commas between.
  private mutating func offsets() -> [Int64]? {
    guard let first = number() else { return nil }
    var offsets = [first]
    offsets.reserveCapacity(4)
    while take(UInt8(ascii: ",")) {
      guard let next = number() else { return nil }
      offsets.append(next)
    }
    return offsets
  }

  /// A whole number of at most 18 digits.
  private mutating func number() -> Int64? {
    let isNegative = take(UInt8(ascii: "-"))
    let firstDigit = index
    var value: Int64 = 0
    while index < bytes.count, bytes[index] &- 48 < 10, index - firstDigit < 18 {
      value = value * 10 + Int64(bytes[index] &- 48)
      index += 1
    }
    guard index > firstDigit else { return nil }
    return isNegative ? -value : value
  }
}
