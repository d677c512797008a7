import Moderation
import Ports

/// A state of a table, and the columns that its rows are shown in.
public struct TableView: Sendable {
  /// The snapshot; nil for a table without.
  public let snapshot: IcebergSnapshot?
  /// The columns.
  public let schema: IcebergSchema
}

extension IcebergLake {
  /// A snapshot under its own columns, or the current one (nil) under the table's.
  public func view(
    of table: TableName, snapshot: SnapshotID?
  ) async throws(PortError) -> TableView {
    try view(snapshot, of: try await reader.load(table, "snapshot"))
  }

  /// What was current at an instant, under the columns that it was written with; nil before the
  /// first snapshot.
  ///
  /// To the microsecond for commits of this program, which note it in the summary; to the
  /// millisecond for other engines', as the format has no more.
  public func view(
    of table: TableName, asOf instant: EventTime
  ) async throws(PortError) -> TableView? {
    let state = try await reader.load(table, "snapshot")
    guard let snapshot = state.metadata.snapshot(asOf: instant) else { return nil }
    return try view(snapshot.id, of: state)
  }

  /// What a branch holds, under the table's current columns, or a tag, under its snapshot's own;
  /// nil when there is none of that name.
  public func view(
    of table: TableName, named name: String
  ) async throws(PortError) -> TableView? {
    let state = try await reader.load(table, "snapshot")
    guard let reference = state.metadata.references[name] else { return nil }
    let view = try view(reference.snapshot, of: state)
    return reference.isBranch
      ? TableView(snapshot: view.snapshot, schema: state.metadata.schema) : view
  }

  /// The rows of a view.
  public func scan(_ table: TableName, _ view: TableView) async throws(PortError) -> RecordBatch {
    try await scan(try await reader.load(table, "scan"), view, RowSelection())
  }

  /// The selected rows of a view. Files whose bounds say that they have none aren't read.
  func scan(
    _ state: TableState, _ view: TableView, _ selection: RowSelection
  ) async throws(PortError) -> RecordBatch {
    var schema = view.schema
    schema.fields.removeAll { !selection.needs($0.name) }
    let columns = TableSchema(try Self.columns(schema, of: state.name, "scan"))
    var scan = try await TableScan(reader, state.metadata, view.snapshot)
    if let bounds = selection.bounds, let field = schema.field(named: bounds.column) {
      scan.live.data.removeAll { !ColumnBounds.mayHold($0.file, field, bounds.values) }
    }
    let rows = try await scan.rows(columns, schema)
    do throws(ColumnMismatch) {
      return try rows.selected(selection)
    } catch {
      throw self.error(.invalid, "scan", "\(state.name): \(error)")
    }
  }

  /// A table's metadata as it is now.
  public func metadata(of table: TableName) async throws(PortError) -> TableMetadata {
    try await reader.load(table, "metadata").metadata
  }

  /// The rows of a table's current state; counted in its files where nobody noted how many.
  public func rowCount(of table: TableName) async throws(PortError) -> Int {
    try await rowCount(try await metadata(of: table))
  }

  func rowCount(_ metadata: TableMetadata) async throws(PortError) -> Int {
    guard let snapshot = metadata.currentSnapshot else { return 0 }
    if let noted = snapshot.rowCount { return noted }
    return try await TableScan(reader, metadata, snapshot).rowCount()
  }

  /// Gives the rows of a snapshot (nil: the current one) in batches, of one row group each and of
  /// at most 131,072 rows: whatever the table's size, memory is that of one file and one batch.
  ///
  /// - Parameter columns: which of the table's columns; nil for all.
  public func batches(
    _ table: TableName, snapshot: SnapshotID?, columns: Set<String>? = nil,
    _ body: (RecordBatch) throws(PortError) -> Void
  ) async throws(PortError) {
    let state = try await reader.load(table, "scan")
    let view = try view(snapshot, of: state)
    var schema = view.schema
    if let columns { schema.fields.removeAll { !columns.contains($0.name) } }
    let scan = try await TableScan(reader, state.metadata, view.snapshot)
    try await scan.batches(schema, body)
  }

  func view(_ id: SnapshotID?, of state: TableState) throws(PortError) -> TableView {
    let snapshot = try snapshot(id, of: state)
    guard id != nil, let snapshot else {
      return TableView(snapshot: snapshot, schema: state.metadata.schema)
    }
    return TableView(snapshot: snapshot, schema: state.metadata.schema(of: snapshot))
  }
}
