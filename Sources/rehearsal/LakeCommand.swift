import ArgumentParser
import Foundation
import Lakehouse
import Moderation
import ObjectStorageBackend
import Ports
import SQLiteBackend

/// `rehearsal lake`.
struct LakeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lake",
    abstract: "Looks into a lake of Iceberg tables, and looks after it.",
    discussion: """
      A lake is the folder of a catalog.db: a run's `--out DIR` has one in DIR/lake, a run on
      `--backends sqlite:DIR` too. PyIceberg's SQL catalogs in SQLite files are read as well.

      Examples:
        rehearsal lake tables out/lake
        rehearsal lake snapshots out/lake moderation.training_data
        rehearsal lake scan out/lake raw.users --format csv
        rehearsal lake diff out/lake moderation.training_data --key image_id,decision_point_minutes
        rehearsal lake expire out/lake events.view --older-than 2026-01-05T10:00:00Z
      """,
    subcommands: [
      LakeTablesCommand.self, LakeSnapshots.self, LakeScan.self, LakeDiff.self, LakeExpire.self,
      LakeCompact.self, LakeTag.self, LakeBranch.self, LakeBench.self,
    ])
}

/// Where a lake lies.
struct LakePlace: ParsableArguments {
  @Argument(help: "The lake's folder, or its catalog.db.")
  var lake: String

  @Option(help: "The catalog's name, where a file holds several.")
  var catalog = LakeFolder.catalogName

  /// Opens it.
  func open(isReadOnly: Bool = false) throws -> IcebergLake {
    var isFolder: ObjCBool = false
    var file = lake
    if FileManager.default.fileExists(atPath: lake, isDirectory: &isFolder), isFolder.boolValue {
      let inside = ["\(lake)/catalog.db", "\(lake)/lake/catalog.db"]
      file = inside.first { FileManager.default.fileExists(atPath: $0) } ?? inside[0]
    }
    guard FileManager.default.fileExists(atPath: file) else {
      throw CommandFailure(
        code: 2,
        message: "rehearsal: there is no lake in '\(lake)': \(file) doesn't exist; "
          + "make one with: rehearsal run NAME --out DIR")
    }
    return try Self.open(file, catalog: catalog, isReadOnly: isReadOnly)
  }

  /// Opens the lake of a SQL catalog's file, which exists.
  static func open(_ file: String, catalog: String, isReadOnly: Bool) throws -> IcebergLake {
    do {
      let database = try SQLiteDatabase(path: file, isReadOnly: isReadOnly)
      let pointers = try SQLiteTableCatalog(database, catalog: catalog)
      // Locations in metadata are absolute, so the store is the whole file system.
      return IcebergLake(
        objects: try FolderObjectStore(path: "/", durability: .deferred), catalog: pointers,
        warehouse: "file://",
        time: SystemTime())
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: '\(file)' can't be opened: \(error)")
    }
  }

  /// Runs a body that changes the lake.
  func write<Value: Sendable>(
    _ body: @escaping @Sendable (IcebergLake) async throws(PortError) -> Value
  ) throws -> Value {
    let lake = try open(isReadOnly: false)
    return try Blocking.run { () async throws(PortError) in try await body(lake) }
  }

  /// Runs a body that changes nothing, not even the catalog's file.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (IcebergLake) async throws(PortError) -> Value
  ) throws -> Value {
    let lake = try open(isReadOnly: true)
    return try Blocking.run { () async throws(PortError) in try await body(lake) }
  }
}

/// The real clock, for commands that work on real files; nothing waits on it.
struct SystemTime: TimeSource {
  var now: ProcessingTime {
    ProcessingTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
  }

  func wait(until deadline: ProcessingTime?, for signal: Signal?, reason: String) async {}
}

extension TableName: ExpressibleByArgument {
  /// `namespace.name`.
  public init?(argument: String) { self.init(argument) }
}

/// `rehearsal lake tables`.
struct LakeTablesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tables", abstract: "Lists the tables with their rows, files and snapshots.",
    discussion: """
      A table that can't be read stands there with the reason in the column problem; the others are
      listed as usual.
      """)

  @OptionGroup var place: LakePlace
  @Option(help: "table, csv or json.")
  var format = CellFormat.table

  func run() throws {
    var cells = CellTable([
      "table", "rows", "data_files", "delete_files", "snapshots", "location", "problem",
    ])
    for row in try place.read({ (lake) async throws(PortError) in
      var rows: [[Cell]] = []
      for table in try await lake.tables() {
        let name = Cell.text(table.description)
        do throws(PortError) {
          rows.append([name] + (try await Self.cells(lake, table)) + [.null])
        } catch {
          rows.append([name, .null, .null, .null, .null, .null, .text(error.hint)])
        }
      }
      return rows
    }) { cells.append(row) }
    cells.print(format)
  }

  /// What is said of a table that can be read.
  private static func cells(
    _ lake: IcebergLake, _ table: TableName
  ) async throws(PortError) -> [Cell] {
    let metadata = try await lake.metadata(of: table)
    let summary = metadata.currentSnapshot?.summary ?? [:]
    return [
      .integer(Int64(try await lake.rowCount(of: table))),
      .integer(summary["total-data-files"].flatMap { Int64($0) } ?? 0),
      .integer(summary["total-delete-files"].flatMap { Int64($0) } ?? 0),
      .integer(Int64(metadata.snapshots.count)), .text(metadata.location),
    ]
  }
}

/// `rehearsal lake snapshots`.
struct LakeSnapshots: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshots", abstract: "Lists a table's snapshots, oldest first.")

  @OptionGroup var place: LakePlace
  @Argument(help: "The table: namespace.name.")
  var table: TableName
  @Option(help: "table, csv or json.")
  var format = CellFormat.table

  func run() throws {
    let table = table
    let snapshots = try place.read { (lake) async throws(PortError) in
      let metadata = try await lake.metadata(of: table)
      let names = Dictionary(grouping: metadata.references.sorted { $0.key < $1.key }) {
        $0.value.snapshot
      }
      return metadata.snapshots.map { snapshot in
        (TableSnapshot(snapshot), snapshot.rowCount, (names[snapshot.id] ?? []).map(\.key))
      }
    }
    var cells = CellTable([
      "snapshot", "parent", "committed_at", "operation", "rows", "names", "summary",
    ])
    for (snapshot, rows, names) in snapshots {
      let notes = snapshot.summary.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      cells.append([
        .integer(snapshot.id), snapshot.parent.map { .integer($0) } ?? .null,
        .text(snapshot.committedAt.description), .text(snapshot.operation),
        rows.map { .integer(Int64($0)) } ?? .null, .text(names.joined(separator: " ")),
        .text(notes.joined(separator: " ")),
      ])
    }
    cells.print(format)
  }
}
