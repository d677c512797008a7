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
      LakeCompact.self, LakeBench.self,
    ])
}

/// Where a lake lies.
struct LakePlace: ParsableArguments {
  @Argument(help: "The lake's folder, or its catalog.db.")
  var lake: String

  @Option(help: "The catalog's name, where a file holds several.")
  var catalog = LakeFolder.catalogName

  /// Opens it.
  func open() throws -> IcebergLake {
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
    do {
      let pointers = try SQLiteTableCatalog(try SQLiteDatabase(path: file), catalog: catalog)
      // Locations in metadata are absolute, so the store is the whole file system.
      return IcebergLake(
        objects: try FolderObjectStore(path: "/", durability: .deferred), catalog: pointers,
        warehouse: "file://",
        time: SystemTime())
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: '\(file)' can't be opened: \(error)")
    }
  }

  /// Runs a body on the lake.
  func with<Value: Sendable>(
    _ body: @escaping @Sendable (IcebergLake) async throws(PortError) -> Value
  ) throws -> Value {
    let lake = try open()
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
    commandName: "tables", abstract: "Lists the tables with their rows, files and snapshots.")

  @OptionGroup var place: LakePlace
  @Option(help: "table, csv or json.")
  var format = CellFormat.table

  func run() throws {
    var cells = CellTable(["table", "rows", "data_files", "delete_files", "snapshots", "location"])
    for row in try place.with({ (lake) async throws(PortError) in
      var rows: [[Cell]] = []
      for table in try await lake.tables() {
        let metadata = try await lake.metadata(of: table)
        let summary = metadata.currentSnapshot?.summary ?? [:]
        let current = try await lake.snapshots(of: table).last {
          $0.id == metadata.currentSnapshotID
        }
        rows.append([
          .text(table.description), .integer(Int64(current?.rowCount ?? 0)),
          .integer(summary["total-data-files"].flatMap { Int64($0) } ?? 0),
          .integer(summary["total-delete-files"].flatMap { Int64($0) } ?? 0),
          .integer(Int64(metadata.snapshots.count)), .text(metadata.location),
        ])
      }
      return rows
    }) { cells.append(row) }
    cells.print(format)
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
    let snapshots = try place.with { (lake) async throws(PortError) in
      try await lake.snapshots(of: table)
    }
    var cells = CellTable(["snapshot", "parent", "committed_at", "operation", "rows", "summary"])
    for snapshot in snapshots {
      let notes = snapshot.summary.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      cells.append([
        .integer(snapshot.id), snapshot.parent.map { .integer($0) } ?? .null,
        .text(snapshot.committedAt.description), .text(snapshot.operation),
        .integer(Int64(snapshot.rowCount)), .text(notes.joined(separator: " ")),
      ])
    }
    cells.print(format)
  }
}
