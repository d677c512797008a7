import Moderation

/// A value in MessagePack, the compact form that scripts in Redis read as one argument.
///
/// Only what they are sent: numbers are exact up to 2⁵³, since Lua's numbers are doubles.
struct MessagePack {
  /// The value so far.
  private(set) var bytes: [UInt8] = []

  /// Opens a list: the next so many values are its elements.
  mutating func list(_ count: Int) {
    bytes.append(0xDD)
    append(UInt32(count))
  }

  /// A whole number.
  mutating func integer(_ number: Int64) {
    if (0..<128).contains(number) {
      bytes.append(UInt8(number))
    } else {
      bytes.append(0xD3)
      append(UInt64(bitPattern: number))
    }
  }

  /// A whole number, or false for none.
  mutating func integer(_ number: Int64?) {
    if let number { integer(number) } else { boolean(false) }
  }

  /// True or false.
  mutating func boolean(_ value: Bool) { bytes.append(value ? 0xC3 : 0xC2) }

  /// A text.
  mutating func text(_ text: String) {
    bytes.append(0xDB)
    append(UInt32(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// A text, or false for none.
  mutating func text(_ optional: String?) {
    if let optional { text(optional) } else { boolean(false) }
  }

  /// An id, as its text.
  mutating func id<Entity>(_ id: ID<Entity>) {
    bytes.append(contentsOf: [0xD9, 36])
    id.append(to: &bytes)
  }

  private mutating func append(_ word: some FixedWidthInteger) {
    withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
