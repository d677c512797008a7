/// How far a feature's online values are from its offline ones: online less offline, pair by pair.
public struct SkewDifferences: Hashable, Sendable {
  /// The differences that aren't 0; sorted once all are noted.
  private var nonzero: [Double] = []
  private var absoluteSum = 0.0
  private var relativeSum = 0.0
  private var pairs = 0

  init() {}

  mutating func note(online: Double, offline: Double) {
    let difference = online - offline
    nonzero.append(difference)
    absoluteSum += difference.magnitude
    relativeSum += 2 * difference.magnitude / (online.magnitude + offline.magnitude)
  }

  /// Ends the noting: of so many pairs the others are equal.
  mutating func complete(pairs: Int) {
    self.pairs = pairs
    nonzero.sort()
  }

  /// The mean of the absolute differences over all pairs.
  public var meanAbsolute: Double { pairs == 0 ? 0 : absoluteSum / Double(pairs) }

  /// The symmetric mean absolute percentage error over all pairs, 0…2: the mean of
  /// 2·|online − offline| / (|online| + |offline|), of equal values 0.
  public var smape: Double { pairs == 0 ? 0 : relativeSum / Double(pairs) }

  /// The largest absolute difference.
  public var largest: Double {
    max(nonzero.first?.magnitude ?? 0, nonzero.last?.magnitude ?? 0)
  }

  /// The difference that `percent` of the pairs don't exceed, by nearest rank; 0 without pairs.
  ///
  /// - Parameter percent: above 0, at most 100.
  public func percentile(_ percent: Double) -> Double {
    guard pairs > 0 else { return 0 }
    let rank = min(pairs - 1, max(0, Int((percent / 100 * Double(pairs)).rounded(.up)) - 1))
    let negative = nonzero.count { $0 < 0 }
    let zeros = pairs - nonzero.count
    if rank < negative { return nonzero[rank] }
    return rank < negative + zeros ? 0 : nonzero[rank - zeros]
  }
}
