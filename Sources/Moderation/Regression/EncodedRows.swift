/// Encoded rows: the numeric values of every row, and for each categorical feature the one column
/// that is 1. All other columns are 0 and take no room.
public struct EncodedRows: Sendable {
  /// Rows.
  public let rowCount: Int
  /// Scaled numeric columns, the first ones.
  public let numericCount: Int
  /// Categorical features, each with at most one 1 per row.
  public let categoricalCount: Int
  /// Encoded columns altogether.
  public let columnCount: Int
  /// From ``numericStart`` on, ``numericCount`` values per row.
  let numeric: [Double]
  /// Where the first row starts: rows of 16 values then fill whole cache lines.
  let numericStart: Int
  /// ``categoricalCount`` columns per row; −1 for none.
  let hot: [Int16]

  /// One row with all its zeros: ``columnCount`` values.
  public func dense(row: Int) -> [Double] {
    precondition(0..<rowCount ~= row, "there is no row \(row) of \(rowCount)")
    let start = numericStart + row * numericCount
    var values = Array(numeric[start..<(start + numericCount)])
    values += Array(repeating: 0, count: columnCount - numericCount)
    for column in hot[(row * categoricalCount)..<((row + 1) * categoricalCount)] where column >= 0 {
      values[Int(column)] = 1
    }
    return values
  }

  /// Gives `body` the rows by pointer, for inner loops.
  @inline(__always)
  func withUnsafeRows<Result>(_ body: (Rows) -> Result) -> Result {
    numeric.withUnsafeBufferPointer { numeric in
      hot.withUnsafeBufferPointer { hot in
        body(
          Rows(
            count: rowCount, numericCount: numericCount, categoricalCount: categoricalCount,
            numeric: UnsafeBufferPointer(rebasing: numeric[numericStart...]), hot: hot))
      }
    }
  }

  /// Gives `body` some rows at a time, in the order of `indices`, copied side by side.
  ///
  /// Rows far apart are fetched from memory many at once, as nothing waits for one of them; visited
  /// one by one, each would be waited for.
  @inline(__always)
  func forEachBlock(of indices: [Int32], _ body: (Rows, ArraySlice<Int32>) -> Void) {
    let size = 64
    withUnsafeRows { rows in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: size * numericCount) { numeric in
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: size * categoricalCount) { hot in
          for start in stride(from: 0, to: indices.count, by: size) {
            let block = indices[start..<min(start + size, indices.count)]
            rows.copy(block, to: numeric, hot)
            body(
              Rows(
                count: block.count, numericCount: numericCount, categoricalCount: categoricalCount,
                numeric: UnsafeBufferPointer(numeric), hot: UnsafeBufferPointer(hot)),
              block)
          }
        }
      }
    }
  }

  /// Rows by pointer; valid inside ``withUnsafeRows(_:)``.
  struct Rows {
    let count: Int
    let numericCount: Int
    let categoricalCount: Int
    let numeric: UnsafeBufferPointer<Double>
    let hot: UnsafeBufferPointer<Int16>

    @inline(__always)
    subscript(index: Int) -> Row { Row(rows: self, index: index) }

    @inline(__always)
    func copy(
      _ indices: ArraySlice<Int32>, to numericCopy: UnsafeMutableBufferPointer<Double>,
      _ hotCopy: UnsafeMutableBufferPointer<Int16>
    ) {
      var row = 0
      for index in indices {
        let source = Int(index) &* numericCount
        let target = row &* numericCount
        for column in 0..<numericCount {
          numericCopy[target &+ column] = numeric[source &+ column]
        }
        let hotSource = Int(index) &* categoricalCount
        let hotTarget = row &* categoricalCount
        for feature in 0..<categoricalCount {
          hotCopy[hotTarget &+ feature] = hot[hotSource &+ feature]
        }
        row &+= 1
      }
    }
  }

  /// One row by pointer.
  struct Row {
    let rows: Rows
    let index: Int

    /// The dot product with `weights`, added up from the first column to the last.
    @inline(__always)
    func dot(_ weights: UnsafeMutableBufferPointer<Double>) -> Double {
      var sum = 0.0
      let first = index &* rows.numericCount
      for column in 0..<rows.numericCount {
        sum += weights[column] * rows.numeric[first &+ column]
      }
      let firstHot = index &* rows.categoricalCount
      for feature in 0..<rows.categoricalCount {
        let column = rows.hot[firstHot &+ feature]
        if column >= 0 { sum += weights[Int(column)] }
      }
      return sum
    }

    /// Adds this row times `factor` to `weights`.
    @inline(__always)
    func add(_ factor: Double, to weights: UnsafeMutableBufferPointer<Double>) {
      let first = index &* rows.numericCount
      for column in 0..<rows.numericCount {
        weights[column] += rows.numeric[first &+ column] * factor
      }
      let firstHot = index &* rows.categoricalCount
      for feature in 0..<rows.categoricalCount {
        let column = rows.hot[firstHot &+ feature]
        if column >= 0 { weights[Int(column)] += factor }
      }
    }
  }
}
