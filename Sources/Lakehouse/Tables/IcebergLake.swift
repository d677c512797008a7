import Moderation
import Ports

/// A ``Lake`` of Apache Iceberg tables, format version 2, over an object store and a catalog: other
/// engines read and write the same tables.
///
/// A commit writes its files first and then moves the catalog's pointer, so a crash anywhere leaves
/// the table as it was or as it should be, and files that nobody refers to. Rows are deleted by
/// position; a file whose rows are all deleted goes whole.
public final class IcebergLake: Lake {
  /// How often a commit is built anew because something else about the table changed.
  private static let attempts = 5

  let reader: TableReader
  private let catalog: any TableCatalog
  private let warehouse: String
  let time: any TimeSource

  /// A lake.
  ///
  /// - Parameters:
  ///   - warehouse: the URI of the object store's root, `file:///data/lake` for a folder.
  ///   - writing: how data files are written.
  public init(
    objects: any ObjectStore, catalog: any TableCatalog, warehouse: String, time: any TimeSource,
    writing: ParquetFile.WriteOptions = .init()
  ) {
    reader = TableReader(
      files: TableFiles(objects: objects, warehouse: warehouse, writing: writing),
      catalog: catalog)
    self.catalog = catalog
    self.warehouse = warehouse
    self.time = time
  }

  private init(_ reader: TableReader, warehouse: String, time: any TimeSource) {
    self.reader = reader
    catalog = reader.catalog
    self.warehouse = warehouse
    self.time = time
  }

  /// The same tables through other ports to the same files: through a gate, so that a commit's
  /// single steps can fail and take turns with others'. What was parsed once is shared.
  public func through(
    objects: (any ObjectStore) -> any ObjectStore, catalog: (any TableCatalog) -> any TableCatalog
  ) -> IcebergLake {
    IcebergLake(
      reader.through(objects(reader.files.objects), catalog(self.catalog)), warehouse: warehouse,
      time: time)
  }

  /// See ``Lake``, rule 1.
  public func createTable(_ table: TableName, schema: TableSchema) async throws(PortError) {
    if try await catalog.location(of: table) != nil {
      let existing = try await reader.load(table, "createTable")
      let columns = try Self.columns(existing.metadata.schema, of: table, "createTable")
      guard TableSchema(columns).takes(schema) else {
        throw error(.invalid, "createTable", "\(table) exists with another schema")
      }
      return
    }
    let metadata = try newTable(table, schema)
    try await catalog.createNamespace(table.namespace)
    let bytes = metadata.encoded()
    let file = Self.metadataFile(metadata, bytes, version: 0)
    try await reader.files.write(file, bytes)
    try await reader.files.objects.synchronize()
    do throws(PortError) {
      try await catalog.move(table, from: nil, to: file)
    } catch {
      // Another creator was first, or this call's own reply was lost: look at what is there.
      guard error.code == .conflict || error.code == .unknownOutcome,
        try await catalog.location(of: table) != nil
      else { throw error }
      try await createTable(table, schema: schema)
    }
  }

  /// See ``Lake``.
  public func tables() async throws(PortError) -> [TableName] { try await catalog.tables() }

  /// See ``Lake``, rule 5.
  public func snapshots(of table: TableName) async throws(PortError) -> [TableSnapshot] {
    try await reader.load(table, "snapshots").metadata.snapshots.map(TableSnapshot.init)
  }

  /// See ``Lake``, rules 2, 3 and 7.
  public func commit(
    _ change: TableChange, to table: TableName, expecting parent: SnapshotID?
  ) async throws(PortError) -> TableSnapshot {
    for _ in 0..<Self.attempts {
      let state = try await reader.load(table, "commit")
      if let done = state.metadata.snapshot(change.id) {
        guard done.parent == parent else {
          throw error(.invalid, "commit", "\(table) has a snapshot \(change.id)")
        }
        return TableSnapshot(done)
      }
      guard state.metadata.currentSnapshotID == parent else {
        let seen = state.metadata.currentSnapshotID.map { "\($0)" } ?? "none"
        throw error(.conflict, "commit", "\(table)'s snapshot is \(seen) by now")
      }
      let fitted = try fit(change, state)
      var commit = SnapshotCommit(reader, state, try await prepare(fitted, state))
      let metadata = try await commit.write()
      if try await publish(metadata, of: state),
        let snapshot = metadata.currentSnapshot
      {
        return TableSnapshot(snapshot)
      }
    }
    throw error(.conflict, "commit", "\(table) changed \(Self.attempts) times meanwhile")
  }

  /// See ``Lake``, rules 4 and 6.
  public func scan(
    _ table: TableName, _ selection: RowSelection
  ) async throws(PortError) -> RecordBatch {
    let state = try await reader.load(table, "scan")
    return try await scan(state, try view(selection.snapshot, of: state), selection)
  }

  /// A snapshot by id, or the current one.
  func snapshot(
    _ id: SnapshotID?, of state: TableState
  ) throws(PortError) -> IcebergSnapshot? {
    guard let id else { return state.metadata.currentSnapshot }
    guard let snapshot = state.metadata.snapshot(id) else {
      throw error(.notFound, "scan", "\(state.name) has no snapshot \(id)")
    }
    return snapshot
  }

  /// Writes metadata and moves the pointer to it; false when the pointer moved meanwhile. A move
  /// whose reply was lost is recognised by where the pointer is.
  func publish(
    _ metadata: TableMetadata, of state: TableState
  ) async throws(PortError) -> Bool {
    let bytes = metadata.encoded()
    let file = Self.metadataFile(metadata, bytes, version: Self.version(of: state.file) + 1)
    try await reader.files.write(file, bytes)
    try await reader.files.objects.synchronize()
    do throws(PortError) {
      try await catalog.move(state.name, from: state.file, to: file)
    } catch {
      guard error.isRetryable, try await catalog.location(of: state.name) == file else {
        if error.code == .conflict { return false }
        throw error
      }
    }
    reader.parsed.keep(metadata, file)
    if metadata.deletesForgottenFiles { await forget(state.metadata, metadata) }
    return true
  }

