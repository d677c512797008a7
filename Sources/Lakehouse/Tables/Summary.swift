/// Which keys of a summary are Iceberg's own.
enum Summary {
  /// The sums over all files.
  static let totals = [
    "total-data-files", "total-delete-files", "total-records", "total-files-size",
    "total-position-deletes", "total-equality-deletes",
  ]

  /// Our key for a snapshot's rows: the format's own sums count deletes of files that are gone.
  static let rowCountKey = "rehearsal.row-count"

  /// Our key for the instant of a commit in microseconds; Iceberg's own has milliseconds.
  static let committedAtKey = "rehearsal.committed-at"

  /// What the format adds to a summary.
  private static let own: Set<String> = Set(
    totals + ["operation", "changed-partition-count", rowCountKey, committedAtKey]
      + ["added", "deleted"].flatMap { ["\($0)-data-files", "\($0)-records"] }
      + ["added", "removed"].flatMap { verb in
        ["files-size", "delete-files"].map { "\(verb)-\($0)" }
          + ["position", "equality"].flatMap { kind in
            ["\(verb)-\(kind)-delete-files", "\(verb)-\(kind)-deletes"]
          }
      })

  /// What the committer noted, without what the table's format adds.
  static func noted(_ summary: [String: String]) -> [String: String] {
    summary.filter { key, _ in !own.contains(key) }
  }

  /// A snapshot's rows: as noted, else by the format's own sums; nil where a writer left those out,
  /// and where there are equality deletes, as their sum says nothing about rows.
  static func rowCount(_ summary: [String: String]) -> Int? {
    func number(_ key: String) -> Int? { summary[key].flatMap { Int($0) } }
    if let noted = number(rowCountKey) { return noted }
    guard number("total-equality-deletes") ?? 0 == 0 else { return nil }
    return number("total-records").map { max(0, $0 - (number("total-position-deletes") ?? 0)) }
  }
}
