import ArgumentParser
import Foundation
import Lakehouse
import Pipeline
import Ports
import Synchronization

/// A table of a lake that anybody may have written, at one snapshot.
struct PinnedTable: ParsableArguments {
  @Option(help: "sqlite:FILE, a SQL catalog as PyIceberg has it.")
  var catalog: String

  @Option(help: "The catalog's name in that file.")
  var catalogName = LakeFolder.catalogName

  @Option(help: "The table, NAMESPACE.NAME.")
  var table = LakeTables.trainingData

  @Option(help: "The snapshot; the current one when not given.")
  var snapshot: SnapshotID?

  func validate() throws {
    guard catalog.hasPrefix("sqlite:"), catalog.count > "sqlite:".count else {
      throw ValidationError("--catalog is sqlite:FILE, not '\(catalog)'.")
    }
  }

  func open() throws -> IcebergLake {
    let file = String(catalog.dropFirst("sqlite:".count))
    guard FileManager.default.fileExists(atPath: file) else {
      throw CommandFailure(code: 2, message: "rehearsal: there is no catalog '\(file)'")
    }
    return try LakePlace.open(file, catalog: catalogName, isReadOnly: true)
  }

  func pinned(_ lake: IcebergLake) throws -> TableSnapshot {
    try Self.pinned(lake, table, snapshot)
  }

  /// A snapshot of a table; the current one when none is named.
  static func pinned(
    _ lake: IcebergLake, _ table: TableName, _ snapshot: SnapshotID?
  ) throws -> TableSnapshot {
    let snapshots = try Blocking.run { () async throws(PortError) in
      try await lake.snapshots(of: table)
    }
    let found = snapshot.map { id in snapshots.first { $0.id == id } } ?? snapshots.last
    if let found { return found }
    let missing = snapshot.map { "no snapshot \($0)" } ?? "no snapshot"
    throw CommandFailure(code: 2, message: "rehearsal: \(table) has \(missing)")
  }

  /// Reads snapshots of the lake one batch at a time, and says on a terminal how far it is.
  static func scan(_ lake: IcebergLake) -> TrainingRows.Scan {
    let progress = RowProgress()
    return { (pinned, columns, body) async throws(PortError) in
      try await lake.batches(pinned.table, snapshot: pinned.snapshot, columns: columns) {
        (batch) throws(PortError) in
        progress.note(batch.count)
        try body(batch)
      }
    }
  }
}

/// Says on a terminal how many rows were read.
private final class RowProgress: Sendable {
  private let rows = Atomic(0)
  private let state = ProgressState()
  private let start = Stopwatch.now

  func note(_ count: Int) {
    let total = rows.wrappingAdd(count, ordering: .relaxed).newValue
    let now = Stopwatch.now
    guard now - start > 2_000_000_000, state.isDue(now) else { return }
    Terminal.progressLine("\(total) rows read")
  }
}
