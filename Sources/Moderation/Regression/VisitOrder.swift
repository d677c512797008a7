/// The order in which scikit-learn's SGD visits the rows of a batch when `random_state` is 42.
enum VisitOrder {
  /// The shuffle's seed: the second draw of `numpy.random.RandomState(42)` after
  /// `randint(1, 2³¹ − 1)`. scikit-learn draws anew for each batch, so all batches have the same.
  static let seed: UInt32 = 1_273_642_419

  /// The rows `0..<count`, shuffled (Fisher and Yates; xorshift32 by Marsaglia, 13, 17, 5).
  static func rows(_ count: Int) -> [Int32] {
    Array(unsafeUninitializedCapacity: count) { order, initialized in
      initialized = count
      for row in 0..<count { order[row] = Int32(truncatingIfNeeded: row) }
      var state = seed
      for row in 0..<max(0, count - 1) {
        state ^= state << 13
        state ^= state >> 17
        state ^= state << 5
        let left = UInt32(truncatingIfNeeded: count &- row)
        let other = row &+ Int((state & 0x7FFF_FFFF) % left)
        order.swapAt(row, other)
      }
    }
  }
}
