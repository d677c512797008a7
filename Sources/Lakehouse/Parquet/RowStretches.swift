import Ports

/// Rows of a batch, in order: most often they are neighbours, and nothing needs to be copied to
/// write them.
struct RowStretches: Sendable {
  /// Where the stretches are; none is empty.
  let ranges: [Range<Int>]
  /// How many rows.
  let count: Int

  /// Stretches in their order.
  init(_ ranges: [Range<Int>]) {
    self.ranges = ranges.filter { !$0.isEmpty }
    count = ranges.reduce(0) { $0 + $1.count }
  }

  /// All rows of a batch.
  init(of batch: RecordBatch) { self.init([0..<batch.count]) }

  /// Whether no other row lies between them.
  var areNeighbours: Bool { ranges.count <= 1 }

  /// The first row; 0 when there is none.
  var first: Int { ranges.first?.lowerBound ?? 0 }

  /// The rows one by one.
  func joined() -> FlattenSequence<[Range<Int>]> { ranges.joined() }

  /// The values of these rows.
  func pick<Value>(_ values: [Value]) -> [Value] {
    if ranges.count == 1, count == values.count { return values }
    var picked: [Value] = []
    picked.reserveCapacity(count)
    for range in ranges { picked.append(contentsOf: values[range]) }
    return picked
  }

  /// Gives each row with the UTF-8 bytes of its text.
  ///
  /// No reference is counted on the way. Rows that share a text share its count, which takes
  /// several times as long to change as the text takes to copy, more so from several threads.
  func forEachText(_ values: [String], _ body: (Int, UnsafeBufferPointer<UInt8>) -> Void) {
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      // `withUTF8` mutates strings that aren't stored as UTF-8; outside of Objective-C all are.
      let texts = UnsafeMutablePointer(mutating: base)
      for range in ranges {
        precondition(range.lowerBound >= 0 && range.upperBound <= values.count)
        for row in range { texts[row].withUTF8 { body(row, $0) } }
      }
    }
  }
}
