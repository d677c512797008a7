import Testing

@testable import Moderation

@Suite("CanonicalScanner")
struct CanonicalScannerTests {
  /// What `string()` should give: the text up to the quote, or nil when there is none or something
  /// unusual comes before it.
  private static func naive(_ bytes: [UInt8]) -> String? {
    guard bytes.first == UInt8(ascii: "\"") else { return nil }
    for (place, byte) in bytes.enumerated().dropFirst() {
      if byte == UInt8(ascii: "\"") { return String(validating: bytes[1..<place], as: UTF8.self) }
      if byte < 0x20 || byte == UInt8(ascii: "\\") { return nil }
    }
    return nil
  }

  private static func scanned(_ bytes: [UInt8]) -> (text: String?, rest: Bool) {
    bytes.withUnsafeBufferPointer { buffer in
      var scanner = CanonicalScanner(bytes: buffer)
      let text = scanner.string()
      return (text, scanner.take("!"))
    }
  }

  @Test("A string ends at its quote, whatever stands behind it and however long it is")
  func strings() {
    var random = SplitMix64(seed: 12)
    for length in 0..<40 {
      for rest in 0..<12 {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        bytes += (0..<length).map { _ in .random(in: 0x23...0x5B, using: &random) }
        bytes += Array("\"!".utf8)
        bytes += (0..<rest).map { _ in .random(in: 0...255, using: &random) }
        let (text, isBehind) = Self.scanned(bytes)
        #expect(text == Self.naive(bytes))
        #expect(isBehind, "\(length) and \(rest)")
      }
    }
  }

  @Test("Every byte at every place is taken as a naive reader takes it")
  func everyByte() {
    for length in [1, 3, 7, 8, 9, 15, 16, 17, 24] {
      for place in 0..<length {
        for byte in UInt8.min...UInt8.max {
          var bytes = Array("\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: length)
          bytes += Array("\"!".utf8)
          bytes[1 + place] = byte
          #expect(Self.scanned(bytes).text == Self.naive(bytes), "\(byte) at \(place) of \(length)")
        }
      }
    }
  }

  @Test("Text that isn't ASCII is kept when it is valid, and no string otherwise")
  func unicode() {
    for text in ["é", "soupe à l'oignon", "🍜🍜🍜🍜", "abcdefg\u{7FF}", "ab\u{FFFF}defgh"] {
      let bytes = Array("\"\(text)\"!".utf8)
      #expect(Self.scanned(bytes) == (text, true))
      #expect(Self.scanned(bytes.filter { $0 < 0xC0 || $0 > 0xF7 }).text == nil)
    }
  }

  @Test("A string without an end is none")
  func endless() {
    for length in 0..<20 {
      let bytes = Array("\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: length)
      #expect(Self.scanned(bytes).text == nil)
    }
  }
}
