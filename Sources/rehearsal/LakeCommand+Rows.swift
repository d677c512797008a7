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

  /// The chosen state.
  func view(_ lake: IcebergLake, _ table: TableName) async throws(PortError) -> TableView {
    if let asOf, let instant = ISO8601.parse(asOf) {
      guard let view = try await lake.view(of: table, asOf: instant) else {
        throw Self.missing("\(table) had no snapshot at \(asOf)")
      }
      return view
    }
    guard let snapshot else { return try await lake.view(of: table, snapshot: nil) }
    return try await Self.view(named: snapshot, lake, table)
  }

  /// A snapshot by id or by name.
  static func view(
    named name: String, _ lake: IcebergLake, _ table: TableName
  ) async throws(PortError) -> TableView {
    if let view = try await lake.view(of: table, named: name) { return view }
    guard let id = SnapshotID(name) else {
      throw missing("\(table) has no branch or tag '\(name)'")
    }
    return try await lake.view(of: table, snapshot: id)
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
    let rows = try place.read { (lake) async throws(PortError) in
      try await TypedRows(lake, table, try await choice.view(lake, table))
    }
    var cells = CellTable(rows.names)
    for row in 0..<rows.count { cells.append(rows.cells(row)) }
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
    let (before, after) = try place.read {
      (lake) async throws(PortError) -> (TypedRows?, TypedRows) in
      let newer: TableView =
        if let to {
          try await SnapshotChoice.view(named: to, lake, table)
        } else {
          try await lake.view(of: table, snapshot: nil)
        }
      guard let snapshot = newer.snapshot else {
        throw PortError(
          .notFound, port: "Lake", operation: "diff", hint: "\(table) has no snapshots")
      }
      let after = try await TypedRows(lake, table, newer)
      if let from {
        let older = try await SnapshotChoice.view(named: from, lake, table)
        return (try await TypedRows(lake, table, older), after)
      }
      guard let parent = snapshot.parent else { return (nil, after) }
      let older = try await lake.view(of: table, snapshot: parent)
      return (try await TypedRows(lake, table, older), after)
    }
    let names = after.names
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

  init(_ before: TypedRows?, _ after: TypedRows, keys: [String]) {
    // In the columns of the newer state; one that wasn't there is null.
    let columns = after.names.map { before?.names.firstIndex(of: $0) }
    let old = before.map { before in (0..<before.count).map { before.cells($0, columns) } } ?? []
    let new = (0..<after.count).map { after.cells($0) }
    let places = keys.compactMap { after.names.firstIndex(of: $0) }
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
    let report = try place.write { (lake) async throws(PortError) in
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
    let report = try place.write { (lake) async throws(PortError) in
      // Unique in the table: the clock's microseconds never stand still for two commands.
      try await lake.compact(table, id: now.microseconds, at: now)
    }
    print("\(table): \(report.rewrittenFiles) files rewritten into \(report.writtenFiles)")
  }
}
