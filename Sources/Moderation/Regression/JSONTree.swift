/// A JSON text (RFC 8259) as a tree: for small documents whose every part is checked by name.
///
/// Stricter than most readers: no name twice in an object, at most ``Reader/maximumDepth`` levels.
enum JSONTree {
  case null
  case boolean(Bool)
  /// Infinite when the text's number is too large for a double.
  case number(Double)
  case string(String)
  case array([JSONTree])
  /// In the text's order.
  case object([(name: String, value: JSONTree)])

  /// Reads a whole text.
  ///
  /// - Throws: ``ModelFormatError`` whose place is the byte at fault.
  init(_ bytes: [UInt8]) throws(ModelFormatError) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw ModelFormatError(place: "text", reason: "isn't UTF-8")
    }
    var reader = Reader(bytes: bytes)
    self = try reader.document()
  }

  /// What kind of value it is, for an error's text.
  var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// Reads JSON from left to right.
private struct Reader {
  static let maximumDepth = 16

  let bytes: [UInt8]
  var index = 0
  var depth = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(ModelFormatError) -> JSONTree {
    let tree = try value()
    guard index == bytes.count else { throw error("the text goes on after its end") }
    return tree
  }

  /// A value with the space around it.
  private mutating func value() throws(ModelFormatError) -> JSONTree {
    skipSpace()
    guard index < bytes.count else { throw error("the text ends too early") }
    let tree: JSONTree
    switch bytes[index] {
    case UInt8(ascii: "{"): tree = try object()
    case UInt8(ascii: "["): tree = try array()
    case UInt8(ascii: "\""): tree = .string(try string())
    case UInt8(ascii: "t"): tree = try word("true", .boolean(true))
    case UInt8(ascii: "f"): tree = try word("false", .boolean(false))
    case UInt8(ascii: "n"): tree = try word("null", .null)
    default: tree = try number()
    }
    skipSpace()
    return tree
  }

  private mutating func object() throws(ModelFormatError) -> JSONTree {
    try open()
    var fields: [(name: String, value: JSONTree)] = []
    var names: Set<[UInt8]> = []
    if take("}") { return close(.object([])) }
    repeat {
      skipSpace()
      let start = index
      let name = try string()
      guard names.insert(Array(name.utf8)).inserted else {
        throw error("'\(name)' is there twice", at: start)
      }
      skipSpace()
      guard take(":") else { throw error("a colon is missing") }
      fields.append((name, try value()))
    } while take(",")
    guard take("}") else { throw error("a comma or a closing brace is missing") }
    return close(.object(fields))
  }

  private mutating func array() throws(ModelFormatError) -> JSONTree {
    try open()
    var elements: [JSONTree] = []
    if take("]") { return close(.array([])) }
    repeat { elements.append(try value()) } while take(",")
    guard take("]") else { throw error("a comma or a closing bracket is missing") }
    return close(.array(elements))
  }

  private mutating func open() throws(ModelFormatError) {
    guard depth < Self.maximumDepth else {
      throw error("more than \(Self.maximumDepth) levels of nesting")
    }
    depth += 1
    index += 1
    skipSpace()
  }

  private mutating func close(_ tree: JSONTree) -> JSONTree {
    depth -= 1
    return tree
  }

  private mutating func word(
    _ word: StaticString, _ tree: JSONTree
  ) throws(ModelFormatError) -> JSONTree {
    let isThere = word.withUTF8Buffer { bytes[index...].starts(with: $0) }
    guard isThere else { throw error("this is no JSON value") }
    index += word.utf8CodeUnitCount
    return tree
  }

  private mutating func number() throws(ModelFormatError) -> JSONTree {
    let start = index
    _ = take("-")
    let firstDigit = index
    try digits("this is no JSON value", at: start)
    if bytes[firstDigit] == UInt8(ascii: "0"), index - firstDigit > 1 {
      throw error("a number starts with 0", at: start)
    }
    if take(".") { try digits("a number has no digit after its point", at: start) }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits("a number has no digit in its exponent", at: start)
    }
    guard let value = Double(String(decoding: bytes[start..<index], as: UTF8.self)) else {
      throw error("this is no number", at: start)
    }
    return .number(value)
  }

  private mutating func digits(_ problem: String, at start: Int) throws(ModelFormatError) {
    let first = index
    while index < bytes.count, bytes[index] &- UInt8(ascii: "0") < 10 { index += 1 }
    guard index > first else { throw error(problem, at: start) }
  }

  private mutating func string() throws(ModelFormatError) -> String {
    let start = index
    guard take("\"") else { throw error("a name in quotes is missing") }
    var text: [UInt8] = []
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(&text)
      case 0..<0x20: throw error("a control character stands in a string", at: index - 1)
      default: text.append(byte)
      }
    }
    throw error("a string has no end", at: start)
  }

  private mutating func escape(_ text: inout [UInt8]) throws(ModelFormatError) {
    let start = index - 1
    guard index < bytes.count else { throw error("a string has no end", at: start) }
    index += 1
    switch bytes[index - 1] {
    case UInt8(ascii: "\""): text.append(UInt8(ascii: "\""))
    case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
    case UInt8(ascii: "/"): text.append(UInt8(ascii: "/"))
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      guard let scalar = scalar() else { throw error("an escape isn't valid", at: start) }
      text.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: throw error("an escape isn't valid", at: start)
    }
  }

  /// The scalar of four hexadecimal digits, or of two such escapes that are a surrogate pair; the
  /// index stands behind the first `u`.
  private mutating func scalar() -> Unicode.Scalar? {
    guard let unit = unit() else { return nil }
    guard 0xD800..<0xDC00 ~= unit else { return Unicode.Scalar(unit) }
    guard take("\\"), take("u"), let low = self.unit(), 0xDC00..<0xE000 ~= low else { return nil }
    return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
  }

  private mutating func unit() -> UInt32? {
    guard index + 4 <= bytes.count else { return nil }
    let digits = bytes[index..<(index + 4)]
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    index += 4
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while index < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[index]) { index += 1 }
  }

  private func error(_ reason: String, at place: Int? = nil) -> ModelFormatError {
    ModelFormatError(place: "byte \(place ?? index)", reason: reason)
  }
}
