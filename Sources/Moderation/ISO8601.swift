/// ISO 8601 instants as the platform's events and tables write them.
///
/// Accepted: `YYYY-MM-DDTHH:MM[:SS[.f…]]` (a space may stand for `T`) followed by `Z`, an offset
/// (`+02:00`, `+0200`, `+02`), or nothing, which means UTC. Digits past microseconds are dropped.
public enum ISO8601 {
  private static let writableYears = 0...9999

  /// The instant that `text` names, or nil when it names none.
  public static func parse(_ text: String) -> EventTime? {
    var text = text
    return text.withUTF8 { parse($0) }
  }

  /// The instant that the bytes name, or nil when they name none.
  public static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> EventTime? {
    canonical(bytes) ?? general(bytes)
  }

  /// The instant of text that is as ``write(_:to:)`` writes it, and nil of any other.
  private static func canonical(_ bytes: UnsafeBufferPointer<UInt8>) -> EventTime? {
    guard bytes.count == length, let base = bytes.baseAddress else { return nil }
    var faults: UInt64 = 0
    func eight(_ place: Int) -> EightCharacters {
      let characters = EightCharacters(base + place, like: template.utf8Start + place)
      faults |= characters.faults
      return characters
    }
    let (start, middle, end, fraction) = (eight(0), eight(8), eight(16), eight(19))
    guard faults == 0 else { return nil }
    let (hour, minute, second) = (middle.pair(at: 3), middle.pair(at: 6), end.pair(at: 1))
    guard hour < 24, minute < 60, second < 60,
      let date = CivilDate(
        validYear: start.pair(at: 0) * 100 + start.pair(at: 2), month: start.pair(at: 5),
        day: middle.pair(at: 0))
    else { return nil }
    let microseconds =
      fraction.pair(at: 1) * 10_000 + fraction.pair(at: 3) * 100 + fraction.pair(at: 5)
    let seconds = Int64(hour * 3600 + minute * 60 + second)
    return EventTime(date: date, microsecondsIntoDay: seconds * 1_000_000 + Int64(microseconds))
  }

  private static func general(_ bytes: UnsafeBufferPointer<UInt8>) -> EventTime? {
    var cursor = Cursor(bytes: bytes)
    guard let year = cursor.digits(4), cursor.take(UInt8(ascii: "-")),
      let month = cursor.digits(2), cursor.take(UInt8(ascii: "-")), let day = cursor.digits(2),
      let date = CivilDate(validYear: year, month: month, day: day),
      cursor.take(UInt8(ascii: "T")) || cursor.take(UInt8(ascii: " ")),
      let hour = cursor.digits(2), hour < 24, cursor.take(UInt8(ascii: ":")),
      let minute = cursor.digits(2), minute < 60
    else { return nil }
    var second = 0
    var fraction: Int64 = 0
    if cursor.take(UInt8(ascii: ":")) {
      guard let value = cursor.digits(2), value < 60 else { return nil }
      second = value
      if cursor.take(UInt8(ascii: ".")) {
        guard let value = cursor.microseconds() else { return nil }
        fraction = value
      }
    }
    guard let offset = cursor.offsetSeconds(), cursor.isAtEnd else { return nil }
    let seconds = Int64(hour * 3600 + minute * 60 + second - offset)
    let time = EventTime(date: date, microsecondsIntoDay: seconds * 1_000_000 + fraction)
    // Only an offset can lead out of the years that have four digits.
    return offset == 0 || writableYears.contains(time.date.year) ? time : nil
  }

  /// The bytes of `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
  static let length = 27
  /// Such text, with a zero for each digit.
  private static let template: StaticString = "0000-00-00T00:00:00.000000Z"

  /// Appends `YYYY-MM-DDTHH:MM:SS.ffffffZ`, or `@<microseconds>` outside the years 0…9999, which
  /// have no such text.
  public static func append(_ time: EventTime, to bytes: inout [UInt8]) {
    var text = TextBuffer(capacity: length)
    text.write(time)
    text.withBytes { bytes.append(contentsOf: $0) }
  }

