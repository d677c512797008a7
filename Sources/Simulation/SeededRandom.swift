/// SplitMix64 (Steele, Lea, Flood 2014): spreads a seed over a larger state.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator that starts at `seed`.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// xoshiro256** 1.0 (Blackman, Vigna 2018), seeded by SplitMix64: the one generator of a run.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var a, b, c, d: UInt64

  /// A generator whose whole sequence follows from `seed`.
  public init(seed: UInt64) {
    var spread = SplitMix64(seed: seed)
    a = spread.next()
    b = spread.next()
    c = spread.next()
    d = spread.next()
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    let result = rotate(b &* 5, by: 7) &* 9
    let t = b << 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotate(d, by: 45)
    return result
  }

  /// A number in [0, 1) with 53 random bits.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A whole number in `0..<bound` (multiply-shift; the bias is below 2⁻³² for small bounds).
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "below(\(bound)): the bound must be positive")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// True with this probability.
  public mutating func chance(_ probability: Double) -> Bool { unit() < probability }

  private func rotate(_ value: UInt64, by count: UInt64) -> UInt64 {
    value << count | value >> (64 - count)
  }
}

/// Independent streams by label: a new draw in one part of a run shifts no other part.
public struct RandomStreams: Sendable {
  /// The run's seed.
  public let seed: UInt64

  /// The streams of a seed.
  public init(seed: UInt64) { self.seed = seed }

  /// The stream of a label; the same label always starts the same sequence.
  public func stream(_ label: String) -> SeededRandom {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var mixed = SplitMix64(seed: hash ^ seed)
    return SeededRandom(seed: mixed.next() ^ seed)
  }
}