  /// Removes the metadata files that the log has no more.
  private func forget(_ before: TableMetadata, _ after: TableMetadata) async {
    let kept = Set(after.previousFiles.map(\.file))
    for file in before.previousFiles.map(\.file) where !kept.contains(file) {
      // The commit is done: a file that stays is an orphan, and harms nobody.
      try? await reader.files.objects.delete(try reader.files.key(of: file))
    }
  }

  private func newTable(_ table: TableName, _ schema: TableSchema) throws(PortError)
    -> TableMetadata
  {
    let columns = IcebergSchema(schema)
    let spec: PartitionSpec
    do throws(LakehouseError) {
      spec = try PartitionSpec(schema.partitions, of: columns)
    } catch {
      throw self.error(.invalid, "createTable", "\(table) can't be partitioned: \(error)")
    }
    return TableMetadata(
      uuid: StableHash.uuid("\(warehouse) \(table)".utf8),
      location: "\(warehouse)/\(table.namespace)/\(table.name)", schema: columns, spec: spec,
      createdAtMilliseconds: time.now.microseconds / 1000)
  }

  /// The change with its rows under the table's own columns.
  private func fit(
    _ change: TableChange, _ state: TableState
  ) throws(PortError) -> TableChange {
    // Also when nothing is appended: manifests are rewritten, with partitions of such types.
    let columns = try Self.columns(state.metadata.schema, of: state.name, "commit")
    var fitted = change
    do throws(ColumnMismatch) {
      fitted.append = try change.append?.fitted(to: TableSchema(columns))
    } catch {
      throw self.error(.invalid, "commit", "\(state.name): \(error)")
    }
    if let fault = fitted.append.flatMap(state.metadata.schema.misfit) {
      throw error(.invalid, "commit", "\(state.name): \(fault)")
    }
    return fitted
  }

  /// Writes a change's data and delete files.
  private func prepare(
    _ change: TableChange, _ state: TableState
  ) async throws(PortError) -> SnapshotChange {
    var summary = change.summary
    summary[Summary.committedAtKey] = "\(change.committedAt.microseconds)"
    var result = SnapshotChange(
      id: change.id, committedAtMilliseconds: change.committedAt.microseconds / 1000,
      operation: change.operation, summary: summary)
    var writer = FileWriter(state, reader.files, snapshot: change.id)
    var rows = 0
    switch change.removal {
    case .nothing: rows = try await rowCount(state.metadata)
    case .everything:
      let scan = try await TableScan(reader, state.metadata, state.metadata.currentSnapshot)
      let all = scan.live.data + scan.live.positionDeletes + scan.live.equalityDeletes
      result.removed = Set(all.map(\.file.path))
    case .rows(let filters):
      let scan = try await TableScan(reader, state.metadata, state.metadata.currentSnapshot)
      var deletion = RowDeletion(scan, filters)
      try await deletion.find()
      result.removed = deletion.removedFiles
      rows = try await scan.rowCount() - deletion.count
      for (place, positions) in deletion.positions {
        result.added.append(try await writer.deletePositions(positions, in: place))
      }
    }
    if let batch = change.append, batch.count > 0 {
      result.added += try await writer.append(batch)
      rows += batch.count
    }
    result.summary[Summary.rowCountKey] = "\(rows)"
    return result
  }

  /// The columns of a schema as rows are held in memory; a type that has no such form is `invalid`.
  static func columns(
    _ schema: IcebergSchema, of table: TableName, _ operation: String
  ) throws(PortError) -> [TableSchema.Field] {
    do throws(LakehouseError) {
      return try schema.tableSchema().fields
    } catch {
      throw PortError(.invalid, port: "Lake", operation: operation, hint: "\(table): \(error)")
    }
  }

  func error(_ code: PortError.Code, _ operation: String, _ hint: String) -> PortError {
    PortError(code, port: "Lake", operation: operation, hint: hint)
  }

  /// `…/metadata/00003-<uuid>.metadata.json`: the version is for people and for engines that look
  /// for the latest; the rest is made from the content, so that two writers never share a file.
  private static func metadataFile(
    _ metadata: TableMetadata, _ bytes: [UInt8], version: Int
  ) -> String {
    let digits = String(version)
    let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    let name = "\(padded)-\(StableHash.uuid(ofFile: bytes)).metadata.json"
    return "\(metadata.location)/metadata/\(name)"
  }

  /// The version in a metadata file's name; 0 when there is none.
  private static func version(of file: String) -> Int {
    let name = file.split(separator: "/").last ?? ""
    return Int(name.prefix { $0 != "-" }.drop { $0 == "v" }) ?? 0
  }
}

extension TableChange {
  /// What Iceberg calls the change.
  var operation: String {
    switch removal {
    case .nothing: "append"
    case .everything: "overwrite"
    case .rows: append == nil ? "delete" : "overwrite"
    }
  }
}

extension TableSnapshot {
  /// As the port shows it: without what the format adds to the summary.
  public init(_ snapshot: IcebergSnapshot) {
    self.init(
      id: snapshot.id, parent: snapshot.parent, committedAt: snapshot.committedAt,
      operation: snapshot.operation, summary: Summary.noted(snapshot.summary),
      rowCount: snapshot.rowCount ?? 0)
  }
}
