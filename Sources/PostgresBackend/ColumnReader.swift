import CPostgres
import Moderation

/// The answer to one query; it lives as long as libpq's buffer.
final class QueryResult {
  private let result: OpaquePointer

  /// Takes the result over, and frees it in the end.
  init(_ result: OpaquePointer) { self.result = result }

  deinit { PQclear(result) }

  /// How many rows the statement gave.
  var count: Int { Int(PQntuples(result)) }

  /// How many rows the statement changed.
  var changed: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

  /// All rows, in order.
  func all<Value>(_ read: (inout ColumnReader) throws -> Value) throws -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(count)
    for row in 0..<PQntuples(result) {
      var columns = ColumnReader(result, row: row)
      values.append(try read(&columns))
    }
    return values
  }

  /// The first row; nil when there is none.
  func first<Value>(_ read: (inout ColumnReader) throws -> Value) throws -> Value? {
    if count == 0 { return nil }
    var columns = ColumnReader(result, row: 0)
    return try read(&columns)
  }
}

/// A row's columns in PostgreSQL's binary form, read from left to right; what doesn't fit throws
/// ``UnreadableColumn``.
struct ColumnReader {
  private let result: OpaquePointer
  private let row: Int32
  private var index: Int32 = 0

  /// Starts at the row's first column; the result must outlive the reader.
  init(_ result: OpaquePointer, row: Int32) {
    self.result = result
    self.row = row
  }

  /// A text.
  mutating func text() throws -> String {
    let value = try optionalText()
    return try required("a text", value)
  }

  /// A text or NULL.
  mutating func optionalText() throws -> String? {
    try next("a text") { String(decoding: $0, as: UTF8.self) }
  }

  /// A whole number of 32 or 64 bits.
  mutating func integer() throws -> Int {
    let value = try optionalInteger()
    return try required("a number", value)
  }

  /// A whole number or NULL.
  mutating func optionalInteger() throws -> Int? {
    try next("a number") { bytes in
      switch bytes.count {
      case 4: Int(Int32(bitPattern: bytes.word()))
      case 8: Int(Int64(bitPattern: bytes.word()))
      default: nil
      }
    }
  }

  /// A number of 64 bits.
  mutating func double() throws -> Double {
    let value = try next("a number") { $0.wide.map(Double.init(bitPattern:)) }
    return try required("a number", value)
  }

  /// True or false.
  mutating func boolean() throws -> Bool {
    let value = try next("a boolean") { $0.count == 1 ? $0[0] != 0 : nil }
    return try required("a boolean", value)
  }

  /// Bytes.
  mutating func bytes() throws -> [UInt8] {
    let value = try next("bytes") { Array($0) }
    return try required("bytes", value)
  }

  /// An id.
  mutating func id<Entity>() throws -> ID<Entity> {
    let value: ID<Entity>? = try optionalID()
    return try required("an id", value)
  }

  /// An id or NULL.
  mutating func optionalID<Entity>() throws -> ID<Entity>? {
    try next("an id") { bytes in
      guard bytes.count == 16 else { return nil }
      return ID(high: bytes.word(), low: UnsafeRawBufferPointer(rebasing: bytes[8...]).word())
    }
  }

  /// An instant.
  mutating func time() throws -> EventTime {
    let value = try optionalTime()
    return try required("an instant", value)
  }

  /// An instant or NULL; `infinity` isn't one.
  mutating func optionalTime() throws -> EventTime? {
    try next("an instant") { bytes in
      guard let word = bytes.wide.map(Int64.init(bitPattern:)), word != .max, word != .min else {
        return nil
      }
      let (sum, isTooLate) = word.addingReportingOverflow(PostgresTime.epoch)
      return isTooLate ? nil : EventTime(microseconds: sum)
    }
  }

  /// A date or NULL; `infinity` isn't one.
  mutating func optionalDate() throws -> CivilDate? {
    try next("a date") { bytes in
      guard bytes.count == 4 else { return nil }
      let day = Int32(bitPattern: bytes.word())
      if day == .max || day == .min { return nil }
      return CivilDate(daysSinceEpoch: Int(day) + PostgresTime.epochDay)
    }
  }

  /// One of an enumeration's texts.
  mutating func choice<Choice: RawRepresentable<String>>(_ expected: String) throws -> Choice {
    let text = try text()
    if let choice = Choice(rawValue: text) { return choice }
    throw unreadable(index - 1, expected, "'\(text)'")
  }

  /// The next column's value; nil for NULL.
  private mutating func next<Value>(
    _ expected: String, _ convert: (UnsafeRawBufferPointer) -> Value?
  ) throws -> Value? {
    defer { index += 1 }
    if PQgetisnull(result, row, index) == 1 { return nil }
    let bytes = UnsafeRawBufferPointer(
      start: PQgetvalue(result, row, index), count: Int(PQgetlength(result, row, index)))
    if let value = convert(bytes) { return value }
    throw unreadable(index, expected, bytes.prefix(32).map { "\($0)" }.joined(separator: " "))
  }

  /// The value of the column just read, which can't be NULL. Its argument isn't read in the same
  /// expression, for then the column's place would be the one before.
  private func required<Value>(_ expected: String, _ value: Value?) throws -> Value {
    guard let value else { throw unreadable(index - 1, expected, "NULL") }
    return value
  }

  private func unreadable(
    _ column: Int32, _ expected: String, _ value: String
  ) -> UnreadableColumn {
    let name = PQfname(result, column).map { String(cString: $0) } ?? "\(column + 1)"
    return UnreadableColumn(column: name, value: value, expected: expected)
  }
}

extension UnsafeRawBufferPointer {
  /// The number whose bytes come first, the highest before the others; there must be enough.
  fileprivate func word<Word: FixedWidthInteger>() -> Word {
    Word(bigEndian: loadUnaligned(as: Word.self))
  }

  /// The number that eight bytes are; nil when there are more or fewer.
  fileprivate var wide: UInt64? { count == 8 ? word() : nil }
}
