import ArgumentParser
import Harness

/// `rehearsal skew`.
struct SkewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skew",
    abstract: "Shows how far the scorer's features are from those of the training set.",
    discussion: """
      Per feature and decision point: the pairs of a scored vector and a training row, how many
      differ, how many of those by late events only, smape (0…2) and percentiles of online less
      offline. Rows without a difference are left out, unless --all asks for them. Exit 1 when a
      bound is exceeded; a scenario says the same with `expect: [{ skew: any, metric: smape, … }]`.

      Examples:
        rehearsal run lab-semantics --out out/lab
        rehearsal skew out/lab
        rehearsal skew out/lab --feature views_5min --all --format csv
        rehearsal skew out/lab --max-mismatch-rate 0.01 --max-smape 0.05
      """)

  @Argument(help: "The folder of run --out.")
  var folder: String

  @Option(help: "Only this feature; category is one.")
  var feature: String?

  @Flag(help: "Rows without a difference, too.")
  var all = false

  @Option(help: "table, csv or json.")
  var format = CellFormat.table

  @Option(help: "The largest share of pairs that may differ, 0 to 1.")
  var maxMismatchRate: Double?

  @Option(help: "The largest smape, 0 to 2.")
  var maxSmape: Double?

  func validate() throws {
    guard maxMismatchRate.map({ 0...1 ~= $0 }) ?? true else {
      throw ValidationError("--max-mismatch-rate must be 0 to 1.")
    }
    guard maxSmape.map({ 0...2 ~= $0 }) ?? true else {
      throw ValidationError("--max-smape must be 0 to 2.")
    }
  }

  func run() throws {
    let table: CSVTable
    do {
      table = try SkewReport.table(in: folder)
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: \(error)")
    }
    let rows = try selected(table)
    let mismatches = column("mismatches", of: table)
    let shown = all ? rows : rows.filter { $0[mismatches] != "0" }
    if format == .table {
      print("\(shown.count) of \(rows.count) features and decision points differ")
      if !shown.isEmpty { print("") }
    }
    var cells = CellTable(table.columns)
    for row in shown { cells.append(row.enumerated().map { cell($1, isName: $0 == 0) }) }
    if format != .table || !shown.isEmpty { cells.print(format) }
    try judge(rows, table)
  }

  private func selected(_ table: CSVTable) throws -> [[String]] {
    guard let feature else { return table.rows }
    let name = column("feature", of: table)
    let rows = table.rows.filter { $0[name] == feature }
    guard rows.isEmpty else { return rows }
    let known = table.rows.map { $0[name] }.reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    throw CommandFailure(
      code: 2,
      message: "rehearsal: no feature '\(feature)' is compared; there are: "
        + known.joined(separator: ", "))
  }

  private func judge(_ rows: [[String]], _ table: CSVTable) throws {
    var faults: [String] = []
    for (name, limit) in [("mismatch_rate", maxMismatchRate), ("smape", maxSmape)] {
      guard let limit else { continue }
      let place = column(name, of: table)
      for row in rows {
        guard let value = Double(row[place]), value > limit else { continue }
        faults.append("\(row[0]) at \(row[1]) min: \(name) is \(value), more than \(limit)")
      }
    }
    guard faults.isEmpty else {
      throw CommandFailure(code: 1, message: "rehearsal: " + faults.joined(separator: "\n"))
    }
  }

  private func column(_ name: String, of table: CSVTable) -> Int {
    table.columns.firstIndex(of: name) ?? 0
  }

  private func cell(_ text: String, isName: Bool) -> Cell {
    if isName { return .text(text) }
    if text.isEmpty { return .null }
    if let whole = Int64(text) { return .integer(whole) }
    guard let number = Double(text) else { return .text(text) }
    // Four digits are enough to read; programs get all.
    return .number(format == .table ? (number * 10_000).rounded() / 10_000 : number)
  }
}
