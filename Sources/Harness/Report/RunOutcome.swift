import Moderation

/// What a run came to, apart from when the services got to it: two runs of one scenario must agree
/// in this whatever the outages, instances, batch sizes and interleavings.
public struct RunOutcome: Hashable, Sendable {
  /// The CSV tables, sorted by key, without `scored_at`.
  public let tables: [CSVTable]

  /// The outcome of a run.
  public init(_ run: RunResult) {
    tables = OutputTables(run).all.map { table in
      table.removing(["scored_at"]).sortedByKey()
    }
  }

  /// The first row in which two outcomes differ, both sides shown; nil when they agree.
  public func firstDifference(_ other: RunOutcome) -> String? {
    for (table, otherTable) in zip(tables, other.tables) where table != otherTable {
      for index in 0..<max(table.rows.count, otherTable.rows.count) {
        let first = index < table.rows.count ? table.rows[index] : []
        let second = index < otherTable.rows.count ? otherTable.rows[index] : []
        guard first != second else { continue }
        return "  \(table.name) row \(index + 1)\n    first   \(first.joined(separator: ","))\n"
          + "    second  \(second.joined(separator: ","))"
      }
    }
    return nil
  }
}
