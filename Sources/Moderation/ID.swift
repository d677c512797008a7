/// A UUID that says what it identifies.
///
/// Text form: 36 lowercase characters, `8-4-4-4-12`; parsing accepts either case.
@frozen public struct ID<Entity>: Hashable, Comparable, Sendable {
  /// The first 8 bytes, big-endian.
  public var high: UInt64
  /// The last 8 bytes, big-endian.
  public var low: UInt64

  /// Joins the two halves.
  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Whether both halves agree.
  @inlinable public static func == (a: Self, b: Self) -> Bool {
    a.low == b.low && a.high == b.high
  }

  /// Orders by the text form.
  @inlinable public static func < (a: Self, b: Self) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }

  /// Feeds one mixed word: ids are random, so both halves needn't be hashed on their own.
  @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(high ^ low) }

  /// Random bits need no SipHash: one multiplication spreads them, and the table's seed still
  /// differs per process. Every event looks ids up about ten times.
  @inlinable public func _rawHashValue(seed: Int) -> Int {
    let mixed = (high ^ low ^ UInt64(bitPattern: Int64(seed))) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: Int64(bitPattern: mixed ^ (mixed >> 32)))
  }

  /// The same UUID as the id of something else.
  @inlinable public func reinterpreted<Other>(as other: Other.Type) -> ID<Other> {
    ID<Other>(high: high, low: low)
  }

  /// A version-4 UUID from 128 random bits.
  @inlinable public init(randomBits high: UInt64, _ low: UInt64) {
    self.init(
      high: (high & ~0xF000) | 0x4000,
      low: (low & ~(0b11 << 62)) | (0b10 << 62))
  }

  /// The id that `text` spells, or nil.
  @inlinable public init?(_ text: String) {
    guard let (high, low) = IDText.parse(text) else { return nil }
    self.init(high: high, low: low)
  }

  /// The id that 36 bytes spell, or nil.
  @inlinable public init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
    guard let (high, low) = IDText.parse(bytes) else { return nil }
    self.init(high: high, low: low)
  }

  /// Appends the 36 bytes of the text form.
  @inlinable public func append(to bytes: inout [UInt8]) { IDText.append(high, low, to: &bytes) }
}

extension ID {
  /// Lends the 36 bytes of the text form.
  @inlinable public func withText<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
    IDText.withText(high, low, body)
  }
}

extension ID: CustomStringConvertible {
  /// The 36-character text form.
  @inlinable public var description: String { IDText.string(high, low) }
}

/// The text form of the two halves of an id. Not generic: what an id identifies doesn't show in its
/// text, and unspecialised code would look its metadata up at every call.
public enum IDText {
  /// The halves that `text` spells, or nil.
  public static func parse(_ text: String) -> (high: UInt64, low: UInt64)? {
    var text = text
    return text.withUTF8 { parse($0) }
  }

