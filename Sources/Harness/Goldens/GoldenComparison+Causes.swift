import Moderation

extension GoldenComparison {
  /// For each table that can be explained, why the first changed cell is what it is now; without
  /// one, the first row that the run alone has, or why one that the golden alone has isn't there.
  ///
  /// - Returns: lines for a person, a few for each table; none when nothing differs.
  public func causes(in run: RunResult) -> [String] { run.causes(of: tables) }
}

extension RunResult {
  /// See ``GoldenComparison/causes(in:)``.
  func causes(of tables: [TableDifference]) -> [String] {
    let explainable = tables.filter { ["scores", "windows", "training_data"].contains($0.name) }
    guard !explainable.isEmpty else { return [] }
    let tracer = CauseTracer(self)
    return explainable.flatMap { table -> [String] in
      let cell = table.changedCells.first
      let key = cell?.key ?? table.rowsAdded.first?.key ?? table.rowsRemoved.first?.key
      guard let key else { return [] }
      let values = key.map(\.value)
      let place = "cause of \(table.name) \(values.joined(separator: ", "))"
      let lines: [String]
      do throws(CauseError) {
        guard let question = try CauseQuestion(table.name, values) else { return [] }
        lines = try tracer.explain(question, about: cell?.column).shortLines(about: cell?.column)
      } catch {
        lines = [error.description]
      }
      return [place + (cell.map { ", \($0.column)" } ?? "") + ":"] + lines.map { "  \($0)" }
    }
  }
}

extension CauseQuestion {
  /// The question about a golden's row by its key; nil when its table can't be explained.
  init?(_ table: String, _ key: [String]) throws(CauseError) {
    switch (table, key.count) {
    case ("scores", 3): self = .score(key[0])
    case ("training_data", 2): self = try .row("\(key[0]),\(key[1])")
    case ("windows", 3): self = try .window(key.joined(separator: ","))
    default: return nil
    }
  }
}
