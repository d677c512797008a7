extension RunResult {
  /// What a golden of this run holds.
  public func golden(_ judgement: Judgement) -> Golden {
    Golden(
      name: scenario.name, tables: OutputTables(self).golden,
      summary: RunSummary(self, judgement, wallSeconds: 0).goldenText)
  }

  /// The run's CSV tables with ids as they are.
  public var csvTables: [CSVTable] { OutputTables(self).all }
}
