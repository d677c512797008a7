/// Writes one flat JSON object into bytes: no whitespace, keys in the order of the calls.
public struct JSONWriter {
  /// The text so far.
  public private(set) var bytes: [UInt8] = []
  private var isFirst = true

  /// An empty object with room for `capacity` bytes.
  public init(capacity: Int = 256) {
    bytes.reserveCapacity(capacity)
    bytes.append(UInt8(ascii: "{"))
  }

  /// Closes the object and gives its bytes.
  public consuming func finish() -> [UInt8] {
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  /// A string, or null.
  public mutating func field(_ name: StaticString, _ value: String?) {
    key(name)
    if let value { Self.appendString(value, to: &bytes) } else { appendNull() }
  }

  /// A name that needs no escapes.
  public mutating func field(_ name: StaticString, _ value: StaticString) {
    key(name)
    bytes.append(UInt8(ascii: "\""))
    append(value)
    bytes.append(UInt8(ascii: "\""))
  }

  /// An id, or null.
  public mutating func field<Entity>(_ name: StaticString, _ value: ID<Entity>?) {
    key(name)
    guard let value else { return appendNull() }
    bytes.append(UInt8(ascii: "\""))
    value.append(to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  /// An instant as ISO 8601 with microseconds and `Z`, or null.
  public mutating func field(_ name: StaticString, _ value: EventTime?) {
    key(name)
    guard let value else { return appendNull() }
    bytes.append(UInt8(ascii: "\""))
    ISO8601.append(value, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  /// `true`, `false`, or null.
  public mutating func field(_ name: StaticString, _ value: Bool?) {
    key(name)
    guard let value else { return appendNull() }
    append(value ? "true" : "false")
  }

  /// An integer, or null.
  public mutating func field(_ name: StaticString, _ value: Int64?) {
    key(name)
    guard let value else { return appendNull() }
    Self.append(value, to: &bytes)
  }

  /// A number in its shortest text that round-trips, or null when nil or not finite.
  public mutating func field(_ name: StaticString, _ value: Double?) {
    key(name)
    guard let value, value.isFinite else { return appendNull() }
    bytes.append(contentsOf: "\(value)".utf8)
  }

  /// A list of finite numbers; whole ones have no point.
  public mutating func field(_ name: StaticString, _ values: [Double]) {
    key(name)
    bytes.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      if let whole = Int64(exactly: value) {
        Self.append(whole, to: &bytes)
      } else {
        bytes.append(contentsOf: "\(value)".utf8)
      }
    }
    bytes.append(UInt8(ascii: "]"))
  }

  /// A value that is JSON text already.
  public mutating func field(_ name: StaticString, json: some Sequence<UInt8>) {
    key(name)
    bytes.append(contentsOf: json)
  }

  private mutating func key(_ name: StaticString) {
    if isFirst { isFirst = false } else { bytes.append(UInt8(ascii: ",")) }
    bytes.append(UInt8(ascii: "\""))
    append(name)
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// Appends a number's digits; most have one.
  private static func append(_ value: Int64, to bytes: inout [UInt8]) {
    if 0..<10 ~= value {
      bytes.append(UInt8(ascii: "0") + UInt8(value))
    } else {
      bytes.append(contentsOf: String(value).utf8)
    }
  }

  private mutating func appendNull() { append("null") }

  /// Appends `text` as a JSON string with the escapes that RFC 8259 §7 demands and no others.
  public static func appendString(_ text: String, to bytes: inout [UInt8]) {
    var text = text
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { utf8 in
      if utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
        bytes.append(contentsOf: utf8)
      } else {
        for byte in utf8 { appendEscaped(byte, to: &bytes) }
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func appendEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(byte)
    case 0x0A: bytes.append(contentsOf: "\\n".utf8)
    case 0x0D: bytes.append(contentsOf: "\\r".utf8)
    case 0x09: bytes.append(contentsOf: "\\t".utf8)
    case 0..<0x20:
      let digits = Array("0123456789abcdef".utf8)
      bytes.append(contentsOf: "\\u00".utf8)
      bytes.append(digits[Int(byte >> 4)])
      bytes.append(digits[Int(byte & 0xF)])
    default: bytes.append(byte)
    }
  }
}
