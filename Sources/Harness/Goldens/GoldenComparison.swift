/// How a run's output differs from the golden.
public struct GoldenComparison: Hashable, Sendable {
  /// The golden's name.
  public let name: String
  /// Whether there is no golden folder at all; then nothing else is listed.
  public let isMissing: Bool
  /// The tables that differ: first those of the run in its order, then those it has no more.
  public let tables: [TableDifference]
  /// How `summary.txt` differs, or nil.
  public let summaryDifference: SummaryDifference?

  /// Whether there is a golden and nothing differs.
  public var matches: Bool { !isMissing && tables.isEmpty && summaryDifference == nil }

  /// How much differs in all.
  public var counts: DifferenceCounts {
    var counts = tables.reduce(into: DifferenceCounts()) { $0.add($1.counts) }
    counts.summaryLines = summaryDifference?.changes.count ?? 0
    if summaryDifference?.isFileMissing == true { counts.files += 1 }
    return counts
  }

  /// The first changed cells, table by table, rows in natural order of their keys.
  public func changedCells(limit: Int) -> [CellChange] {
    Array(tables.lazy.flatMap(\.changedCells).prefix(max(0, limit)))
  }
}

/// A value and the column that it is in.
public struct NamedValue: Hashable, Sendable {
  /// The column's name.
  public let column: String
  /// The text.
  public let value: String
}

/// One cell whose row is on both sides with different values.
public struct CellChange: Hashable, Sendable {
  /// The table's name.
  public let table: String
  /// The row's key.
  public let key: [NamedValue]
  /// The column's name.
  public let column: String
  /// The golden's value.
  public let expected: String
  /// The run's value.
  public let actual: String
}

/// How one table differs from its golden file.
public struct TableDifference: Hashable, Sendable {
  /// Which sides have the table.
  public enum Presence: Hashable, Sendable {
    /// The golden file and the run.
    case both
    /// The run writes the table, and no golden file has it.
    case runOnly
    /// The golden file is there, and the run doesn't write the table any more.
    case goldenOnly
  }

  /// One row on one side only.
  public struct Row: Hashable, Sendable {
    /// The row's key.
    public let key: [NamedValue]
    /// The other columns, in the table's order.
    public let values: [NamedValue]
  }

  /// A key that several rows of one side share: no difference by itself, but it explains some.
  public struct DuplicateKey: Hashable, Sendable {
    /// The key.
    public let key: [NamedValue]
    /// How many rows of the golden have it.
    public let expectedCount: Int
    /// How many rows of the run have it.
    public let actualCount: Int
  }

  /// The table's name.
  public let name: String
  /// Which sides have it; nothing below is filled in unless both do.
  public let presence: Presence
  /// How many rows the run's table has, or nil when the run has none.
  public let rowCount: Int?
  /// The columns that name a row.
  public private(set) var keyColumns: [String] = []
  /// The run's columns that the golden hasn't.
  public private(set) var columnsAdded: [String] = []
  /// The golden's columns that the run hasn't.
  public private(set) var columnsRemoved: [String] = []
  /// The columns of both that stand in another place among them.
  public private(set) var columnsMoved: [String] = []
  /// The key columns that the golden hasn't; unless empty, rows weren't compared.
  public private(set) var missingKeyColumns: [String] = []
  /// The run's rows that the golden hasn't, in natural order of their keys.
  public private(set) var rowsAdded: [Row] = []
  /// The golden's rows that the run hasn't, in natural order of their keys.
  public private(set) var rowsRemoved: [Row] = []
  /// The cells that differ in rows of both, in natural order of their keys.
  public private(set) var changedCells: [CellChange] = []
  /// The keys that aren't unique on either side.
  public private(set) var duplicateKeys: [DuplicateKey] = []

  /// How much differs.
  public var counts: DifferenceCounts {
    var counts = DifferenceCounts()
    counts.cells = changedCells.count
    counts.rows = rowsAdded.count + rowsRemoved.count
    counts.columns = columnsAdded.count + columnsRemoved.count + columnsMoved.count
    counts.files = presence == .both ? 0 : 1
    return counts
  }

  /// Whether nothing differs.
  var isEmpty: Bool { counts.total == 0 }
}

extension TableDifference {
  /// A table that one side doesn't have.
  init(name: String, presence: Presence, rowCount: Int?) {
    self.name = name
    self.presence = presence
    self.rowCount = rowCount
  }

  /// Compares the tables; the key is that of `actual`, or without one all columns of both.
  init(expected: CSVTable, actual: CSVTable, tolerances: [String: Double]) {
    self.init(name: actual.name, presence: .both, rowCount: actual.rows.count)
    let (old, new) = (Set(expected.columns), Set(actual.columns))
    let shared = actual.columns.filter(old.contains)
    let sharedInOldOrder = expected.columns.filter(new.contains)
    columnsAdded = actual.columns.filter { !old.contains($0) }
    columnsRemoved = expected.columns.filter { !new.contains($0) }
    columnsMoved = zip(shared, sharedInOldOrder).filter { $0 != $1 }.map(\.0)
    keyColumns = actual.keyColumns.isEmpty ? shared : actual.keyColumns
    missingKeyColumns = keyColumns.filter { !old.contains($0) }
    guard missingKeyColumns.isEmpty else { return }
    compareRows(
      Side(table: expected, keyColumns: keyColumns, shared: shared),
      Side(table: actual, keyColumns: keyColumns, shared: shared),
      tolerances: shared.map { keyColumns.contains($0) ? nil : tolerances[$0] })
  }

