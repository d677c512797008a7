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
      let value = hexDigitValues[Int(byte)]
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
    func group(_ word: UInt64, from: Int, to: Int) {
      var shift = from
      while shift > to {
        shift -= 4
        bytes.append(hexDigits[Int(word >> UInt64(shift) & 0xF)])
      }
    }
    let dash = UInt8(ascii: "-")
    group(high, from: 64, to: 32)
    bytes.append(dash)
    group(high, from: 32, to: 16)
    bytes.append(dash)
    group(high, from: 16, to: 0)
    bytes.append(dash)
    group(low, from: 64, to: 48)
    bytes.append(dash)
    group(low, from: 48, to: 0)
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

private let hexDigits: [UInt8] = Array("0123456789abcdef".utf8)

/// The value of each byte as a hexadecimal digit; 255 where it is none.
private let hexDigitValues: [UInt8] = (0...255).map { byte in
  switch UInt8(byte) {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt8(byte) - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt8(byte) - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt8(byte) - UInt8(ascii: "A") + 10
  default: 255
  }
}
