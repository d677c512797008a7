import Glibc

/// A position in JSON as this platform writes it; each method consumes what it accepts, whole or
/// not at all. Whatever differs in a byte is left to a general decoder.
struct CanonicalScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { index == bytes.count }

  @inline(__always)
  mutating func take(_ literal: StaticString) -> Bool {
    let count = literal.utf8CodeUnitCount
    guard index + count <= bytes.count, let base = bytes.baseAddress,
      memcmp(base + index, literal.utf8Start, count) == 0
    else { return false }
    index += count
    return true
  }

  mutating func id<Entity>() -> ID<Entity>? {
    guard let text = quoted(36), let id = ID<Entity>(utf8: text) else { return nil }
    return id
  }

  mutating func time() -> EventTime? {
    guard let text = quoted(ISO8601.length) else { return nil }
    return ISO8601.parse(text)
  }

  /// A string without escapes.
  mutating func string() -> String? {
    guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return nil }
    var end = index + 1
    var union: UInt64 = 0
    let raw = UnsafeRawBufferPointer(bytes)
    while end + 8 <= bytes.count {
      let word = raw.loadUnaligned(fromByteOffset: end, as: UInt64.self).littleEndian
      let marks = EightBytes.marks(word)
      let count = marks.trailingZeroBitCount / 8
      union |= count == 8 ? word : word & ((1 << (8 * UInt64(count))) - 1)
      end += count
      if marks != 0 { break }
    }
    while end < bytes.count, bytes[end] >= 0x20, bytes[end] != UInt8(ascii: "\""),
      bytes[end] != UInt8(ascii: "\\")
    {
      union |= UInt64(bytes[end])
      end += 1
    }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return nil }
    let text = UnsafeBufferPointer(rebasing: bytes[(index + 1)..<end])
    index = end + 1
    // ASCII is valid as it stands; the check of the rest costs more than all else here.
    return union & 0x8080_8080_8080_8080 == 0
      ? String(decoding: text, as: UTF8.self) : String(validating: text, as: UTF8.self)
  }

  /// A string or null: the outer optional says whether there was either.
  mutating func optionalString() -> String?? {
    if take("null") { return .some(nil) }
    return string().map { .some($0) }
  }

  /// Digits of a number that JSON allows: at most 18, and no zero before others.
  mutating func wholeNumber() -> Int? {
    guard let (value, count) = digits(), count == 1 || bytes[index - count] != UInt8(ascii: "0")
    else { return nil }
    return value
  }

  /// One to 18 digits: what they say, and how many they are.
  mutating func digits() -> (value: Int, count: Int)? {
    let start = index
    var value = 0
    while index < bytes.count, index - start < 18, bytes[index] &- 48 < 10 {
      value = value * 10 + Int(bytes[index] &- 48)
      index += 1
    }
    return index > start ? (value, index - start) : nil
  }

  private mutating func quoted(_ count: Int) -> UnsafeBufferPointer<UInt8>? {
    let end = index + count + 1
    guard end < bytes.count, bytes[index] == UInt8(ascii: "\""),
      bytes[end] == UInt8(ascii: "\"")
    else { return nil }
    let text = UnsafeBufferPointer(rebasing: bytes[(index + 1)..<end])
    index = end + 1
    return text
  }
}
