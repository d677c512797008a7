extension GoldenComparison {
  /// The comparison as one aligned block for a person: what differs, row by row, and the command
  /// that accepts it; without a line end at its end.
  ///
  /// Cells read `key  column:  golden's → run's`; lines with `-` are the golden's alone, lines
  /// with `+` the run's alone. Line breaks and the like inside values are written as escapes, and
  /// long values are cut.
  ///
  /// - Parameters:
  ///   - limit: how many cells, removed rows, added rows and summary lines to list per table.
  ///   - isColoured: whether to use ANSI colours, red for the golden's, green for the run's.
  public func render(limit: Int, isColoured: Bool) -> String {
    var page = Page(limit: max(0, limit), isColoured: isColoured)
    page.lines.append("\(name): \(verdict)")
    for table in tables { page.add(table) }
    if let summaryDifference { page.add(summaryDifference) }
    if !matches { page.lines += ["", "after review: rehearsal accept \(name)"] }
    return page.lines.joined(separator: "\n")
  }

  private var verdict: String {
    if isMissing { return "no golden yet" }
    let counts = counts
    guard counts.total > 0 else { return "matches the golden" }
    return "\(counts.phrase) \(counts.total == 1 ? "differs" : "differ")"
  }
}

/// How many things differ, by kind: what the headline says.
public struct DifferenceCounts: Hashable, Sendable {
  /// Cells of rows and columns on both sides.
  public var cells = 0
  /// Rows on one side only.
  public var rows = 0
  /// Columns on one side only, or in another place.
  public var columns = 0
  /// Files on one side only.
  public var files = 0
  /// Lines of the summary on one side only.
  public var summaryLines = 0

  /// All of them.
  public var total: Int { cells + rows + columns + files + summaryLines }

  mutating func add(_ other: DifferenceCounts) {
    cells += other.cells
    rows += other.rows
    columns += other.columns
    files += other.files
    summaryLines += other.summaryLines
  }

  /// `3 cells, 1 row`.
  fileprivate var phrase: String {
    [
      (cells, "cell"), (rows, "row"), (columns, "column"), (files, "file"),
      (summaryLines, "summary line"),
    ]
    .filter { $0.0 > 0 }
    .map { count, noun in "\(count) \(noun)\(count == 1 ? "" : "s")" }
    .joined(separator: ", ")
  }
}

/// The lines of a comparison's text.
private struct Page {
  private static let shownValues = 3
  private static let widestValue = 60
  /// How much of what two long values share is shown before they part.
  private static let sharedPrefix = 12

  let limit: Int
  let isColoured: Bool
  var lines: [String] = []

  mutating func add(_ table: TableDifference) {
    lines.append("")
    switch table.presence {
    case .runOnly:
      let rows = table.rowCount.map { "\($0) row\($0 == 1 ? "" : "s")" } ?? "the table"
      lines.append("\(table.name).csv: no golden file; the run writes \(rows)")
      return
    case .goldenOnly:
      lines.append("\(table.name).csv: the run doesn't write this table any more")
      return
    case .both: break
    }
    let key = table.keyColumns.map(Self.printable).joined(separator: ", ")
    lines.append("\(table.name).csv by \(key): \(table.counts.phrase)")
    addColumns(of: table)
    addCells(table.changedCells)
    addRows(table.rowsRemoved, sign: "-", colour: .red)
    addRows(table.rowsAdded, sign: "+", colour: .green)
    addDuplicates(table.duplicateKeys)
  }

  mutating func add(_ summary: SummaryDifference) {
    lines.append("")
    guard !summary.isFileMissing else {
      lines.append("summary.txt: no golden file")
      return
    }
    lines.append("summary.txt")
    for change in summary.changes.prefix(limit) {
      let line = "\(change.isAdded ? "+" : "-") \(Self.printable(change.text))"
      lines.append("  " + coloured(line, change.isAdded ? .green : .red))
    }
    addRest(of: summary.changes.count, "line")
  }

  private mutating func addColumns(of table: TableDifference) {
    for column in table.columnsRemoved {
      lines.append("  " + coloured("- column \(Self.printable(column))", .red))
    }
    for column in table.columnsAdded {
      lines.append("  " + coloured("+ column \(Self.printable(column))", .green))
    }
    if !table.columnsMoved.isEmpty {
      let columns = table.columnsMoved.map(Self.printable).joined(separator: ", ")
      lines.append("  columns in another place: \(columns)")
    }
    if !table.missingKeyColumns.isEmpty {
      let columns = table.missingKeyColumns.map(Self.printable).joined(separator: ", ")
      lines.append("  rows weren't compared: the golden has no key column \(columns)")
    }
  }

