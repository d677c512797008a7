import Moderation
import Testing

@testable import InMemoryBackends

@Suite("IDTable")
struct IDTableTests {
  /// Ids that a generator in a hurry makes: counted up, of one half, alike but for a bit, nameless.
  private static func ids(_ kind: Int, _ count: Int) -> [ImageID] {
    (0..<UInt64(count)).map { number in
      switch kind {
      case 0: ImageID(high: 0, low: number)
      case 1: ImageID(high: number, low: 7)
      case 2: ImageID(high: number, low: number)
      case 3: ImageID(high: number << 40, low: 1 << 63)
      default: ImageID(randomBits: number &* 0x9e37_79b9_7f4a_7c15, ~number &* 0xbf58_476d)
      }
    }
  }

  @Test("It answers as a dictionary does, while it grows", arguments: 0..<5)
  func likeADictionary(kind: Int) {
    let ids = Self.ids(kind, kind == 2 ? 400 : 3000)
    var table = IDTable<Image, Int>(filler: -1)
    var dictionary: [ImageID: Int] = [:]
    for (number, id) in ids.enumerated() {
      #expect(table[id] == nil)
      #expect(table.insert(id, number) == nil)
      dictionary[id] = number
      let earlier = ids[number * 7 % (number + 1)]
      #expect(table[earlier] == dictionary[earlier])
      #expect(table.insert(earlier, -2) == dictionary[earlier], "an id keeps its first value")
    }
    #expect(ids.allSatisfy { table[$0] == dictionary[$0] })
    #expect(table[ImageID(high: 0xdead, low: 0xbeef)] == nil)
  }

  @Test("The id of an empty slot is an id like any other")
  func nameless() {
    let zero = ImageID(high: 0, low: 0)
    var table = IDTable<Image, Int>(filler: -1)
    #expect(table[zero] == nil)
    #expect(table.insert(ImageID(high: 0, low: 1), 1) == nil)
    #expect(table[zero] == nil)
    #expect(table.insert(zero, 5) == nil)
    #expect(table.insert(zero, 6) == 5)
    #expect(table[zero] == 5)
  }

  @Test("A copy doesn't change with its original")
  func copies() {
    var table = IDTable<Image, Void>(filler: ())
    let (first, second) = (ImageID(high: 1, low: 2), ImageID(high: 3, low: 4))
    _ = table.insert(first, ())
    let copy = table
    _ = table.insert(second, ())
    #expect(copy[first] != nil && copy[second] == nil)
    #expect(table[first] != nil && table[second] != nil)
  }

  @Test("Putting gives an id its newest value, and all values are there", arguments: 0..<5)
  func puts(kind: Int) {
    let ids = Self.ids(kind, 300)
    var table = IDTable<Image, Int>(filler: -1)
    #expect(table.values.isEmpty)
    for (number, id) in ids.enumerated() { table.put(id, number) }
    for (number, id) in ids.enumerated() where number % 3 == 0 { table.put(id, number + 1000) }
    let expected = ids.indices.map { $0 % 3 == 0 ? $0 + 1000 : $0 }
    #expect(ids.map { table[$0] } == expected)
    #expect(table.values.sorted() == expected.sorted())
  }

  @Test("Ids alone are found in copies, too: searches begin with a line", arguments: 0..<5)
  func idsAlone(kind: Int) {
    let ids = Self.ids(kind, kind == 2 ? 400 : 3000)
    var table = IDTable<Image, Void>(filler: ())
    var copies: [(table: IDTable<Image, Void>, count: Int)] = []
    for (number, id) in ids.enumerated() {
      #expect(table[id] == nil)
      #expect(table.insert(id, ()) == nil)
      #expect(table.insert(ids[number / 2], ()) != nil)
      if number % 500 == 499 { copies.append((table, number + 1)) }
    }
    for (table, count) in copies {
      #expect(ids.prefix(count).allSatisfy { table[$0] != nil })
      #expect(ids.dropFirst(count).allSatisfy { table[$0] == nil })
    }
  }

  @Test("A look finds no more than a search does, and changes nothing")
  func looks() {
    let ids = Self.ids(4, 100)
    var table = IDTable<Image, Int>(filler: 0)
    for (number, id) in ids.enumerated() { _ = table.insert(id, number) }
    for id in ids { _ = table.look(at: id) }
    #expect(ids.enumerated().allSatisfy { table[$1] == $0 })
  }
}
