import Moderation

/// Rows' values in PostgreSQL's binary form, written from left to right in the order of the
/// columns, row after row; what can't be stored as it is throws ``UnstorableValue``.
struct ColumnWriter {
  private let columns: [String]
  /// Per column the values so far, each with its length before it: an array's elements.
  private var values: [[UInt8]]
  private var next = 0
  private var rows = 0

  /// Starts at the first of the columns.
  init(_ columns: [String]) {
    self.columns = columns
    values = Array(repeating: [], count: columns.count)
  }

  /// A text of at most so many Unicode scalars, or NULL.
  mutating func text(_ text: String?, limit: Int? = nil) throws {
    guard let text else { return null() }
    if text.hasNUL { throw unstorable("the text contains a NUL (U+0000); take it out") }
    if let limit, text.utf8.count > limit, text.unicodeScalars.count > limit {
      throw unstorable(
        "the text has \(text.unicodeScalars.count) characters, and \(limit) are allowed")
    }
    append(Int32(text.utf8.count))
    values[next].append(contentsOf: text.utf8)
    advance()
  }

  /// An id or NULL.
  mutating func id<Entity>(_ id: ID<Entity>?) {
    guard let id else { return null() }
    append(Int32(16))
    append(id.high)
    append(id.low)
    advance()
  }

  /// An instant or NULL, in the years that every reader of the column knows.
  mutating func time(_ time: EventTime?) throws {
    guard let time else { return null() }
    guard PostgresTime.years.contains(time.date.year) else {
      throw unstorable("\(time) isn't in the years 0 to 9999; correct the clock that gave it")
    }
    append(Int32(8))
    append(time.microseconds - PostgresTime.epoch)
    advance()
  }

  /// A date or NULL.
  mutating func date(_ date: CivilDate?) throws {
    guard let date else { return null() }
    guard PostgresTime.years.contains(date.year) else {
      throw unstorable("the year \(date.year) isn't in 0 to 9999")
    }
    append(Int32(4))
    append(Int32(date.daysSinceEpoch - PostgresTime.epochDay))
    advance()
  }

  /// A number of 32 bits or NULL.
  mutating func integer(_ number: Int?) throws {
    guard let number else { return null() }
    guard let narrow = Int32(exactly: number) else {
      throw unstorable("\(number) doesn't fit the column's 32 bits")
    }
    append(Int32(4))
    append(narrow)
    advance()
  }

  /// A number of 64 bits.
  mutating func long(_ number: Int64) {
    append(Int32(8))
    append(number)
    advance()
  }

  /// A floating-point number.
  mutating func double(_ number: Double) {
    append(Int32(8))
    append(number.bitPattern)
    advance()
  }

  /// True or false.
  mutating func boolean(_ isTrue: Bool) {
    append(Int32(1))
    values[next].append(isTrue ? 1 : 0)
    advance()
  }

  /// Bytes.
  mutating func bytes(_ bytes: [UInt8]) {
    append(Int32(bytes.count))
    values[next].append(contentsOf: bytes)
    advance()
  }

  /// The first row's values, one argument per column; nil is NULL.
  var single: [[UInt8]?] {
    values.map { $0.first == 0xFF ? nil : Array($0.dropFirst(4)) }
  }

  /// All rows' values, one array per column: dimensions, whether there may be NULLs, the elements'
  /// type, their number, the first index, and the elements.
  func arrays(of types: [ColumnType]) -> [[UInt8]?] {
    zip(values, types).map { elements, type in
      var array: [UInt8] = []
      array.reserveCapacity(20 + elements.count)
      for word in [1, 1, type.number, UInt32(rows), 1] { array.append(bigEndian: word) }
      return array + elements
    }
  }

  private mutating func null() {
    append(Int32(-1))
    advance()
  }

  private mutating func append(_ word: some FixedWidthInteger) {
    values[next].append(bigEndian: word)
  }

  private mutating func advance() {
    next += 1
    guard next == columns.count else { return }
    next = 0
    rows += 1
  }

  private func unstorable(_ problem: String) -> UnstorableValue {
    UnstorableValue(column: columns[next], problem: problem)
  }
}

/// How PostgreSQL counts time.
enum PostgresTime {
  /// 2000-01-01T00:00:00Z, in microseconds since 1970.
  static let epoch: Int64 = 946_684_800_000_000
  /// 2000-01-01, in days since 1970.
  static let epochDay = 10_957
  /// The years of an instant that the adapters store: those that ISO 8601 writes with four digits.
  static let years = 0...9999
}

extension String {
  /// Whether there is a NUL, which PostgreSQL has no place for.
  var hasNUL: Bool { utf8.contains(0) }
}

extension [UInt8] {
  /// Appends a number's bytes, the highest first.
  mutating func append(bigEndian number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }
}
