import Moderation
import Ports
import Simulation
import Testing

@Suite("SeededIDs")
struct SeededIDsTests {
  private static func ids(_ seed: UInt64) -> SeededIDs {
    SeededIDs(streams: RandomStreams(seed: seed))
  }

  private static func images(_ source: SeededIDs, _ count: Int) -> [ImageID] {
    (0..<count).map { _ in source.make(label: "image") }
  }

  @Test("A seed makes the same ids, another seed others")
  func deterministic() {
    #expect(Self.images(Self.ids(1), 100) == Self.images(Self.ids(1), 100))
    #expect(Set(Self.images(Self.ids(1), 100)).isDisjoint(with: Self.images(Self.ids(2), 100)))
  }

  @Test("An id of one label shifts no other label's")
  func perLabel() {
    let expected = Self.images(Self.ids(1), 10)
    let source = Self.ids(1)
    var users: [UserID] = []
    let mixed = (0..<10).map { _ -> ImageID in
      users.append(source.make(label: "user"))
      return source.make(label: "image")
    }
    #expect(mixed == expected)
    #expect(users.map { $0.reinterpreted(as: Image.self) } != expected)
  }

  @Test("Ids are version-4 UUIDs, each another")
  func version4() {
    let ids = Self.images(Self.ids(3), 10_000)
    #expect(ids.allSatisfy { $0.high >> 12 & 0xF == 4 && $0.low >> 62 == 0b10 })
    #expect(Set(ids).count == ids.count)
  }
}
