import Moderation
import Ports
import Synchronization

/// A ``Lake`` in memory: every snapshot keeps its rows, sharing what didn't change.
///
/// *Fidelity.* Modelled: snapshots with parents, compare-and-swap commits, deletion before append.
/// Not modelled: files, formats, partitions, expiry, partial failures inside a commit. That could
/// hide: everything about Iceberg's metadata.
public final class InMemoryLake: Lake {
  private struct Table {
    var schema: TableSchema
    var snapshots: [TableSnapshot] = []
    var pieces: [SnapshotID: [RecordBatch]] = [:]
  }

  private let tableStates = Mutex<[TableName: Table]>([:])

  /// An empty lake.
  public init() {}

  /// See ``Lake``, rule 1.
  public func createTable(_ table: TableName, schema: TableSchema) async throws(PortError) {
    let isSame = tableStates.withLock { tables in
      if let existing = tables[table] { return existing.schema.fields == schema.fields }
      tables[table] = Table(schema: schema)
      return true
    }
    guard isSame else {
      throw error(.invalid, "createTable", "\(table) exists with another schema")
    }
  }

  /// See ``Lake``.
  public func tables() async throws(PortError) -> [TableName] {
    tableStates.withLock { $0.keys.sorted() }
  }

  /// See ``Lake``, rule 5.
  public func snapshots(of table: TableName) async throws(PortError) -> [TableSnapshot] {
    guard let snapshots = tableStates.withLock({ $0[table]?.snapshots }) else {
      throw error(.notFound, "snapshots", "there is no table \(table)")
    }
    return snapshots
  }

  /// See ``Lake``, rules 2, 3 and 7.
  public func commit(
    _ change: TableChange, to table: TableName, expecting parent: SnapshotID?
  ) async throws(PortError) -> TableSnapshot {
    let result = tableStates.withLock { tables -> Result<TableSnapshot, PortError> in
      guard var state = tables[table] else {
        return .failure(error(.notFound, "commit", "there is no table \(table)"))
      }
      let current = state.snapshots.last
      if let done = state.snapshots.first(where: { $0.id == change.id }) {
        guard done.parent != parent else { return .success(done) }
        return .failure(error(.invalid, "commit", "\(table) has a snapshot \(change.id)"))
      }
      guard current?.id == parent else {
        let seen = current.map { "\($0.id)" } ?? "none"
        return .failure(error(.conflict, "commit", "\(table)'s snapshot is \(seen) by now"))
      }
      let fault = change.append.flatMap {
        $0.schema.fields == state.schema.fields ? $0.mismatch : "the batch has another schema"
      }
      if let fault {
        return .failure(error(.invalid, "commit", "\(table): \(fault)"))
      }
      let snapshot = Self.apply(change, to: &state, parent: current)
      tables[table] = state
      return .success(snapshot)
    }
    return try result.get()
  }

  /// See ``Lake``, rules 4 and 6.
  public func scan(
    _ table: TableName, snapshot: SnapshotID?
  ) async throws(PortError) -> RecordBatch {
    let result = tableStates.withLock { tables -> Result<RecordBatch, PortError> in
      guard let state = tables[table] else {
        return .failure(error(.notFound, "scan", "there is no table \(table)"))
      }
      var all = RecordBatch(schema: state.schema)
      guard let id = snapshot ?? state.snapshots.last?.id else { return .success(all) }
      guard let pieces = state.pieces[id] else {
        return .failure(error(.notFound, "scan", "\(table) has no snapshot \(id)"))
      }
      for piece in pieces { all.append(piece) }
      return .success(all)
    }
    return try result.get()
  }

  /// See ``Lake``, rule 9.
  public func expire(
    _ table: TableName, olderThan instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    let report = tableStates.withLock { tables -> MaintenanceReport? in
      guard var state = tables[table] else { return nil }
      var report = MaintenanceReport()
      let current = state.snapshots.last?.id
      report.expiredSnapshots = state.snapshots
        .filter { $0.id != current && $0.committedAt < instant }.map(\.id)
      for id in report.expiredSnapshots { state.pieces[id] = nil }
      state.snapshots.removeAll { report.expiredSnapshots.contains($0.id) }
      tables[table] = state
      return report
    }
    guard let report else { throw error(.notFound, "expire", "there is no table \(table)") }
    return report
  }

  /// See ``Lake``, rule 10.
  public func compact(
    _ table: TableName, id: SnapshotID, at instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    let report = tableStates.withLock { tables -> MaintenanceReport? in
      guard var state = tables[table] else { return nil }
      var report = MaintenanceReport()
      guard let current = state.snapshots.last, state.pieces[id] == nil,
        let pieces = state.pieces[current.id], pieces.count > 1
      else { return report }
      var joined = RecordBatch(schema: state.schema)
      for piece in pieces { joined.append(piece) }
      state.pieces[id] = [joined]
      state.snapshots.append(
        TableSnapshot(
          id: id, parent: current.id, committedAt: instant, operation: "replace",
          summary: current.summary,
          rowCount: joined.count))
      tables[table] = state
      report.rewrittenFiles = pieces.count
      report.writtenFiles = 1
      return report
    }
    guard let report else { throw error(.notFound, "compact", "there is no table \(table)") }
    return report
  }

  /// See ``Lake``, rule 11.
  public func remains(
    of text: String, in table: TableName
  ) async throws(PortError) -> [String: Int] {
    guard let pieces = tableStates.withLock({ $0[table]?.pieces }) else {
      throw error(.notFound, "remains", "there is no table \(table)")
    }
    var found: [String: Int] = [:]
    for (snapshot, batches) in pieces {
      let rows = batches.reduce(0) { $0 + $1.rows(holding: text) }
      if rows > 0 { found["snapshot \(snapshot)"] = rows }
    }
    return found
  }

  private static func apply(
    _ change: TableChange, to state: inout Table, parent: TableSnapshot?
  ) -> TableSnapshot {
    var pieces = parent.flatMap { state.pieces[$0.id] } ?? []
    var operation = "append"
    switch change.removal {
    case .nothing:
      break
    case .everything:
      pieces = []
      operation = "overwrite"
    case .rows(let filters):
      pieces = pieces.map { remove(filters, from: $0) }.filter { $0.count > 0 }
      operation = change.append == nil ? "delete" : "overwrite"
    }
    if let batch = change.append, batch.count > 0 { pieces.append(batch) }
    let snapshot = TableSnapshot(
      id: change.id, parent: parent?.id, committedAt: change.committedAt, operation: operation,
      summary: change.summary, rowCount: pieces.reduce(0) { $0 + $1.count })
    state.snapshots.append(snapshot)
    state.pieces[change.id] = pieces
    return snapshot
  }

  private static func remove(
    _ filters: [TableChange.RowFilter], from batch: RecordBatch
  ) -> RecordBatch {
    let keep = batch.rows(matching: filters).map { !$0 }
    return keep.contains(false) ? batch.filtered(keep) : batch
  }

  private func error(_ code: PortError.Code, _ operation: String, _ hint: String) -> PortError {
    PortError(code, port: "Lake", operation: operation, hint: hint)
  }
}
