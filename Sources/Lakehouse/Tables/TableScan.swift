import Ports

/// Reads the rows of a snapshot, file by file, without those that are deleted.
struct TableScan {
  /// Rows of a row group with where they stand.
  struct Piece {
    var entry: ManifestEntry
    /// The position in the file of the first row.
    var start: Int64
    /// The rows, deleted ones included.
    var batch: RecordBatch
    /// Which are there; nil when all are.
    var kept: [Bool]?
  }

  /// For how many rows room is made before one was seen.
  private static let reservedRows = 1 << 24

  let reader: TableReader
  let metadata: TableMetadata
  var live: LiveFiles
  let deletions: Deletions
  private let names: NameMapping?

  private let noted: Int?

  init(
    _ reader: TableReader, _ metadata: TableMetadata, _ snapshot: IcebergSnapshot?
  ) async throws(PortError) {
    self.reader = reader
    self.metadata = metadata
    do throws(LakehouseError) {
      names = try NameMapping(metadata)
    } catch {
      throw error.portError("scan")
    }
    guard let snapshot else {
      live = LiveFiles()
      deletions = Deletions()
      noted = 0
      return
    }
    live = try await reader.liveFiles(of: snapshot, metadata)
    deletions = try await Deletions(live, metadata, reader.files)
    noted = snapshot.rowCount
  }

  /// The rows: as the snapshot's summary has them; counted where it doesn't, or can't know them.
  func rowCount() async throws(PortError) -> Int {
    if let noted { return noted }
    var count = 0
    // Any column tells how many rows there are.
    let fields = Array(metadata.schema.fields.filter { $0.type.column != nil }.prefix(1))
    for entry in live.data {
      guard deletions.concern(entry) else {
        count += Int(entry.file.recordCount)
        continue
      }
      try await pieces(of: entry, fields) { piece throws(PortError) in
        count += piece.kept.map { $0.count { $0 } } ?? piece.batch.count
      }
    }
    return count
  }

  /// The most rows of a batch: as many as Arrow's scanner gives at a time, and so PyIceberg's
  /// `to_arrow_batch_reader`.
  static let batchRows = 131_072

  /// Gives each row group's columns, a batch at a time, and which rows of it are there.
  func pieces(
    of entry: ManifestEntry, _ fields: [IcebergField], rows: Int = Self.batchRows,
    _ body: (Piece) throws(PortError) -> Void
  ) async throws(PortError) {
    let read = fields + deletions.extraFields(for: entry, beside: fields)
    let parquet = try await reader.files.parquet(entry.file, names: names)
    var start: Int64 = 0
    for group in 0..<parquet.rowGroupCount {
      try parquet.batches(group, read, rows: rows) { batch throws(PortError) in
        let piece = Piece(
          entry: entry, start: start, batch: batch,
          kept: deletions.kept(batch, read, of: entry, from: start))
        try body(piece)
        start += Int64(batch.count)
      }
    }
  }

  /// Gives the rows of the snapshot in batches: memory is that of one batch and its file.
  func batches(
    _ schema: IcebergSchema, _ body: (RecordBatch) throws(PortError) -> Void
  ) async throws(PortError) {
    for entry in live.data { try await rows(of: entry, schema, body) }
  }

  /// The rows of the snapshot in one batch of columns, those of the schema.
  func rows(_ columns: TableSchema, _ schema: IcebergSchema) async throws(PortError) -> RecordBatch
  {
    guard live.mostRows < Parallel.leastRows || live.data.contains(where: deletions.concern) else {
      return try await columnByColumn(columns, schema)
    }
    var all = RecordBatch(schema: columns)
    all.reserveCapacity(capacity)
    for entry in live.data {
      guard !deletions.concern(entry) else {
        try await rows(of: entry, schema) { batch throws(PortError) in all.append(batch) }
        continue
      }
      let parquet = try await reader.files.parquet(entry.file, names: names)
      for group in 0..<parquet.rowGroupCount { try parquet.append(group, schema.fields, to: &all) }
    }
    return all
  }

  /// The rows of files in which none is deleted, columns side by side: each goes through all files
  /// by itself, so that nothing is put together afterwards.
  private func columnByColumn(
    _ columns: TableSchema, _ schema: IcebergSchema
  ) async throws(PortError) -> RecordBatch {
    var opened: [TableParquet] = []
    for entry in live.data {
      opened.append(try await reader.files.parquet(entry.file, names: names))
    }
    let (files, capacity) = (opened, capacity)
    let all = try Parallel.map(Array(schema.fields.indices)) { index throws(PortError) in
      var column = RecordBatch(schema: TableSchema([columns.fields[index]]))
      column.reserveCapacity(capacity)
      for file in files {
        for group in 0..<file.rowGroupCount {
          try file.append(group, [schema.fields[index]], to: &column)
        }
      }
      return column.columns[0]
    }
    return RecordBatch(schema: columns, columns: all)
  }

  /// The rows to make room for. Manifests of other writers may claim anything: there is a limit to
  /// what they are believed.
  private var capacity: Int { min(max(0, live.mostRows), Self.reservedRows) }

  /// Gives the rows of one file in batches.
  func rows(
    of entry: ManifestEntry, _ schema: IcebergSchema,
    _ body: (RecordBatch) throws(PortError) -> Void
  ) async throws(PortError) {
    try await pieces(of: entry, schema.fields) { piece throws(PortError) in
      var batch = piece.kept.map { piece.batch.filtered($0) } ?? piece.batch
      if batch.columns.count > schema.fields.count {
        batch = RecordBatch(
          schema: TableSchema(Array(batch.schema.fields.prefix(schema.fields.count))),
          columns: Array(batch.columns.prefix(schema.fields.count)))
      }
      if batch.count > 0 { try body(batch) }
    }
  }
}
