/// Why a text isn't JSON.
struct JSONError: Error, Hashable, Sendable {
  /// What was wrong.
  var reason: String
  /// The byte of the text where it went wrong.
  var offset: Int
}

/// Reads one JSON text (RFC 8259), with bounded nesting.
struct JSONParser {
  /// Levels of nesting in a text.
  private static let maximumDepth = 512

  private let bytes: [UInt8]
  private var offset = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The value that `bytes` spell; anything but whitespace after it is an error.
  static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes)
    let value = try parser.value(depth: 0)
    parser.skipWhitespace()
    guard parser.offset == bytes.count else { throw parser.failure("text after the JSON value") }
    return value
  }

  private func failure(_ reason: String, at place: Int? = nil) -> JSONError {
    JSONError(reason: reason, offset: place ?? offset)
  }

  private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipWhitespace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      offset += 1
    }
  }

  private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: scalar) else { return false }
    offset += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < Self.maximumDepth else {
      throw failure("JSON nests deeper than \(Self.maximumDepth) levels")
    }
    skipWhitespace()
    guard let byte = current else { throw failure("JSON ends where a value should be") }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw failure("not JSON: byte \(byte) where a value should be")
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    offset += 1
    var members: [JSONValue.Member] = []
    skipWhitespace()
    if skip("}") { return .object(members) }
    repeat {
      skipWhitespace()
      guard current == UInt8(ascii: "\"") else { throw failure("a JSON object's key is missing") }
      let key = try string()
      skipWhitespace()
      guard skip(":") else { throw failure("a JSON object's colon is missing") }
      members.append(JSONValue.Member(key, try value(depth: depth + 1)))
      skipWhitespace()
    } while skip(",")
    guard skip("}") else { throw failure("a JSON object isn't closed") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    offset += 1
    var items: [JSONValue] = []
    skipWhitespace()
    if skip("]") { return .array(items) }
    repeat {
      items.append(try value(depth: depth + 1))
      skipWhitespace()
    } while skip(",")
    guard skip("]") else { throw failure("a JSON array isn't closed") }
    return .array(items)
  }

  private mutating func word(_ text: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    guard bytes[offset...].starts(with: text.utf8) else {
      throw failure("not JSON: '\(text)' is misspelt")
    }
    offset += text.utf8.count
    return value
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = offset
    _ = skip("-")
    if !skip("0") { try digits() }
    if skip(".") { try digits() }
    if skip("e") || skip("E") {
      if !skip("+") { _ = skip("-") }
      try digits()
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if let value = Int64(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else {
      throw failure("not a number that a double holds: '\(text)'", at: start)
    }
    return .number(value)
  }

  private mutating func digits() throws(JSONError) {
    let start = offset
    while let byte = current, byte &- UInt8(ascii: "0") < 10 { offset += 1 }
    guard offset > start else { throw failure("a JSON number lacks a digit") }
  }

  private mutating func string() throws(JSONError) -> String {
    offset += 1
    let start = offset
    // As a rule nothing in it is escaped.
    while let byte = current, byte >= 0x20, byte != UInt8(ascii: "\""),
      byte != UInt8(ascii: "\\")
    {
      offset += 1
    }
    var text = Array(bytes[start..<offset])
    while let byte = current {
      offset += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("invalid UTF-8 in a JSON string", at: start - 1)
        }
        return string
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw failure("a control character in a JSON string", at: offset - 1)
      default: text.append(byte)
      }
    }
    throw failure("a JSON string isn't closed")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = current else { throw failure("a JSON string isn't closed") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(try unicodeScalar()).utf8)
    default: throw failure("an unknown escape in a JSON string", at: offset - 1)
    }
  }

  private mutating func unicodeScalar() throws(JSONError) -> Unicode.Scalar {
    let start = offset - 2
    var code = try hexadecimal()
    if 0xD800..<0xDC00 ~= code, skip("\\"), skip("u") {
      let low = try hexadecimal()
      guard 0xDC00..<0xE000 ~= low else { throw failure("half a surrogate pair", at: start) }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw failure("half a surrogate pair", at: start)
    }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("a \\u escape lacks its four digits")
      }
      code = code << 4 | UInt32(digit)
      offset += 1
    }
    return code
  }
}