  /// The halves that 36 bytes spell, or nil.
  public static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> (high: UInt64, low: UInt64)? {
    guard bytes.count == 36, let base = bytes.baseAddress else { return nil }
    let dash = UInt8(ascii: "-")
    guard bytes[8] == dash, bytes[13] == dash, bytes[18] == dash, bytes[23] == dash else {
      return nil
    }
    let text = UnsafeRawPointer(base)
    func eight(_ at: Int) -> UInt64 {
      UInt64(bigEndian: text.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }
    func four(_ at: Int) -> UInt64 {
      UInt64(UInt32(bigEndian: text.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    }
    guard let a = EightHexDigits.value(eight(0)),
      let b = EightHexDigits.value(four(9) << 32 | four(14)),
      let c = EightHexDigits.value(four(19) << 32 | four(24)),
      let d = EightHexDigits.value(eight(28))
    else { return nil }
    return (a << 32 | b, c << 32 | d)
  }

  /// The 36-character text form.
  public static func string(_ high: UInt64, _ low: UInt64) -> String {
    String(unsafeUninitializedCapacity: 36) { buffer in
      if let text = buffer.baseAddress { write(high, low, to: UnsafeMutableRawPointer(text)) }
      return 36
    }
  }

  /// Appends the 36 bytes of the text form.
  public static func append(_ high: UInt64, _ low: UInt64, to bytes: inout [UInt8]) {
    withText(high, low) { bytes.append(contentsOf: $0) }
  }

  /// Lends the 36 bytes of the text form.
  @inlinable static func withText<Value>(
    _ high: UInt64, _ low: UInt64, _ body: (UnsafeBufferPointer<UInt8>) -> Value
  ) -> Value {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { buffer in
      if let text = buffer.baseAddress { write(high, low, to: UnsafeMutableRawPointer(text)) }
      return body(UnsafeBufferPointer(buffer))
    }
  }

  /// Writes the 36 bytes of the text form.
  @usableFromInline static func write(
    _ high: UInt64, _ low: UInt64, to text: UnsafeMutableRawPointer
  ) {
    let b = EightHexDigits.text(high & 0xFFFF_FFFF)
    let c = EightHexDigits.text(low >> 32)
    let dash = UInt8(ascii: "-")
    text.storeBytes(of: EightHexDigits.text(high >> 32).bigEndian, as: UInt64.self)
    text.storeBytes(of: dash, toByteOffset: 8, as: UInt8.self)
    text.storeBytes(of: UInt32(b >> 32).bigEndian, toByteOffset: 9, as: UInt32.self)
    text.storeBytes(of: dash, toByteOffset: 13, as: UInt8.self)
    text.storeBytes(
      of: UInt32(truncatingIfNeeded: b).bigEndian, toByteOffset: 14, as: UInt32.self)
    text.storeBytes(of: dash, toByteOffset: 18, as: UInt8.self)
    text.storeBytes(of: UInt32(c >> 32).bigEndian, toByteOffset: 19, as: UInt32.self)
    text.storeBytes(of: dash, toByteOffset: 23, as: UInt8.self)
    text.storeBytes(
      of: UInt32(truncatingIfNeeded: c).bigEndian, toByteOffset: 24, as: UInt32.self)
    text.storeBytes(
      of: EightHexDigits.text(low & 0xFFFF_FFFF).bigEndian, toByteOffset: 28, as: UInt64.self)
  }
}

/// Eight hexadecimal digits in one word, the first in the most significant byte: 32 bits are spread
/// to a nibble per byte and back without a loop. Every event has four to five ids.
private enum EightHexDigits {
  private static let low: UInt64 = 0x0F0F_0F0F_0F0F_0F0F

  /// The lowercase text of 32 bits.
  @inline(__always) static func text(_ value: UInt64) -> UInt64 {
    var x = (value | value << 16) & 0x0000_FFFF_0000_FFFF
    x = (x | x << 8) & 0x00FF_00FF_00FF_00FF
    return digits((x | x << 4) & low)
  }

  /// The 32 bits that eight digits of either case spell, or nil when one isn't a digit.
  @inline(__always) static func value(_ text: UInt64) -> UInt64? {
    let lowercase = text | 0x2020_2020_2020_2020
    let isLetter = lowercase >> 6 & 0x0101_0101_0101_0101
    let nibbles = (lowercase & low) &+ isLetter &* 9
    // Only letters have a case: a digit without its bit 5 is a control character.
    let caseless = (isLetter ^ 0x0101_0101_0101_0101) << 5
    // Writing the nibbles again gives the same text exactly when all eight were digits.
    guard nibbles & ~low == 0, text & caseless == caseless, digits(nibbles) == lowercase
    else { return nil }
    var x = (nibbles | nibbles >> 4) & 0x00FF_00FF_00FF_00FF
    x = (x | x >> 8) & 0x0000_FFFF_0000_FFFF
    return (x | x >> 16) & 0xFFFF_FFFF
  }

  /// ASCII of a nibble per byte: 48 more, and 39 more again from ten on.
  @inline(__always) private static func digits(_ nibbles: UInt64) -> UInt64 {
    let isLetter = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return nibbles &+ 0x3030_3030_3030_3030 &+ isLetter &* 39
  }
}
