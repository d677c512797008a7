import Testing

@testable import Moderation

@Suite("Murmur2")
struct Murmur2Tests {
  /// From Kafka's `UtilsTest.testMurmur2`.
  private static let vectors: [(String, Int32)] = [
    ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
    ("a-little-bit-longer-string", -1_486_304_829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
  ]

  @Test("The hash is that of Kafka's Java client", arguments: vectors)
  func hash(key: String, hash: Int32) {
    #expect(Int32(bitPattern: Murmur2.hash(Array(key.utf8))) == hash)
  }

  @Test("Bytes that aren't contiguous hash like those that are", arguments: vectors)
  func views(key: String, hash: Int32) {
    let reversed = Array(key.utf8.reversed())
    #expect(Int32(bitPattern: Murmur2.hash(reversed.reversed() as ReversedCollection)) == hash)
    let padded = [0, 0, 0] + Array(key.utf8) + [0]
    #expect(Int32(bitPattern: Murmur2.hash(padded[3..<(3 + key.utf8.count)])) == hash)
  }

  @Test("The partition is the hash without its sign bit, modulo the partitions", arguments: vectors)
  func partition(key: String, hash: Int32) {
    for count in [1, 2, 3, 6, 12, 1000] {
      let expected = Int(hash & Int32.max) % count
      #expect(Murmur2.partition(of: Array(key.utf8), count: count) == expected)
    }
  }

  @Test("Image ids spread over the partitions about evenly")
  func spread() {
    var random = SplitMix64(seed: 4)
    var counts = [Int](repeating: 0, count: 6)
    for _ in 0..<6000 {
      let id: ImageID = random.id()
      counts[Murmur2.partition(of: Array(id.description.utf8), count: 6)] += 1
    }
    #expect(counts.allSatisfy { (850...1150).contains($0) }, "\(counts)")
  }
}
