import Foundation

/// A JSON document of any shape: what Iceberg's metadata holds that this program doesn't interpret
/// must come out as it went in.
indirect enum JSONTree: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case list([JSONTree])
  case object([String: JSONTree])

  /// The document in `bytes`, or nil when it isn't JSON.
  init?(parsing bytes: [UInt8]) {
    // Where the text goes wrong doesn't matter: the caller names the file.
    guard let tree = try? JSONDecoder().decode(JSONTree.self, from: Data(bytes)) else {
      return nil
    }
    self = tree
  }

  /// The value as an integer, if it is one.
  var integer: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  /// The value as text, if it is text.
  var text: String? {
    if case .text(let value) = self { value } else { nil }
  }

  /// The value as a list, if it is one.
  var list: [JSONTree]? {
    if case .list(let value) = self { value } else { nil }
  }

  /// The value as an object, if it is one.
  var object: [String: JSONTree]? {
    if case .object(let value) = self { value } else { nil }
  }

  /// Appends the document's text; objects by key.
  func append(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .boolean(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): bytes.append(contentsOf: String(value).utf8)
    case .number(let value): bytes.append(contentsOf: "\(value)".utf8)
    case .text(let value): JSONText.append(value, to: &bytes)
    case .list(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        value.append(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let fields):
      bytes.append(UInt8(ascii: "{"))
      for (index, field) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        JSONText.append(field.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        field.value.append(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }
}

extension JSONTree: Decodable {
  init(from decoder: any Decoder) throws {
    // Each `try?` asks whether the value is of that kind; a value of none ends in the last line.
    if let fields = try? [String: JSONTree](from: decoder) {  // Is it an object?
      self = .object(fields)
    } else if let values = try? [JSONTree](from: decoder) {  // A list?
      self = .list(values)
    } else {
      self = try Self.scalar(try decoder.singleValueContainer())
    }
  }

  private static func scalar(_ value: any SingleValueDecodingContainer) throws -> JSONTree {
    if value.decodeNil() { return .null }
    // Not a boolean: another kind.
    if let boolean = try? value.decode(Bool.self) { return .boolean(boolean) }
    // Not a whole number: another kind.
    if let integer = try? value.decode(Int64.self) { return .integer(integer) }
    // Not a number at all: text.
    if let number = try? value.decode(Double.self) { return .number(number) }
    return .text(try value.decode(String.self))
  }
}

/// JSON strings (RFC 8259 §7).
enum JSONText {
  /// Appends `text` in quotes, with the escapes that JSON demands.
  static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0..<0x20:
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
