/// Text in the making: bytes that grow in place, and leave once, in an array of just their size.
///
/// An array in its stead would be asked at every piece whether somebody shares it, and an event has
/// twenty pieces.
struct TextBuffer: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var count = 0

  /// An empty text with room for `capacity` bytes.
  init(capacity: Int) {
    self.capacity = max(capacity, 64)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// A copy of the bytes so far.
  var bytes: [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }

  /// Lends the bytes so far.
  func withBytes<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
    body(UnsafeBufferPointer(start: base, count: count))
  }

  @inline(__always)
  mutating func write(_ byte: UInt8) {
    room(for: 1).initialize(to: byte)
    count += 1
  }

  @inline(__always)
  mutating func write(_ literal: StaticString) {
    write(UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  @inline(__always)
  mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let source = bytes.baseAddress else { return }
    room(for: bytes.count).update(from: source, count: bytes.count)
    count += bytes.count
  }

  /// Text as it stands. Not called `write`: literals are static, and would be taken for strings.
  mutating func writeUnquoted(_ text: String) {
    var text = text
    text.withUTF8 { write($0) }
  }

  /// The 36 bytes of an id.
  mutating func write<Entity>(_ id: ID<Entity>) {
    IDText.write(id.high, id.low, to: UnsafeMutableRawPointer(room(for: 36)))
    count += 36
  }

  /// An instant as ``ISO8601`` writes it.
  mutating func write(_ time: EventTime) {
    if ISO8601.write(time, to: room(for: ISO8601.length)) {
      count += ISO8601.length
    } else {
      write("@")
      write(time.microseconds)
    }
  }

  /// A number's digits; most have one.
  mutating func write(_ value: Int64) {
    if 0..<10 ~= value { return write(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)) }
    let longest = 20
    let end = room(for: longest) + longest
    var first = end
    var rest = value.magnitude
    repeat {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      first -= 1
      first.pointee = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
      rest = quotient
    } while rest > 0
    if value < 0 {
      first -= 1
      first.pointee = UInt8(ascii: "-")
    }
    (base + count).update(from: first, count: end - first)
    count += end - first
  }

  /// A finite number in its shortest text that round-trips.
  mutating func write(_ value: Double) { writeUnquoted(value.description) }

  /// A JSON string with the escapes that RFC 8259 §7 demands and no others.
  mutating func writeQuoted(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      write(UInt8(ascii: "\""))
      if Self.needsEscapes(utf8) {
        for byte in utf8 { writeEscaped(byte) }
      } else {
        write(utf8)
      }
      write(UInt8(ascii: "\""))
    }
  }

  /// Looks at every byte rather than up to the first: without a way out it runs on many at once.
  private static func needsEscapes(_ utf8: UnsafeBufferPointer<UInt8>) -> Bool {
    var found: UInt8 = 0
    for byte in utf8 {
      found |= byte < 0x20 ? 1 : 0
      found |= byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? 1 : 0
    }
    return found != 0
  }

  private mutating func writeEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      write(UInt8(ascii: "\\"))
      write(byte)
    case 0x0A: write("\\n")
    case 0x0D: write("\\r")
    case 0x09: write("\\t")
    case 0..<0x20:
      write("\\u00")
      for nibble in [byte >> 4, byte & 0xF] { write(nibble + (nibble < 10 ? 48 : 87)) }
    default: write(byte)
    }
  }

  /// Where the next bytes go, with room for `needed` of them.
  @inline(__always)
  private mutating func room(for needed: Int) -> UnsafeMutablePointer<UInt8> {
    if count + needed > capacity { grow(for: needed) }
    return base + count
  }

  @inline(never)
  private mutating func grow(for needed: Int) {
    let larger = max(capacity * 2, count + needed)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    moved.moveInitialize(from: base, count: count)
    base.deallocate()
    base = moved
    capacity = larger
  }
}
