/// Moves and stretches every column to mean 0 and variance 1, as scikit-learn's `StandardScaler`.
public struct StandardScaler: Hashable, Sendable {
  /// The mean of each column.
  public let means: [Double]
  /// The standard deviation of each column (of the population, not the sample); 1 for a constant
  /// column.
  public let scales: [Double]

  /// A scaler of known numbers.
  ///
  /// - Throws: ``TrainingError`` when the counts differ, a number isn't finite or a scale isn't
  ///   positive.
  public init(means: [Double], scales: [Double]) throws(TrainingError) {
    guard means.count == scales.count else {
      throw TrainingError(
        place: "scales", reason: "there are \(scales.count), and \(means.count) means")
    }
    for (index, mean) in means.enumerated() where !mean.isFinite {
      throw TrainingError(place: "means[\(index)]", reason: "\(mean) is not a finite number")
    }
    for (index, scale) in scales.enumerated() where !(scale.isFinite && scale > 0) {
      throw TrainingError(
        place: "scales[\(index)]", reason: "\(scale) is not a finite positive number")
    }
    self.means = means
    self.scales = scales
  }

  /// The scaler that `StandardScaler().fit` of scikit-learn 1.9 gives for a column-major matrix,
  /// to the last bit: two passes with a correction, and NumPy's pairwise sums.
  ///
  /// - Throws: ``TrainingError`` when columns are empty or of different lengths, or when a mean or
  ///   a variance isn't finite.
  public init(fitting columns: [[Double]]) throws(TrainingError) {
    var means: [Double] = []
    var scales: [Double] = []
    for (index, column) in columns.enumerated() {
      guard !column.isEmpty, column.count == columns[0].count else {
        throw TrainingError(
          place: "columns[\(index)]",
          reason: "has \(column.count) rows, and the first column \(columns[0].count)")
      }
      let (mean, variance) = Self.moments(column)
      means.append(mean)
      scales.append(Self.scale(variance: variance, mean: mean, count: Double(column.count)))
    }
    try self.init(means: means, scales: scales)
  }

  private static func moments(_ column: [Double]) -> (mean: Double, variance: Double) {
    let count = Double(column.count)
    let mean = column.withUnsafeBufferPointer { PairwiseSum.of($0) } / count
    var deviations = column
    return deviations.withUnsafeMutableBufferPointer { values in
      for row in values.indices { values[row] -= mean }
      let correction = PairwiseSum.of(UnsafeBufferPointer(values))
      for row in values.indices { values[row] *= values[row] }
      let squares = PairwiseSum.of(UnsafeBufferPointer(values))
      return (mean, (squares - correction * correction / count) / count)
    }
  }

  /// The standard deviation, or 1 when rounding errors alone could have made the variance.
  fileprivate static func scale(variance: Double, mean: Double, count: Double) -> Double {
    let epsilon = Double.ulpOfOne
    let error = count * mean * epsilon
    return variance <= count * epsilon * variance + error * error ? 1 : variance.squareRoot()
  }
}

extension StandardScaler {
  /// Takes batch after batch in one pass and gives the scaler of all their rows.
  ///
  /// Sums of values and of squares are kept with about 106 bits. They are exact, so the result
  /// doesn't depend at all on order or on where rows are cut into batches, while all values are
  /// whole numbers and the sums of squares below 2¹⁰⁶. Otherwise each sum is off by at most some
  /// n · 2⁻¹⁰⁴ of the sum of its terms' sizes, which can show in the last bit of a mean or scale
  /// (in more bits of a scale that is under a 2⁻²⁰th of its mean). The result is the two-pass
  /// scaler's up to the two-pass scaler's own rounding. Squares must not overflow (|x| < 10¹⁵⁰).
  public struct Accumulator: Hashable, Sendable {
    private var columns: [Sums]
    /// Rows taken so far.
    public private(set) var rowCount = 0

    /// An accumulator for so many columns.
    public init(columnCount: Int) {
      columns = Array(repeating: Sums(), count: columnCount)
    }

    /// Takes a batch of columns.
    ///
    /// - Throws: ``TrainingError`` when the number of columns is another, or their lengths differ.
    public mutating func add(_ batch: [[Double]]) throws(TrainingError) {
      guard batch.count == columns.count else {
        throw TrainingError(
          place: "columns", reason: "there are \(batch.count) instead of \(columns.count)")
      }
      for (index, column) in batch.enumerated() where column.count != batch[0].count {
        throw TrainingError(
          place: "columns[\(index)]",
          reason: "has \(column.count) rows, and the first column \(batch[0].count)")
      }
      rowCount += batch.first?.count ?? 0
      for index in columns.indices {
        batch[index].withUnsafeBufferPointer { columns[index].add($0) }
      }
    }

    /// The scaler of all rows so far.
    ///
    /// - Throws: ``TrainingError`` when there was no row, or a mean or a variance isn't finite.
    public func scaler() throws(TrainingError) -> StandardScaler {
      guard rowCount > 0 || columns.isEmpty else {
        throw TrainingError(place: "columns", reason: "there was no row to fit to")
      }
      let count = Double(rowCount)
      var means: [Double] = []
      var scales: [Double] = []
      for column in columns {
        let (mean, variance) = column.moments(count: count)
        means.append(mean)
        scales.append(StandardScaler.scale(variance: variance, mean: mean, count: count))
      }
      return try StandardScaler(means: means, scales: scales)
    }
  }
}

/// A column's sums of values and of squares, each as four double-doubles side by side.
private struct Sums: Hashable, Sendable {
  private typealias Lanes = SIMD4<Double>

  private var valueHigh = Lanes.zero
  private var valueLow = Lanes.zero
  private var squareHigh = Lanes.zero
  private var squareLow = Lanes.zero

  mutating func add(_ values: UnsafeBufferPointer<Double>) {
    var sums = self
    let raw = UnsafeRawBufferPointer(values)
    let blocks = values.count / 4
    for block in 0..<blocks {
      sums.add(raw.loadUnaligned(fromByteOffset: block &* 32, as: Lanes.self))
    }
    for index in (blocks * 4)..<values.count { sums.add(Lanes(values[index], 0, 0, 0)) }
    self = sums
  }

  @inline(__always)
  private mutating func add(_ x: Lanes) {
    Self.add(x, Lanes.zero, &valueHigh, &valueLow)
    // Dekker's product: the processor may have no fused multiply-add to find the error with.
    let square = x * x
    let spread = x * 134_217_729
    let high = spread - (spread - x)
    let low = x - high
    let error = ((high * high - square) + 2 * high * low) + low * low
    Self.add(square, error, &squareHigh, &squareLow)
  }

  @inline(__always)
  private static func add(
    _ high: Lanes, _ low: Lanes, _ sumHigh: inout Lanes, _ sumLow: inout Lanes
  ) {
    let total = sumHigh + high
    let part = total - sumHigh
    let error = ((sumHigh - (total - part)) + (high - part)) + (sumLow + low)
    sumHigh = total + error
    sumLow = error - (sumHigh - total)
  }

  /// The mean and the population variance.
  func moments(count: Double) -> (mean: Double, variance: Double) {
    let values = Self.total(valueHigh, valueLow)
    let squares = Self.total(squareHigh, squareLow)
    let deviations = squares + -(values * values / count)
    return ((values / count).high, max(0, (deviations / count).high))
  }

  private static func total(_ high: Lanes, _ low: Lanes) -> DoubleDouble {
    (0..<4).reduce(DoubleDouble()) { $0 + DoubleDouble(high: high[$1], low: low[$1]) }
  }
}
