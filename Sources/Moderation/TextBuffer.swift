/// Text in the making: bytes that grow in place, and leave once, in an array of just their size.
///
/// An array in its stead would be asked at every piece whether somebody shares it, and an event has
/// twenty pieces.
struct TextBuffer: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var count = 0
  /// Whether the bytes lie in memory of the buffer's own.
  private var isOwner = true

  /// An empty text with room for `capacity` bytes.
  init(capacity: Int) {
    self.capacity = max(capacity, 64)
    base = .allocate(capacity: self.capacity)
  }

  /// An empty text in memory that is lent for as long as the buffer lives; what doesn't fit there
  /// goes to memory of its own.
  init(in room: UnsafeMutableBufferPointer<UInt8>) {
    base = room.baseAddress ?? .allocate(capacity: 1)
    capacity = room.count
    isOwner = room.baseAddress == nil
  }

  deinit { if isOwner { base.deallocate() } }

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
    Self.copy(source, bytes.count, to: room(for: bytes.count))
    count += bytes.count
  }

  /// An object's key, `"name":`, behind a comma unless it is the first.
  mutating func write(key name: StaticString, isFirst: Bool) {
    let start = room(for: name.utf8CodeUnitCount + 4)
    var place = start
    if !isFirst {
      place.pointee = UInt8(ascii: ",")
      place += 1
    }
    place.pointee = UInt8(ascii: "\"")
    Self.copy(name.utf8Start, name.utf8CodeUnitCount, to: place + 1)
    place += name.utf8CodeUnitCount + 1
    place.pointee = UInt8(ascii: "\"")
    place[1] = UInt8(ascii: ":")
    count += place + 2 - start
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
    if value < 0 { write(UInt8(ascii: "-")) }
    var rest = value.magnitude
    var length = 1
    var limit: UInt64 = 10
    while rest >= limit, length < 19 {
      limit *= 10
      length += 1
    }
    if rest >= limit { length += 1 }
    let first = room(for: length)
    for place in stride(from: length - 1, through: 0, by: -1) {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      first[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
    count += length
  }

  /// A finite number in its shortest text that round-trips.
  mutating func write(_ value: Double) { writeUnquoted(value.description) }

  /// A JSON string with the escapes that RFC 8259 §7 demands and no others.
  mutating func writeQuoted(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      let start = room(for: utf8.count + 2)
      start.pointee = UInt8(ascii: "\"")
      count += 1
      if Self.copy(plain: utf8, to: start + 1) {
        count += utf8.count
      } else {
        for byte in utf8 { writeEscaped(byte) }
      }
      write(UInt8(ascii: "\""))
    }
  }

  /// Copies text; false when something in it needs an escape.
  private static func copy(
    plain utf8: UnsafeBufferPointer<UInt8>, to target: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    guard let base = utf8.baseAddress else { return true }
    let (source, target) = (UnsafeRawPointer(base), UnsafeMutableRawPointer(target))
    var marks: UInt64 = 0
    func take<Word: FixedWidthInteger>(_ word: Word.Type, at place: Int) {
      let word = source.loadUnaligned(fromByteOffset: place, as: Word.self)
      // A word of fewer bytes is filled up with one that needs no escape.
      marks |= EightBytes.marks(
        UInt64(truncatingIfNeeded: word) | EightBytes.blanks(for: Word.self))
      target.storeBytes(of: word, toByteOffset: place, as: Word.self)
    }
    if utf8.count >= 8 {
      var place = 0
      while place + 8 < utf8.count {
        take(UInt64.self, at: place)
        place += 8
      }
      take(UInt64.self, at: utf8.count - 8)
    } else if utf8.count >= 4 {
      take(UInt32.self, at: 0)
      take(UInt32.self, at: utf8.count - 4)
    } else {
      for place in utf8.indices { take(UInt8.self, at: place) }
    }
    return marks == 0
  }

  /// Copies bytes. Most pieces are short: for those a call costs more than the copy.
  @inline(__always)
  private static func copy(
    _ source: UnsafePointer<UInt8>, _ count: Int, to target: UnsafeMutablePointer<UInt8>
  ) {
    let (from, to) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
    func move<Word: FixedWidthInteger>(_ word: Word.Type, at place: Int) {
      let word = from.loadUnaligned(fromByteOffset: place, as: Word.self)
      to.storeBytes(of: word, toByteOffset: place, as: Word.self)
    }
    switch count {
    case 8...16:
      move(UInt64.self, at: 0)
      move(UInt64.self, at: count - 8)
    case 4..<8:
      move(UInt32.self, at: 0)
      move(UInt32.self, at: count - 4)
    case 17...: target.update(from: source, count: count)
    default: for place in 0..<count { target[place] = source[place] }
    }
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
    if isOwner { base.deallocate() }
    base = moved
    capacity = larger
    isOwner = true
  }
}

/// Eight bytes of text in one word, the first in the least significant byte.
enum EightBytes {
  /// The top bit of each byte that ends a JSON string or needs an escape in it: a quote, a
  /// backslash, a control character. The lowest mark is right; those above it may not be.
  @inline(__always) static func marks(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
    let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
    let isControl = (word &- ones &* 0x20) & ~word
    let isQuote = (quote &- ones) & ~quote
    let isBackslash = (backslash &- ones) & ~backslash
    return (isControl | isQuote | isBackslash) & (ones &* 0x80)
  }

  /// Spaces in the bytes that a shorter word doesn't fill.
  @inline(__always) static func blanks<Word: FixedWidthInteger>(for word: Word.Type) -> UInt64 {
    Word.bitWidth == 64 ? 0 : 0x2020_2020_2020_2020 << UInt64(Word.bitWidth)
  }
}
