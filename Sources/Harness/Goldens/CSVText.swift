/// Why a text isn't a CSV table.
public struct CSVError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of mistake.
  public struct Code: Hashable, Sendable {
    /// The code's name, as printed.
    public let name: String

    /// There is no line of column names.
    public static let noColumns = Code(name: "no columns")
    /// A row has more or fewer values than there are columns.
    public static let raggedRow = Code(name: "ragged row")
    /// A quote inside a value that isn't quoted, or text after the quote that ends one.
    public static let strayQuote = Code(name: "stray quote")
    /// A carriage return that isn't quoted and ends no line.
    public static let strayReturn = Code(name: "stray carriage return")
    /// A quoted value that the text ends in.
    public static let unterminatedQuote = Code(name: "unterminated quote")
    /// Two columns have one name.
    public static let duplicateColumn = Code(name: "duplicate column")
    /// The key names a column that isn't there.
    public static let missingColumn = Code(name: "missing column")
  }

  /// What kind of mistake.
  public var code: Code
  /// The table's name.
  public var table: String
  /// The line of the file, from 1.
  public var line: Int
  /// The character in the line, from 1.
  public var column: Int
  /// What was seen, and how to mend it.
  public var hint: String

  /// `scores.csv:3:7: ragged row: …`.
  public var description: String { "\(table).csv:\(line):\(column): \(code.name): \(hint)" }
}

extension CSVTable {
  /// The table as RFC 4180 text with LF line ends, quoted only where it must be; printed anew at
  /// each access.
  public var text: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity((rows.count + 1) * columns.count * 8)
    Self.append(columns, to: &bytes)
    for row in rows { Self.append(row, to: &bytes) }
    return bytes
  }

  /// Reads RFC 4180 text; lines end in LF or CRLF.
  ///
  /// - Throws: ``CSVError`` at the first mistake.
  public init(name: String, keyColumns: [String], parsing text: String) throws(CSVError) {
    try self.init(name: name, keyColumns: keyColumns, parsing: Array(text.utf8), firstLine: 1)
  }

  /// Reads the text of a file whose earlier lines aren't the table's; the bytes are UTF-8.
  init(
    name: String, keyColumns: [String], parsing bytes: [UInt8], firstLine: Int
  ) throws(CSVError) {
    var reader = CSVReader(table: name, bytes: bytes, line: firstLine)
    let columns = try reader.columns()
    for column in keyColumns where !columns.contains(column) {
      throw CSVError(
        code: .missingColumn, table: name, line: firstLine, column: 1,
        hint: "the key column '\(column)' isn't among \(columns.joined(separator: ", "))")
    }
    var rows: [[String]] = []
    while let row = try reader.row(width: columns.count) { rows.append(row) }
    self.init(name: name, columns: columns, keyColumns: keyColumns, rows: rows)
  }

  private static func append(_ record: [String], to bytes: inout [UInt8]) {
    var isFirst = true
    for value in record {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      let start = bytes.count
      bytes.append(contentsOf: value.utf8)
      // Printed first and looked at after: a value that needs quotes is rare.
      if needsQuotes(bytes, from: start) { quote(&bytes, from: start) }
    }
    // Most readers skip an empty line, so that a single empty value is quoted.
    if record == [""] { bytes.append(contentsOf: "\"\"".utf8) }
    bytes.append(UInt8(ascii: "\n"))
  }

  private static func needsQuotes(_ bytes: [UInt8], from start: Int) -> Bool {
    for index in start..<bytes.count {
      switch bytes[index] {
      case UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D: return true
      default: continue
      }
    }
    return false
  }

  private static func quote(_ bytes: inout [UInt8], from start: Int) {
    let value = Array(bytes[start...])
    bytes.removeSubrange(start...)
    bytes.append(UInt8(ascii: "\""))
    for byte in value {
      if byte == UInt8(ascii: "\"") { bytes.append(byte) }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

/// A position in CSV text; each method consumes what it reads.
private struct CSVReader {
  private let table: String
  private let bytes: [UInt8]
  private var index = 0
  private var line: Int
  private var lineStart = 0

  init(table: String, bytes: [UInt8], line: Int) {
    self.table = table
    self.bytes = bytes
    self.line = line
  }

  /// The first line's names.
  mutating func columns() throws(CSVError) -> [String] {
    guard !bytes.isEmpty else { throw error(.noColumns, "the text is empty") }
    var names: [String] = []
    repeat {
      let start = self
      let name = try value()
      guard !names.contains(name) else {
        throw start.error(.duplicateColumn, "'\(name)' is column \(names.count + 1) and earlier")
      }
      names.append(name)
    } while take(UInt8(ascii: ","))
    endLine()
    return names
  }

  /// The next line's values, or nil at the end of the text.
  mutating func row(width: Int) throws(CSVError) -> [String]? {
    guard index < bytes.count else { return nil }
    var values: [String] = []
    values.reserveCapacity(width)
    repeat {
      guard values.count < width else {
        throw error(.raggedRow, "the row goes on after \(Self.count(width))")
      }
      values.append(try value())
    } while take(UInt8(ascii: ","))
    guard values.count == width else {
      throw error(
        .raggedRow, "the row ends after \(Self.count(values.count)), the columns are \(width)")
    }
    endLine()
    return values
  }

  /// The value up to a comma or the end of the line, neither of which it consumes.
  private mutating func value() throws(CSVError) -> String {
    if index < bytes.count, bytes[index] == UInt8(ascii: "\"") { return try quotedValue() }
    let start = index
    while index < bytes.count, !isEnd(at: index) {
      if bytes[index] == UInt8(ascii: "\"") {
        throw error(.strayQuote, "quote the whole value, and write each quote in it twice")
      }
      if bytes[index] == 0x0D { throw error(.strayReturn, "quote the value that it is part of") }
      index += 1
    }
    return String(decoding: bytes[start..<index], as: UTF8.self)
  }

  private mutating func quotedValue() throws(CSVError) -> String {
    let opening = self
    var value: [UInt8] = []
    index += 1
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\""), !take(UInt8(ascii: "\"")) {
        guard index == bytes.count || isEnd(at: index) else {
          throw error(.strayQuote, "a comma or the end of the line follows a closing quote")
        }
        return String(decoding: value, as: UTF8.self)
      }
      value.append(byte)
      if byte == 0x0A { beginLine() }
    }
    throw opening.error(.unterminatedQuote, "no quote closes the value that begins here")
  }

  /// Whether a value that isn't quoted ends before the byte.
  private func isEnd(at index: Int) -> Bool {
    switch bytes[index] {
    case UInt8(ascii: ","), 0x0A: true
    case 0x0D: index + 1 < bytes.count && bytes[index + 1] == 0x0A
    default: false
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func endLine() {
    _ = take(0x0D)
    if take(0x0A) { beginLine() }
  }

  private mutating func beginLine() {
    line += 1
    lineStart = index
  }

  private static func count(_ values: Int) -> String {
    values == 1 ? "1 value" : "\(values) values"
  }

  /// An error where the reader stands; bytes that continue a character aren't counted.
  private func error(_ code: CSVError.Code, _ hint: String) -> CSVError {
    let column = bytes[lineStart..<index].count { $0 & 0xC0 != 0x80 } + 1
    return CSVError(code: code, table: table, line: line, column: column, hint: hint)
  }
}
