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
  public init?(_ text: String) {
    var text = text
    guard let id = text.withUTF8({ Self(utf8: $0) }) else { return nil }
    self = id
  }

  /// The id that 36 bytes spell, or nil.
  public init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count == 36 else { return nil }
    var halves: (UInt64, UInt64) = (0, 0)
    var digits = 0
    for index in 0..<36 {
      let byte = bytes[index]
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      let value = hexValue(byte)
      guard value < 16 else { return nil }
      if digits < 16 {
        halves.0 = halves.0 << 4 | UInt64(value)
      } else {
        halves.1 = halves.1 << 4 | UInt64(value)
      }
      digits += 1
    }
    self.init(high: halves.0, low: halves.1)
  }

  /// Appends the 36 bytes of the text form.
  public func append(to bytes: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { buffer in
      Self.writeHex(high, shifts: 0..<8, to: buffer, at: 0)
      Self.writeHex(high, shifts: 8..<12, to: buffer, at: 9)
      Self.writeHex(high, shifts: 12..<16, to: buffer, at: 14)
      Self.writeHex(low, shifts: 0..<4, to: buffer, at: 19)
      Self.writeHex(low, shifts: 4..<16, to: buffer, at: 24)
      buffer[8] = UInt8(ascii: "-")
      buffer[13] = UInt8(ascii: "-")
      buffer[18] = UInt8(ascii: "-")
      buffer[23] = UInt8(ascii: "-")
      bytes.append(contentsOf: buffer)
    }
  }

  /// Writes the digits `shifts` of a word, counted from its most significant one.
  private static func writeHex(
    _ word: UInt64, shifts: Range<Int>, to buffer: UnsafeMutableBufferPointer<UInt8>,
    at start: Int
  ) {
    var position = start
    for digit in shifts {
      let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * digit) & 0xF)
      buffer[position] = value &+ (value < 10 ? 48 : 87)
      position += 1
    }
  }
}

extension ID: CustomStringConvertible {
  /// The 36-character text form.
  public var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(36)
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The value of a byte as a hexadecimal digit; 16 or more where it is none.
@inline(__always) private func hexValue(_ byte: UInt8) -> UInt8 {
  let digit = byte &- 48
  if digit < 10 { return digit }
  let letter = (byte | 0x20) &- 97
  return letter < 6 ? letter &+ 10 : 255
}
