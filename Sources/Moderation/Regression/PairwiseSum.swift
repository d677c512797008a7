/// NumPy's sum of contiguous doubles, to the last bit.
enum PairwiseSum {
  /// The sum: eight running sums in blocks of up to 128 values, blocks summed as a binary tree.
  ///
  /// The order of the additions is that of `DOUBLE_pairwise_sum` in NumPy's loops_utils.h.
  static func of(_ values: UnsafeBufferPointer<Double>) -> Double {
    guard let start = values.baseAddress else { return 0 }
    return sum(start, values.count)
  }

  private static func sum(_ values: UnsafePointer<Double>, _ count: Int) -> Double {
    if count < 8 {
      var total = 0.0
      for index in 0..<count { total += values[index] }
      return total
    }
    if count <= 128 { return block(values, count) }
    let half = count / 2 & ~7
    return sum(values, half) + sum(values + half, count - half)
  }

  private static func block(_ values: UnsafePointer<Double>, _ count: Int) -> Double {
    let raw = UnsafeRawPointer(values)
    let whole = count & ~7
    var lanes = raw.loadUnaligned(as: SIMD8<Double>.self)
    for start in stride(from: 8, to: whole, by: 8) {
      lanes += raw.loadUnaligned(fromByteOffset: start &* 8, as: SIMD8<Double>.self)
    }
    let pairs = lanes.evenHalf + lanes.oddHalf
    let fours = pairs.evenHalf + pairs.oddHalf
    var total = fours.x + fours.y
    for index in whole..<count { total += values[index] }
    return total
  }
}
