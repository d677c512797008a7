/// Named columns of text, and rows that a key tells apart: what one CSV file holds.
public struct CSVTable: Hashable, Sendable {
  /// The file's name without `.csv`.
  public var name: String
  /// The columns' names, each different, in the file's order.
  public var columns: [String]
  /// The columns that name a row together; none when only the whole row does.
  public var keyColumns: [String]
  /// The rows, each with one value per column.
  public var rows: [[String]]

  /// A table with the values given.
  ///
  /// Traps when there is no column, two columns have one name, a key column isn't a column, or a
  /// row's width isn't the columns'.
  public init(name: String, columns: [String], keyColumns: [String], rows: [[String]]) {
    precondition(!columns.isEmpty, "\(name).csv: a table needs a column")
    precondition(
      Set(columns).count == columns.count, "\(name).csv: two columns have one name in \(columns)")
    precondition(
      Set(keyColumns).isSubset(of: columns),
      "\(name).csv: the key \(keyColumns) isn't among the columns \(columns)")
    for row in rows {
      precondition(
        row.count == columns.count,
        "\(name).csv: \(row.count) values for \(columns.count) columns in \(row)")
    }
    self.name = name
    self.columns = columns
    self.keyColumns = keyColumns
    self.rows = rows
  }

  /// The same table with its rows in natural order of their keys; rows with one key stay in the
  /// order they have.
  ///
  /// Natural order compares digits by their number and the rest by its bytes, so that `image-9`
  /// comes before `image-10`.
  public func sortedByKey() -> CSVTable {
    var sorted = self
    let key = indices(of: keyColumns.isEmpty ? columns : keyColumns)
    let order = RowOrder(of: self, by: key, among: Array(rows.indices))
    sorted.rows = order.indices.map { rows[$0] }
    return sorted
  }

  /// The same table without some columns; those of the key stay.
  func removing(_ names: Set<String>) -> CSVTable {
    let gone = names.subtracting(keyColumns)
    let kept = columns.indices.filter { !gone.contains(columns[$0]) }
    guard kept.count < columns.count else { return self }
    var table = self
    table.columns = kept.map { columns[$0] }
    table.rows = rows.map { row in kept.map { row[$0] } }
    return table
  }

  /// Where those of the columns stand that the table has.
  func indices(of names: [String]) -> [Int] {
    let places = Dictionary(uniqueKeysWithValues: zip(columns, columns.indices))
    return names.compactMap { places[$0] }
  }
}

/// Rows of a table in natural order of some columns.
struct RowOrder {
  /// Where the rows stand in the table.
  let indices: [Int]
  /// Each row's sort key: equal for equal values only, and ordered byte by byte as values are.
  let keys: [[UInt8]]

  /// The rows at `rows`, ordered by the values at `columns`, then as given.
  init(of table: CSVTable, by columns: [Int], among rows: [Int]) {
    let keys = rows.map { row in SortKey(columns.map { table.rows[row][$0] }).bytes }
    let order = keys.indices.sorted { left, right in
      if keys[left].lexicographicallyPrecedes(keys[right]) { return true }
      return left < right && keys[left] == keys[right]
    }
    self.indices = order.map { rows[$0] }
    self.keys = order.map { keys[$0] }
  }

  /// The rows of two orders side by side, one pair of groups per key, in the keys' order.
  static func groups(
    _ left: RowOrder, _ right: RowOrder
  ) -> [(left: ArraySlice<Int>, right: ArraySlice<Int>)] {
    var groups: [(left: ArraySlice<Int>, right: ArraySlice<Int>)] = []
    var (l, r) = (0, 0)
    while l < left.keys.count || r < right.keys.count {
      let key = least(left.keys.dropFirst(l).first, right.keys.dropFirst(r).first)
      let (leftEnd, rightEnd) = (left.end(of: key, from: l), right.end(of: key, from: r))
      groups.append((left.indices[l..<leftEnd], right.indices[r..<rightEnd]))
      (l, r) = (leftEnd, rightEnd)
    }
    return groups
  }

  private static func least(_ left: [UInt8]?, _ right: [UInt8]?) -> [UInt8] {
    guard let left else { return right ?? [] }
    guard let right else { return left }
    return right.lexicographicallyPrecedes(left) ? right : left
  }

  /// The end of the rows with that key; `start` when the row there has another.
  private func end(of key: [UInt8], from start: Int) -> Int {
    var end = start
    while end < keys.count, keys[end] == key { end += 1 }
    return end
  }
}

/// Bytes that sort as the values do in natural order, and differ when any value does.
private struct SortKey {
  private(set) var bytes: [UInt8] = []
  private var hasLeadingZeros = false

  init(_ values: [String]) {
    bytes.reserveCapacity(48)
    for value in values {
      append(value.utf8)
      // Ends the value below any byte of a longer one.
      bytes.append(0)
    }
    guard hasLeadingZeros else { return }
    // `image-07` is `image-7` by its number: their bytes decide, so that the order is total.
    for value in values { bytes.append(contentsOf: value.utf8) }
  }

  private mutating func append(_ text: String.UTF8View) {
    var index = text.startIndex
    while index < text.endIndex {
      let byte = text[index]
      if Self.isDigit(byte) {
        let end = text[index...].firstIndex { !Self.isDigit($0) } ?? text.endIndex
        append(digits: text[index..<end])
        index = end
        continue
      }
      // 0 ends a value, so that 0 and 1 in one are escaped, in their order.
      if byte < 2 { bytes.append(1) }
      bytes.append(byte < 2 ? byte + 1 : byte)
      index = text.index(after: index)
    }
  }

  /// A digit's place among other bytes, then the count of digits, then the digits.
  private mutating func append(digits: Substring.UTF8View) {
    let number = digits.dropLast().drop { $0 == UInt8(ascii: "0") }
    let significant = digits[number.startIndex...]
    var count = significant.count
    hasLeadingZeros = hasLeadingZeros || count < digits.count
    bytes.append(UInt8(ascii: "0"))
    while count >= 255 {
      bytes.append(255)
      count -= 255
    }
    bytes.append(UInt8(count))
    bytes.append(contentsOf: significant)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
