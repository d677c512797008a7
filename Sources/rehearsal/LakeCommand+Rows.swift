import ArgumentParser
import Lakehouse
import Moderation
import Ports

/// Which state of a table.
struct SnapshotChoice: ParsableArguments {
  @Option(help: "A snapshot's id, or the name of a branch or tag.")
  var snapshot: String?

  @Option(help: "The state at an instant, as 2026-01-05T10:00:00Z.")
  var asOf: String?

  func validate() throws {
    if snapshot != nil && asOf != nil {
      throw ValidationError("--snapshot and --as-of exclude each other.")
    }
    if let asOf, ISO8601.parse(asOf) == nil {
      throw ValidationError("--as-of '\(asOf)' is no instant; write 2026-01-05T10:00:00Z.")
    }
  }

  /// The snapshot's id; nil for the current one.
  func id(_ lake: IcebergLake, _ table: TableName) async throws(PortError) -> SnapshotID? {
    if let asOf, let instant = ISO8601.parse(asOf) {
      guard let id = try await lake.snapshot(of: table, asOf: instant) else {
        throw Self.missing("\(table) had no snapshot at \(asOf)")
      }
      return id
    }
    guard let snapshot else { return nil }
    return try await Self.id(named: snapshot, lake, table)
  }

  /// A snapshot by id or by name.
  static func id(
    named name: String, _ lake: IcebergLake, _ table: TableName
  ) async throws(PortError) -> SnapshotID {
    if let id = try await lake.snapshot(of: table, named: name) { return id }
    guard let id = SnapshotID(name) else {
      throw missing("\(table) has no branch or tag '\(name)'")
    }
    return id
  }

  private static func missing(_ hint: String) -> PortError {
    PortError(.notFound, port: "Lake", operation: "snapshot", hint: hint)
  }
}

/// `rehearsal lake scan`.
struct LakeScan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scan", abstract: "Prints the rows of a table.")

  @OptionGroup var place: LakePlace
  @Argument(help: "The table: namespace.name.")
  var table: TableName
  @OptionGroup var choice: SnapshotChoice
  @Option(help: "table, csv or json.")
  var format = CellFormat.table

  func run() throws {
    let (table, choice) = (table, choice)
    let rows = try place.with { (lake) async throws(PortError) in
      try await lake.scan(table, snapshot: try await choice.id(lake, table))
    }
    var cells = CellTable(rows.schema.fields.map(\.name))
    cells.append(rows)
    cells.print(format)
  }
}

/// `rehearsal lake diff`.
struct LakeDiff: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Shows the rows added, removed and changed between snapshots.")

  @OptionGroup var place: LakePlace
  @Argument(help: "The table: namespace.name.")
  var table: TableName
  @Option(help: "The older snapshot; the current one's parent unless said otherwise.")
  var from: String?
  @Option(help: "The newer snapshot; the current one unless said otherwise.")
  var to: String?
  @Option(help: "The columns that tell rows apart, separated by commas; all unless said otherwise.")
  var key: String?
  @Option(help: "table, csv or json.")
  var format = CellFormat.table

  func run() throws {
    let (table, from, to) = (table, from, to)
    let (before, after) = try place.with { (lake) async throws(PortError) in
      let snapshots = try await lake.snapshots(of: table)
      let current = try await lake.metadata(of: table).currentSnapshotID
      let newer: SnapshotID? =
        if let to { try await SnapshotChoice.id(named: to, lake, table) } else { current }
      let parent = snapshots.first { $0.id == newer }?.parent
      let older: SnapshotID? =
        if let from { try await SnapshotChoice.id(named: from, lake, table) } else { parent }
      guard let newer else {
        throw PortError(
          .notFound, port: "Lake", operation: "diff", hint: "\(table) has no snapshots")
      }
      let after = try await lake.scan(table, snapshot: newer)
      guard let older else { return (RecordBatch(schema: after.schema), after) }
      return (try await lake.scan(table, snapshot: older), after)
    }
    let names = after.schema.fields.map(\.name)
    let keys = key?.split(separator: ",").map(String.init) ?? names
    if let unknown = keys.first(where: { !names.contains($0) }) {
      throw CommandFailure(
        code: 2,
        message:
          "rehearsal: \(table) has no column '\(unknown)'; it has \(names.joined(separator: ", "))")
    }
    let diff = RowDiff(before, after, keys: keys)
    var cells = CellTable(["change"] + names)
    for row in diff.rows { cells.append([.text(row.change)] + row.cells) }
    cells.print(format)
    if format == .table {
      print("\(diff.added) added, \(diff.removed) removed, \(diff.changed) changed")
    }
  }
}

