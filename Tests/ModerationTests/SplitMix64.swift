@testable import Moderation

/// The tests' only source of chance: SplitMix64 (Steele, Lea, Flood 2014), the same on every run.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// True once in `denominator` draws.
  mutating func once(in denominator: Int) -> Bool {
    Int.random(in: 0..<denominator, using: &self) == 0
  }

  /// A version-4 id.
  mutating func id<Entity>() -> ID<Entity> { ID(randomBits: next(), next()) }

  /// `bytes` after one to three flips, deletions, insertions or copies of random bytes.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &self) where !bytes.isEmpty {
      let at = Int.random(in: 0..<bytes.count, using: &self)
      switch Int.random(in: 0..<5, using: &self) {
      case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &self)
      case 1: bytes[at] = UInt8.random(in: 0...255, using: &self)
      case 2: bytes.remove(at: at)
      case 3:
        // What means something in JSON hits more rules than a uniform byte does.
        let telling = Array("\"\\{}[]:,u0e-. \n".utf8)
        bytes.insert(telling[Int.random(in: 0..<telling.count, using: &self)], at: at)
      default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &self)], at: at)
      }
    }
    return bytes
  }
}

extension EventTime {
  /// An instant by its UTC parts, so that tables need no parsing.
  static func utc(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0,
    microsecond: Int64 = 0
  ) -> Self {
    let seconds = Int64(hour * 3600 + minute * 60 + second)
    return EventTime(
      date: CivilDate(year: year, month: month, day: day),
      microsecondsIntoDay: seconds * 1_000_000 + microsecond)
  }
}
