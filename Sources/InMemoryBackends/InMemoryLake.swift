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
    /// What the current snapshot was committed as, where the columns have changed since.
    var committed: [SnapshotID: (schema: TableSchema, pieces: [RecordBatch])] = [:]
  }

  private let tableStates = Mutex<[TableName: Table]>([:])

  /// An empty lake.
  public init() {}

  /// See ``Lake``, rule 1.
  public func createTable(_ table: TableName, schema: TableSchema) async throws(PortError) {
    let isSame = tableStates.withLock { tables in
      if let existing = tables[table] { return existing.schema.takes(schema) }
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
      var fitted = change
      do throws(ColumnMismatch) {
        fitted.append = try change.append?.fitted(to: state.schema)
      } catch {
        return .failure(self.error(.invalid, "commit", "\(table): \(error)"))
      }
      let snapshot = Self.apply(fitted, to: &state, parent: current)
      tables[table] = state
      return .success(snapshot)
    }
    return try result.get()
  }

  /// See ``Lake``, rules 4 and 6.
  public func scan(
    _ table: TableName, _ selection: RowSelection
  ) async throws(PortError) -> RecordBatch {
    let snapshot = selection.snapshot
    let result = tableStates.withLock { tables -> Result<RecordBatch, PortError> in
      guard let state = tables[table] else {
        return .failure(error(.notFound, "scan", "there is no table \(table)"))
      }
      guard let id = snapshot ?? state.snapshots.last?.id else {
        return .success(RecordBatch(schema: state.schema))
      }
      guard var shown = state.pieces[id].map({ (schema: state.schema, pieces: $0) }) else {
        return .failure(error(.notFound, "scan", "\(table) has no snapshot \(id)"))
      }
      if snapshot != nil { shown = state.committed[id] ?? shown }
      var all = RecordBatch(schema: shown.schema)
      for piece in shown.pieces { all.append(piece) }
      return .success(all)
    }
    let rows = try result.get()
    do throws(ColumnMismatch) {
      return try rows.selected(selection)
    } catch {
      throw self.error(.invalid, "scan", "\(table): \(error)")
    }
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
      for id in report.expiredSnapshots {
        state.pieces[id] = nil
        state.committed[id] = nil
      }
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

  /// See ``Lake``, rule 12.
  public func evolve(_ table: TableName, _ change: SchemaChange) async throws(PortError) {
    let fault = tableStates.withLock { tables -> String? in
      guard var state = tables[table] else { return nil }
      // Snapshots before the current one are only ever shown under their own columns.
      for (id, pieces) in state.pieces where state.committed[id] == nil {
        state.committed[id] = (state.schema, pieces)
      }
      if let fault = state.schema.evolve(change) { return fault }
      if let current = state.snapshots.last?.id {
        state.pieces[current] = state.pieces[current]?.map { $0.under(state.schema) }
      }
      tables[table] = state
      return ""
    }
    guard let fault else { throw error(.notFound, "evolve", "there is no table \(table)") }
    if !fault.isEmpty { throw error(.invalid, "evolve", "\(table): \(fault)") }
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

extension TableSchema {
  /// Carries out a change; what is wrong with it, or nil.
  fileprivate mutating func evolve(_ change: SchemaChange) -> String? {
    let types: [String: ColumnType] = [
      "string": .string, "int": .int64, "long": .int64, "float": .double, "double": .double,
      "boolean": .boolean, "timestamptz": .timestamp,
    ]
    switch change {
    case .add(let name, let type):
      guard let type = types[type] else { return "there is no type \(type)" }
      guard index(of: name) == nil else { return "\(name) is a column already" }
      fields.append(Field(name, type, isRequired: false))
    case .rename(let name, let newName):
      guard let column = index(of: name) else { return "\(name) isn't a column" }
      guard index(of: newName) == nil else { return "\(newName) is a column already" }
      fields[column].name = newName
    case .widen(let name, let type):
      guard let column = index(of: name) else { return "\(name) isn't a column" }
      guard types[type] == fields[column].type else { return "\(name) can't become \(type)" }
    }
    return nil
  }
}

extension RecordBatch {
  /// The same columns by position under a schema that may have more at its end.
  fileprivate func under(_ schema: TableSchema) -> RecordBatch {
    let added = schema.fields.dropFirst(columns.count).map { Column(nulls: count, $0.type) }
    return RecordBatch(schema: schema, columns: columns + added)
  }
}
