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
    guard bytes.count == length, let text = bytes.baseAddress, text[4] == UInt8(ascii: "-"),
      text[7] == UInt8(ascii: "-"), text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"),
      text[16] == UInt8(ascii: ":"), text[19] == UInt8(ascii: "."), text[26] == UInt8(ascii: "Z")
    else { return nil }
    var isNumeric = true
    func two(_ place: Int) -> Int {
      let (tens, ones) = (text[place] &- 48, text[place + 1] &- 48)
      isNumeric = isNumeric && tens < 10 && ones < 10
      return Int(tens) * 10 + Int(ones)
    }
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8))
    let (hour, minute, second) = (two(11), two(14), two(17))
    let fraction = two(20) * 10_000 + two(22) * 100 + two(24)
    guard isNumeric, hour < 24, minute < 60, second < 60,
      let date = CivilDate(validYear: year, month: month, day: day)
    else { return nil }
    let seconds = Int64(hour * 3600 + minute * 60 + second)
    return EventTime(date: date, microsecondsIntoDay: seconds * 1_000_000 + Int64(fraction))
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
    write(year / 100, to: text, at: 0)
    write(year % 100, to: text, at: 2, before: "-")
    write(UInt32(date.month), to: text, at: 5, before: "-")
    write(UInt32(date.day), to: text, at: 8, before: "T")
    write(seconds / 3600, to: text, at: 11, before: ":")
    write(seconds / 60 % 60, to: text, at: 14, before: ":")
    write(seconds % 60, to: text, at: 17, before: ".")
    write(microseconds / 10_000, to: text, at: 20)
    write(microseconds / 100 % 100, to: text, at: 22)
    write(microseconds % 100, to: text, at: 24, before: "Z")
    return true
  }

  /// Writes two digits and, behind them, a separator.
  @inline(__always)
  private static func write(
    _ value: UInt32, to text: UnsafeMutablePointer<UInt8>, at place: Int,
    before separator: Unicode.Scalar = "0"
  ) {
    text[place] = 48 + UInt8(truncatingIfNeeded: value / 10)
    text[place + 1] = 48 + UInt8(truncatingIfNeeded: value % 10)
    text[place + 2] = UInt8(ascii: separator)
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