  /// Writes the ``length`` bytes of an instant; false, and nothing written, outside the years
  /// 0…9999.
  static func write(_ time: EventTime, to text: UnsafeMutablePointer<UInt8>) -> Bool {
    let (day, rest) = time.dayAndRest
    let date = CivilDate(daysSinceEpoch: day)
    guard writableYears.contains(date.year) else { return false }
    let (seconds, microseconds) = (UInt32(rest / 1_000_000), UInt32(rest % 1_000_000))
    let year = UInt32(date.year)
    text.update(from: template.utf8Start, count: length)
    write(year / 100, to: text, at: 0)
    write(year % 100, to: text, at: 2)
    write(UInt32(date.month), to: text, at: 5)
    write(UInt32(date.day), to: text, at: 8)
    write(seconds / 3600, to: text, at: 11)
    write(seconds / 60 % 60, to: text, at: 14)
    write(seconds % 60, to: text, at: 17)
    write(microseconds / 10_000, to: text, at: 20)
    write(microseconds / 100 % 100, to: text, at: 22)
    write(microseconds % 100, to: text, at: 24)
    return true
  }

  /// Writes the two digits of a number below 100.
  @inline(__always)
  private static func write(
    _ value: UInt32, to text: UnsafeMutablePointer<UInt8>, at place: Int
  ) {
    let tens = (value &* 103) >> 10
    let pair = UInt16(truncatingIfNeeded: 0x3030 &+ tens &+ (value &- tens &* 10) << 8)
    UnsafeMutableRawPointer(text).storeBytes(
      of: pair.littleEndian, toByteOffset: place, as: UInt16.self)
  }

  /// `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
  public static func string(_ time: EventTime) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(27)
    append(time, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension EventTime: CustomStringConvertible {
  /// `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
  public var description: String { ISO8601.string(self) }
}

extension ProcessingTime: CustomStringConvertible {
  /// `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
  public var description: String { ISO8601.string(asEventTime) }
}

/// Eight characters of text that should be digits and separators, less those of a template.
private struct EightCharacters {
  /// Digits by their value, separators as zeros, the first in the least significant byte.
  private let values: UInt64
  /// Not zero when a digit or a separator isn't what the template has in its place.
  let faults: UInt64

  @inline(__always)
  init(_ text: UnsafePointer<UInt8>, like template: UnsafePointer<UInt8>) {
    let zeros: UInt64 = 0x3030_3030_3030_3030
    func word(_ place: UnsafePointer<UInt8>) -> UInt64 {
      UInt64(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt64.self))
    }
    let model = word(template)
    values = word(text) ^ model
    // What may be added to a byte without reaching the next nibble: 6 to a digit, 15 to a zero.
    let isSeparator = (((model ^ zeros) &+ 0x7F7F_7F7F_7F7F_7F7F) >> 7) & 0x0101_0101_0101_0101
    let margin = 0x0606_0606_0606_0606 &+ isSeparator &* 9
    faults = (values | (values &+ margin)) & 0xF0F0_F0F0_F0F0_F0F0
  }

  /// The number that the digits at `place` and behind it make.
  @inline(__always)
  func pair(at place: Int) -> Int {
    Int(truncatingIfNeeded: (values &* 10 &+ values >> 8) >> UInt64(8 * place) & 0xFF)
  }
}

/// A position in the text of an instant; each method consumes what it accepts.
private struct Cursor {
  let bytes: UnsafeBufferPointer<UInt8>
  var index = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { index == bytes.count }

  mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  mutating func digits(_ count: Int) -> Int? {
    guard index + count <= bytes.count else { return nil }
    var value = 0
    for offset in 0..<count {
      let digit = bytes[index + offset] &- 48
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    index += count
    return value
  }

  /// One or more fraction digits, as microseconds.
  mutating func microseconds() -> Int64? {
    var value: Int64 = 0
    var count = 0
    while index < bytes.count, bytes[index] &- 48 < 10 {
      if count < 6 { value = value * 10 + Int64(bytes[index] &- 48) }
      count += 1
      index += 1
    }
    guard count > 0 else { return nil }
    while count < 6 {
      value *= 10
      count += 1
    }
    return value
  }

  /// `Z`, an offset, or the end of the text; seconds east of UTC.
  mutating func offsetSeconds() -> Int? {
    if isAtEnd || take(UInt8(ascii: "Z")) { return 0 }
    let sign: Int
    if take(UInt8(ascii: "+")) {
      sign = 1
    } else if take(UInt8(ascii: "-")) {
      sign = -1
    } else {
      return nil
    }
    guard let hours = digits(2), hours < 24 else { return nil }
    let hasColon = take(UInt8(ascii: ":"))
    if isAtEnd { return hasColon ? nil : sign * hours * 3600 }
    guard let minutes = digits(2), minutes < 60 else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }
}
