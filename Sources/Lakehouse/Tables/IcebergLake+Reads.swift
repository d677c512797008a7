import Moderation
import Ports

extension IcebergLake {
  /// The snapshot that was current at an instant; nil before the first.
  ///
  /// To the microsecond for commits of this program, which note it in the summary; to the
  /// millisecond for other engines', as the format has no more.
  public func snapshot(
    of table: TableName, asOf instant: EventTime
  ) async throws(PortError) -> SnapshotID? {
    let state = try await reader.load(table, "snapshot")
    return state.metadata.snapshot(asOf: instant)?.id
  }

  /// The snapshot that a branch or tag names; nil when there is none of that name.
  public func snapshot(
    of table: TableName, named name: String
  ) async throws(PortError) -> SnapshotID? {
    try await reader.load(table, "snapshot").metadata.references[name]?.snapshot
  }

  /// A table's metadata as it is now.
  public func metadata(of table: TableName) async throws(PortError) -> TableMetadata {
    try await reader.load(table, "metadata").metadata
  }

  /// The rows of a table's current state; counted in its files where nobody noted how many.
  public func rowCount(of table: TableName) async throws(PortError) -> Int {
    let metadata = try await metadata(of: table)
    guard let snapshot = metadata.currentSnapshot else { return 0 }
    if let noted = snapshot.rowCount { return noted }
    return try await TableScan(reader, metadata, snapshot).rowCount()
  }

  /// Gives the rows of a snapshot (nil: the current one) one row group at a time: whatever the
  /// table's size, memory is that of one file and one row group.
  public func batches(
    _ table: TableName, snapshot: SnapshotID?,
    _ body: (RecordBatch) throws(PortError) -> Void
  ) async throws(PortError) {
    let state = try await reader.load(table, "scan")
    let chosen = try self.snapshot(snapshot, of: state)
    let scan = try await TableScan(reader, state.metadata, chosen)
    try await scan.batches(Self.schema(chosen, isAsked: snapshot != nil, state), body)
  }

  /// The schema that rows are shown in: a snapshot's own when that snapshot is asked for, else the
  /// table's current one.
  static func schema(
    _ snapshot: IcebergSnapshot?, isAsked: Bool, _ state: TableState
  ) -> IcebergSchema {
    guard isAsked, let snapshot else { return state.metadata.schema }
    return state.metadata.schema(of: snapshot)
  }
}