/// Two states of a table, row by row by key; rows of one key are matched in order.
private struct RowDiff {
  struct Row {
    var change: String
    var cells: [Cell]
  }

  private(set) var rows: [Row] = []
  private(set) var added = 0
  private(set) var removed = 0
  private(set) var changed = 0

  init(_ before: RecordBatch, _ after: RecordBatch, keys: [String]) {
    let names = after.schema.fields.map(\.name)
    let old = Self.rows(before, names)
    let new = Self.rows(after, names)
    let places = keys.compactMap { names.firstIndex(of: $0) }
    var left = Self.grouped(old, places)
    for row in new {
      let key = places.map { row[$0] }
      guard var same = left[key], !same.isEmpty else {
        added += 1
        rows.append(Row(change: "added", cells: row))
        continue
      }
      let match = same.removeFirst()
      left[key] = same
      guard match != row else { continue }
      changed += 1
      rows.append(Row(change: "before", cells: match))
      rows.append(Row(change: "after", cells: row))
    }
    // In the order of the older state, not of the dictionary.
    for row in old {
      let key = places.map { row[$0] }
      guard var gone = left[key], let first = gone.first, first == row else { continue }
      gone.removeFirst()
      left[key] = gone
      removed += 1
      rows.append(Row(change: "removed", cells: row))
    }
  }

  private static func grouped(_ rows: [[Cell]], _ places: [Int]) -> [[Cell]: [[Cell]]] {
    var groups: [[Cell]: [[Cell]]] = [:]
    for row in rows { groups[places.map { row[$0] }, default: []].append(row) }
    return groups
  }

  /// The rows in the columns of the newer state; a column that wasn't there is null.
  private static func rows(_ batch: RecordBatch, _ names: [String]) -> [[Cell]] {
    let columns = names.map { batch.schema.index(of: $0) }
    return (0..<batch.count).map { row in
      columns.map { column in column.map { Cell(batch, row: row, column: $0) } ?? .null }
    }
  }
}

/// `rehearsal lake expire`.
struct LakeExpire: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "expire",
    abstract: "Drops old snapshots and the files that only they reach: deletes become physical.")

  @OptionGroup var place: LakePlace
  @Argument(help: "The table: namespace.name.")
  var table: TableName
  @Option(help: "Snapshots before this instant may go, as 2026-01-05T10:00:00Z.")
  var olderThan: String
  @Option(help: "How many of the newest snapshots stay in any case.")
  var keep = 1

  func validate() throws {
    if ISO8601.parse(olderThan) == nil {
      throw ValidationError(
        "--older-than '\(olderThan)' is no instant; write 2026-01-05T10:00:00Z.")
    }
    if keep < 1 { throw ValidationError("--keep must be at least 1: the current one stays.") }
  }

  func run() throws {
    guard let instant = ISO8601.parse(olderThan) else { return }
    let (table, keep) = (table, keep)
    let report = try place.with { (lake) async throws(PortError) in
      try await lake.expire(table, olderThan: instant, keep: keep)
    }
    print(
      "\(table): \(report.expiredSnapshots.count) snapshots expired, "
        + "\(report.deletedFiles.count) files removed")
  }
}

/// `rehearsal lake compact`.
struct LakeCompact: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact",
    abstract: "Rewrites small files, and files with deleted rows, into fewer; the rows stay.")

  @OptionGroup var place: LakePlace
  @Argument(help: "The table: namespace.name.")
  var table: TableName

  func run() throws {
    let table = table
    let now = SystemTime().now.asEventTime
    let report = try place.with { (lake) async throws(PortError) in
      // Unique in the table: the clock's microseconds never stand still for two commands.
      try await lake.compact(table, id: now.microseconds, at: now)
    }
    print("\(table): \(report.rewrittenFiles) files rewritten into \(report.writtenFiles)")
  }
}
