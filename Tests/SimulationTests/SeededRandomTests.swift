import Simulation
import Testing

@Suite("SeededRandom")
struct SeededRandomTests {
  @Test("SplitMix64 gives its published numbers")
  func splitMix() {
    var random = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<5).map { _ in random.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test("The reference implementation gives xoshiro256**'s published numbers")
  func reference() {
    var random = Xoshiro256(state: [1, 2, 3, 4])
    #expect(
      (0..<4).map { _ in random.next() } == [
        11520, 0, 1_509_978_240, 1_215_971_899_390_074_240,
      ])
  }

  @Test(
    "SeededRandom is xoshiro256** whose state is SplitMix64's first four numbers",
    arguments: [0, 1, 1_234_567, .max] as [UInt64])
  func xoshiro(seed: UInt64) {
    var spread = SplitMix64(seed: seed)
    var expected = Xoshiro256(state: (0..<4).map { _ in spread.next() })
    var random = SeededRandom(seed: seed)
    for _ in 0..<1000 { #expect(random.next() == expected.next()) }
  }

  @Test("`unit` is in 0..<1 and has 53 bits")
  func unit() {
    var random = SeededRandom(seed: 7)
    var copy = random
    var sum = 0.0
    for _ in 0..<10_000 {
      let value = random.unit()
      #expect((0..<1).contains(value))
      #expect(value * 0x1p53 == Double(copy.next() >> 11))
      sum += value
    }
    #expect(abs(sum / 10_000 - 0.5) < 0.01)
  }

  @Test("`below` is uniform by a chi-square test at 0.1 %", arguments: [2, 6, 10, 100])
  func below(bound: Int) throws {
    // The 99.9th percentiles for 1, 5, 9 and 99 degrees of freedom.
    let limits = [2: 10.83, 6: 20.52, 10: 27.88, 100: 148.23]
    var random = SeededRandom(seed: 11)
    var hits = Array(repeating: 0, count: bound)
    let draws = 1000 * bound
    for _ in 0..<draws { hits[random.below(bound)] += 1 }
    let chiSquare = hits.reduce(0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
    #expect(chiSquare < (try #require(limits[bound])))
  }

  @Test("`below(1)` is 0, and each draw takes one number")
  func belowOne() {
    var random = SeededRandom(seed: 3)
    var copy = random
    #expect((0..<10).allSatisfy { _ in random.below(1) == 0 })
    for _ in 0..<10 { _ = copy.next() }
    #expect(random.next() == copy.next())
  }

  @Test("`chance` hits as often as it says, never at 0 and always at 1")
  func chance() {
    var random = SeededRandom(seed: 5)
    for (probability, bounds) in [(0.0, 0...0), (0.25, 2350...2650), (1.0, 10_000...10_000)] {
      let hits = (0..<10_000).filter { _ in random.chance(probability) }.count
      #expect(bounds.contains(hits), "\(probability): \(hits)")
    }
  }

  @Test("A label always starts the same stream; another label or seed starts another")
  func streams() {
    let streams = RandomStreams(seed: 42)
    func first(_ streams: RandomStreams, _ label: String) -> [UInt64] {
      var stream = streams.stream(label)
      return (0..<8).map { _ in stream.next() }
    }
    #expect(first(streams, "traffic") == first(RandomStreams(seed: 42), "traffic"))
    let labels = ["traffic", "faults", "ids/image", "ids/user", "", "a", "b", "traffic "]
    let starts =
      labels.map { first(streams, $0)[0] }
      + labels.map {
        first(RandomStreams(seed: 43), $0)[0]
      }
    #expect(Set(starts).count == starts.count)
  }

  @Test("Streams of a seed agree in half of their bits, as independent ones do")
  func independence() {
    let streams = RandomStreams(seed: 0)
    for (first, second) in [("a", "b"), ("traffic", "faults"), ("x", "y"), ("", "0")] {
      var (a, b) = (streams.stream(first), streams.stream(second))
      let equal = (0..<1000).reduce(0) { sum, _ in sum + 64 - (a.next() ^ b.next()).nonzeroBitCount
      }
      // 64 000 coins: four standard deviations are 506.
      #expect(abs(equal - 32_000) < 506, "\(first) and \(second)")
    }
  }
}

/// xoshiro256** straight from the authors' C, to check the product's against.
private struct Xoshiro256 {
  var state: [UInt64]

  mutating func next() -> UInt64 {
    func rotl(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
    let result = rotl(state[1] &* 5, 7) &* 9
    let t = state[1] << 17
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= t
    state[3] = rotl(state[3], 45)
    return result
  }
}
