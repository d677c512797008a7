/// Writes one flat JSON object into bytes: no whitespace, keys in the order of the calls.
public struct JSONWriter: ~Copyable {
  private var text: TextBuffer
  private var isFirst = true

  /// An empty object with room for `capacity` bytes.
  public init(capacity: Int = 256) {
    text = TextBuffer(capacity: capacity)
    text.write("{")
  }

  /// Closes the object and gives its bytes.
  public consuming func finish() -> [UInt8] {
    text.write("}")
    return text.bytes
  }

  /// Closes the object and lends its bytes as a line.
  public consuming func finishLine<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
    text.write("}\n")
    return text.withBytes(body)
  }

  /// A string, or null.
  public mutating func field(_ name: StaticString, _ value: String?) {
    key(name)
    if let value { text.writeQuoted(value) } else { text.write("null") }
  }

  /// A name that needs no escapes.
  public mutating func field(_ name: StaticString, _ value: StaticString) {
    key(name)
    text.write("\"")
    text.write(value)
    text.write("\"")
  }

  /// An id, or null.
  public mutating func field<Entity>(_ name: StaticString, _ value: ID<Entity>?) {
    guard let value else {
      key(name)
      return text.write("null")
    }
    field(name, idHigh: value.high, low: value.low)
  }

  /// An id by its halves. Not generic: unspecialised code would look metadata up at every id.
  public mutating func field(_ name: StaticString, idHigh high: UInt64, low: UInt64) {
    key(name)
    text.write("\"")
    text.write(EventID(high: high, low: low))
    text.write("\"")
  }

  /// An instant as ISO 8601 with microseconds and `Z`, or null.
  public mutating func field(_ name: StaticString, _ value: EventTime?) {
    key(name)
    guard let value else { return text.write("null") }
    text.write("\"")
    text.write(value)
    text.write("\"")
  }

  /// An instant as Unix seconds with six decimals, exact.
  mutating func field(_ name: StaticString, unixSeconds time: EventTime) {
    key(name)
    let (seconds, rest) = time.microseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
    if time.microseconds < 0 { text.write("-") }
    text.write(Int64(seconds))
    text.write(".")
    var unit: UInt64 = 100_000
    while unit > 0 {
      text.write(48 + UInt8(truncatingIfNeeded: rest / unit % 10))
      unit /= 10
    }
  }

  /// `true`, `false`, or null.
  public mutating func field(_ name: StaticString, _ value: Bool?) {
    key(name)
    guard let value else { return text.write("null") }
    text.write(value ? "true" : "false")
  }

  /// An integer, or null.
  public mutating func field(_ name: StaticString, _ value: Int64?) {
    key(name)
    if let value { text.write(value) } else { text.write("null") }
  }

  /// A number in its shortest text that round-trips, or null when nil or not finite.
  public mutating func field(_ name: StaticString, _ value: Double?) {
    key(name)
    if let value, value.isFinite { text.write(value) } else { text.write("null") }
  }

  /// A list of finite numbers; whole ones have no point.
  public mutating func field(_ name: StaticString, _ values: [Double]) {
    key(name)
    var separator = UInt8(ascii: "[")
    for value in values {
      text.write(separator)
      // Not `Int64(exactly:)`, which calls the mathematics library.
      if value >= -0x1p63, value < 0x1p63, Double(Int64(value)) == value {
        text.write(Int64(value))
      } else {
        text.write(value)
      }
      separator = UInt8(ascii: ",")
    }
    text.write(separator == UInt8(ascii: "[") ? "[]" : "]")
  }

  /// A value that is JSON text already.
  public mutating func field(_ name: StaticString, json: some Sequence<UInt8>) {
    key(name)
    if json.withContiguousStorageIfAvailable({ text.write($0) }) == nil {
      for byte in json { text.write(byte) }
    }
  }

  private mutating func key(_ name: StaticString) {
    text.write(key: name, isFirst: isFirst)
    isFirst = false
  }

  /// Appends `text` as a JSON string with the escapes that RFC 8259 §7 demands and no others.
  public static func appendString(_ text: String, to bytes: inout [UInt8]) {
    var buffer = TextBuffer(capacity: text.utf8.count + 2)
    buffer.writeQuoted(text)
    buffer.withBytes { bytes.append(contentsOf: $0) }
  }
}