  private mutating func compareRows(_ expected: Side, _ actual: Side, tolerances: [Double?]) {
    let groups = RowOrder.groups(
      expected.order(by: expected.key, among: Array(expected.table.rows.indices)),
      actual.order(by: actual.key, among: Array(actual.table.rows.indices)))
    for (old, new) in groups {
      guard old.count > 1 || new.count > 1 else {
        compareGroup(Array(old), Array(new), expected, actual, tolerances)
        continue
      }
      let key = new.first.map(actual.keyValues) ?? old.first.map(expected.keyValues) ?? []
      duplicateKeys.append(
        DuplicateKey(key: key, expectedCount: old.count, actualCount: new.count))
      // Among rows with one key, those that are the same on both sides belong together.
      let alike = RowOrder.groups(
        expected.order(by: expected.shared, among: Array(old)),
        actual.order(by: actual.shared, among: Array(new)))
      compareGroup(
        alike.flatMap { $0.left.dropFirst($0.right.count) }.sorted(),
        alike.flatMap { $0.right.dropFirst($0.left.count) }.sorted(),
        expected, actual, tolerances)
    }
  }

  /// Compares rows with one key in the order given; those beyond the shorter side are on one only.
  private mutating func compareGroup(
    _ old: [Int], _ new: [Int], _ expected: Side, _ actual: Side, _ tolerances: [Double?]
  ) {
    for (left, right) in zip(old, new) {
      let places = tolerances.indices.filter { place in
        !Self.isEqual(
          expected.value(at: place, ofRow: left), actual.value(at: place, ofRow: right),
          tolerance: tolerances[place])
      }
      // Most rows are equal, and need no key.
      let key = places.isEmpty ? [] : actual.keyValues(ofRow: right)
      changedCells += places.map { place in
        CellChange(
          table: name, key: key, column: actual.table.columns[actual.shared[place]],
          expected: expected.value(at: place, ofRow: left),
          actual: actual.value(at: place, ofRow: right))
      }
    }
    rowsRemoved += old.dropFirst(new.count).map(expected.row)
    rowsAdded += new.dropFirst(old.count).map(actual.row)
  }

  /// Whether the texts are the same bytes, or numbers at most `tolerance` apart.
  static func isEqual(_ expected: String, _ actual: String, tolerance: Double?) -> Bool {
    // Not `==`, for which "é" in one code point and in two are the same.
    if expected.utf8.elementsEqual(actual.utf8) { return true }
    guard let tolerance, let old = Double(expected), let new = Double(actual) else { return false }
    if old.isNaN || new.isNaN { return old.isNaN && new.isNaN }
    return old == new || abs(old - new) <= tolerance
  }
}

/// One side of a comparison, and where the columns stand in it.
private struct Side {
  let table: CSVTable
  let key: [Int]
  let shared: [Int]
  let others: [Int]

  init(table: CSVTable, keyColumns: [String], shared: [String]) {
    self.table = table
    self.key = table.indices(of: keyColumns)
    self.shared = table.indices(of: shared)
    self.others = table.columns.indices.filter { [key] in !key.contains($0) }
  }

  func order(by columns: [Int], among rows: [Int]) -> RowOrder {
    RowOrder(of: table, by: columns, among: rows)
  }

  /// The value in the shared column that is the `place`th.
  func value(at place: Int, ofRow index: Int) -> String { table.rows[index][shared[place]] }

  func keyValues(ofRow index: Int) -> [NamedValue] { values(at: key, ofRow: index) }

  func row(_ index: Int) -> TableDifference.Row {
    TableDifference.Row(
      key: values(at: key, ofRow: index), values: values(at: others, ofRow: index))
  }

  private func values(at columns: [Int], ofRow index: Int) -> [NamedValue] {
    columns.map { NamedValue(column: table.columns[$0], value: table.rows[index][$0]) }
  }
}

/// How `summary.txt` differs from the golden's.
public struct SummaryDifference: Hashable, Sendable {
  /// One line on one side only.
  public struct Change: Hashable, Sendable {
    /// Whether the run has the line; otherwise the golden has.
    public let isAdded: Bool
    /// The line, without its end.
    public let text: String
  }

  /// Whether the golden folder has no `summary.txt`; then no changes are listed.
  public let isFileMissing: Bool
  /// The lines that were removed and added, in the order of the text.
  public let changes: [Change]
}

extension SummaryDifference {
  /// Beyond this a line diff, whose work is quadratic, gives way to all old and all new lines.
  private static let maximumLines = 1_000

  /// The line diff of two texts in UTF-8, a line end at the very end not counted.
  init(expected: [UInt8], actual: [UInt8]) {
    let (old, new) = (Self.lines(expected), Self.lines(actual))
    let isLong = max(old.count, new.count) > Self.maximumLines
    let difference = isLong ? nil : new.difference(from: old)
    let removed = Set(difference?.removals.map(\.offset) ?? Array(old.indices))
    let added = Set(difference?.insertions.map(\.offset) ?? Array(new.indices))
    var changes: [Change] = []
    var (o, n) = (0, 0)
    while o < old.count || n < new.count {
      if removed.contains(o) {
        changes.append(Change(isAdded: false, text: String(decoding: old[o], as: UTF8.self)))
        o += 1
      } else if added.contains(n) {
        changes.append(Change(isAdded: true, text: String(decoding: new[n], as: UTF8.self)))
        n += 1
      } else {
        (o, n) = (o + 1, n + 1)
      }
    }
    self.init(isFileMissing: false, changes: changes)
  }

  private static func lines(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
    text.isEmpty
      ? [] : text.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
  }
}

extension CollectionDifference.Change {
  fileprivate var offset: Int {
    switch self {
    case .insert(let offset, _, _), .remove(let offset, _, _): offset
    }
  }
}
