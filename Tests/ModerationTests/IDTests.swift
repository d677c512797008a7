import Testing

@testable import Moderation

@Suite("ID")
struct IDTests {
  private static let text = "01234567-89ab-4def-8123-456789abcdef"

  @Test("The text form is 8-4-4-4-12 lowercase digits of both halves")
  func format() {
    let id = ImageID(high: 0x0123_4567_89ab_4def, low: 0x8123_4567_89ab_cdef)
    #expect(id.description == Self.text)
    #expect(ImageID(high: 0, low: 0).description == "00000000-0000-0000-0000-000000000000")
    #expect(ImageID(high: .max, low: .max).description == "ffffffff-ffff-ffff-ffff-ffffffffffff")
    #expect(ImageID(high: 0, low: 1).description == "00000000-0000-0000-0000-000000000001")
  }

  @Test(
    "Parsing takes either case",
    arguments: [
      text, "01234567-89AB-4DEF-8123-456789ABCDEF", "01234567-89aB-4DeF-8123-456789AbcdEf",
    ])
  func parse(text: String) {
    #expect(ImageID(text) == ImageID(high: 0x0123_4567_89ab_4def, low: 0x8123_4567_89ab_cdef))
  }

  @Test(
    "Text that spells no UUID is refused",
    arguments: [
      "", "0", "0123456789ab4def8123456789abcdef", "{01234567-89ab-4def-8123-456789abcdef}",
      "01234567-89ab-4def-8123-456789abcde", "01234567-89ab-4def-8123-456789abcdef0",
      "01234567-89ab-4def-8123-456789abcdeg", "01234567-89ab-4def-8123-456789abcde ",
      "01234567_89ab_4def_8123_456789abcdef", "0123456-789ab-4def-8123-456789abcdef",
      "01234567-89ab-4def-8123--56789abcdef", "-1234567-89ab-4def-8123-456789abcdef",
      "+1234567-89ab-4def-8123-456789abcdef", "0x234567-89ab-4def-8123-456789abcdef",
      "01234567-89ab-4def-8123-456789abcdé", "０1234567-89ab-4def-8123-456789ab",
      "@1234567-89ab-4def-8123-456789abcdef", "`1234567-89ab-4def-8123-456789abcdef",
      ":1234567-89ab-4def-8123-456789abcdef", "/1234567-89ab-4def-8123-456789abcdef",
    ])
  func refused(text: String) { #expect(ImageID(text) == nil) }

  @Test("A byte is a digit when it is one of 22, at every place")
  func digits() {
    let text = Array(Self.text.utf8)
    let places = text.indices.filter { text[$0] != UInt8(ascii: "-") }
    let digits = Set("0123456789abcdefABCDEF".utf8)
    for byte in UInt8.min...UInt8.max {
      for place in places {
        var changed = text
        changed[place] = byte
        let id = changed.withUnsafeBufferPointer { ImageID(utf8: $0) }
        #expect((id != nil) == digits.contains(byte), "byte \(byte) at \(place)")
      }
    }
  }

  @Test("An id survives the round trip, order is text order, and random ids are version 4")
  func generated() {
    var random = SplitMix64(seed: 3)
    var previous: UserID = random.id()
    var wrong: [String] = []
    for _ in 0..<3000 {
      let id: UserID = random.id()
      let text = id.description
      let digits = Array(text)
      let isVersion4 = digits[14] == "4" && "89ab".contains(digits[19])
      let isOrdered = (id < previous) == (text < previous.description)
      if UserID(text) != id || !isVersion4 || !isOrdered { wrong.append(text) }
      previous = id
    }
    #expect(wrong.isEmpty, "first wrong ids: \(wrong.prefix(3))")
  }

  @Test(
    "Version 4 fixes six bits and leaves the other 122 as given",
    arguments: [
      (UInt64.min, UInt64.min, "00000000-0000-4000-8000-000000000000"),
      (UInt64.max, UInt64.max, "ffffffff-ffff-4fff-bfff-ffffffffffff"),
      (0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef, "01234567-89ab-4def-8123-456789abcdef"),
    ])
  func version4(high: UInt64, low: UInt64, text: String) {
    #expect(ImageID(randomBits: high, low).description == text)
  }

  @Test("The high half orders before the low half, without sign")
  func order() {
    let ascending = [
      ImageID(high: 0, low: 1), ImageID(high: 0, low: .max), ImageID(high: 1, low: 0),
      ImageID(high: 1 << 63, low: 0), ImageID(high: .max, low: 1),
    ]
    #expect(Array(ascending.reversed()).sorted() == ascending)
  }

  @Test("Ids are equal when both halves are, and equal ids hash alike")
  func equality() {
    let id = ImageID(high: 1, low: 2)
    #expect(id == ImageID(high: 1, low: 2))
    #expect(id != ImageID(high: 2, low: 1))
    #expect(id != ImageID(high: 1, low: 3))
    #expect(Set([id, ImageID(high: 1, low: 2), ImageID(high: 2, low: 1)]).count == 2)
  }

  @Test("The id of something else keeps its bits")
  func reinterpreted() {
    let image = ImageID(high: 7, low: 9)
    #expect(image.reinterpreted(as: PlatformEvent.self) == EventID(high: 7, low: 9))
  }
}