  private mutating func addCells(_ cells: [CellChange]) {
    let shown = cells.prefix(limit).map { cell in
      let (expected, actual) = Self.excerpts(cell.expected, cell.actual)
      return (Self.text(ofKey: cell.key), Self.printable(cell.column) + ":", expected, actual)
    }
    let keyWidth = Self.width(shown.map(\.0))
    let columnWidth = Self.width(shown.map(\.1))
    let expectedWidth = Self.width(shown.map(\.2))
    for (key, column, expected, actual) in shown {
      let place = "\(Self.pad(key, keyWidth))  \(Self.pad(column, columnWidth))"
      let before = coloured(Self.pad(expected, expectedWidth), .red)
      lines.append("  \(place)  \(before) → \(coloured(actual, .green))")
    }
    addRest(of: cells.count, "cell")
  }

  private mutating func addRows(_ rows: [TableDifference.Row], sign: String, colour: Colour) {
    let shown = rows.prefix(limit)
    let keys = shown.map { Self.text(ofKey: $0.key) }
    let width = Self.width(keys)
    for (row, key) in zip(shown, keys) {
      let values = row.values.prefix(Self.shownValues).map {
        "\(Self.printable($0.column))=\(Self.excerpt($0.value))"
      }
      let more = row.values.count > Self.shownValues ? ["…"] : []
      let line = values.isEmpty ? key : Self.pad(key, width) + "  "
      let text = "\(sign) \(line)\((values + more).joined(separator: " "))"
      lines.append("  " + coloured(text, colour))
    }
    addRest(of: rows.count, sign == "-" ? "removed row" : "added row")
  }

  private mutating func addDuplicates(_ duplicates: [TableDifference.DuplicateKey]) {
    for duplicate in duplicates.prefix(limit) {
      let counts = "\(duplicate.expectedCount) in the golden, \(duplicate.actualCount) in the run"
      lines.append("  rows with the key \(Self.text(ofKey: duplicate.key)): \(counts)")
    }
    addRest(of: duplicates.count, "key with several rows", "keys with several rows")
  }

  private mutating func addRest(of count: Int, _ noun: String, _ plural: String? = nil) {
    guard count > limit else { return }
    let rest = count - limit
    lines.append("  … and \(rest) more \(rest == 1 ? noun : plural ?? noun + "s")")
  }

  private enum Colour: String {
    case red = "\u{1B}[31m"
    case green = "\u{1B}[32m"
  }

  private func coloured(_ text: String, _ colour: Colour) -> String {
    isColoured ? "\(colour.rawValue)\(text)\u{1B}[0m" : text
  }

  private static func text(ofKey key: [NamedValue]) -> String {
    key.map { excerpt($0.value) }.joined(separator: ", ")
  }

  private static func width(_ texts: [String]) -> Int { texts.map(\.count).max() ?? 0 }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// Two values cut alike, so that where they part is shown.
  private static func excerpts(_ expected: String, _ actual: String) -> (String, String) {
    guard max(expected.count, actual.count) > widestValue else {
      return (excerpt(expected), excerpt(actual))
    }
    let shared = zip(expected, actual).prefix { $0 == $1 }.count
    let start = max(0, shared - sharedPrefix)
    return (excerpt(expected, from: start), excerpt(actual, from: start))
  }

  /// A value on one line, the empty one as two quotes.
  private static func excerpt(_ value: String, from start: Int = 0) -> String {
    if value.isEmpty { return "\"\"" }
    let rest = value.dropFirst(start)
    let text = printable(String(rest.prefix(widestValue)))
    return (start > 0 ? "…" : "") + text + (rest.count > widestValue ? "…" : "")
  }

  /// The text with control characters as escapes, so that it can't break or colour the block.
  private static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      return text
    }
    return text.unicodeScalars.reduce(into: "") { line, scalar in
      let isControl = scalar.properties.generalCategory == .control
      line += isControl ? scalar.escaped(asASCII: true) : String(scalar)
    }
  }
}
