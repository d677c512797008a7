import Ports

/// Which rows of a snapshot's files are deleted (spec, "Row-level Deletes").
struct Deletions: Sendable {
  /// Ids of the columns of position-delete files.
  static let pathFieldID = 2_147_483_546
  static let positionFieldID = 2_147_483_545

  /// A position-delete file, as far as it is about one data file.
  private struct Positions: Sendable {
    var source: ManifestEntry
    var positions: [Int64]

    /// Rows of its own commit and of those before, in its own partition.
    func concerns(_ entry: ManifestEntry) -> Bool {
      entry.sequence <= source.sequence
        && (source.file.referencedFile == entry.file.path || source.file.place == entry.file.place)
    }
  }

  /// An equality-delete file.
  private struct Equality: Sendable {
    var source: ManifestEntry
    /// Whether its spec has no dimension: then it is about every partition.
    var isGlobal: Bool
    var fields: [IcebergField]
    var rows: Set<[IcebergValue?]>

    /// Rows of commits before its own.
    func concerns(_ entry: ManifestEntry) -> Bool {
      entry.sequence < source.sequence && (isGlobal || source.file.place == entry.file.place)
    }
  }

  private var positions: [String: [Positions]] = [:]
  private var equalities: [Equality] = []

  /// No deletions.
  init() {}

  /// Reads the delete files of a snapshot.
  init(_ live: LiveFiles, _ metadata: TableMetadata, _ files: TableFiles) async throws(PortError) {
    for entry in live.positionDeletes {
      let parquet = try await files.parquet(entry.file)
      for group in 0..<parquet.rowGroupCount {
        try add(try parquet.read(group, [Self.pathFieldID, Self.positionFieldID]), entry)
      }
    }
    for entry in live.equalityDeletes {
      let fields = entry.file.equalityIDs.compactMap { metadata.schema.field($0) }
      guard fields.count == entry.file.equalityIDs.count, !fields.isEmpty else {
        throw LakehouseError(
          file: entry.file.path, field: "equality_ids", reason: "names a column that isn't there"
        ).portError("scan")
      }
      let parquet = try await files.parquet(entry.file)
      var rows: Set<[IcebergValue?]> = []
      for group in 0..<parquet.rowGroupCount {
        let batch = try parquet.batch(group, fields)
        for row in 0..<batch.count { rows.insert(Self.key(batch, row, batch.columns.indices)) }
      }
      equalities.append(
        Equality(
          source: entry, isGlobal: metadata.spec(entry.file.specID).isUnpartitioned,
          fields: fields, rows: rows))
    }
  }

  /// Whether a row of a file may be deleted.
  func concern(_ entry: ManifestEntry) -> Bool {
    positions[entry.file.path]?.contains { $0.concerns(entry) } ?? false
      || equalities.contains { $0.concerns(entry) }
  }

  /// The columns that must be read beside the wanted ones to know what is deleted of a file.
  func extraFields(for entry: ManifestEntry, beside fields: [IcebergField]) -> [IcebergField] {
    var known = Set(fields.map(\.id))
    return equalities.filter { $0.concerns(entry) }.flatMap(\.fields)
      .filter { known.insert($0.id).inserted }
  }

  /// Which rows of a batch are kept; nil when all are.
  ///
  /// - Parameters:
  ///   - fields: the batch's columns, with ``extraFields(for:beside:)`` among them.
  ///   - start: the position in its file of the batch's first row.
  func kept(
    _ batch: RecordBatch, _ fields: [IcebergField], of entry: ManifestEntry, from start: Int64
  ) -> [Bool]? {
    var keep: [Bool]?
    func drop(_ row: Int) {
      if keep == nil { keep = Array(repeating: true, count: batch.count) }
      keep?[row] = false
    }
    for deleted in positions[entry.file.path] ?? [] where deleted.concerns(entry) {
      for position in deleted.positions where position >= start {
        if position - start < batch.count { drop(Int(position - start)) }
      }
    }
    for equality in equalities where equality.concerns(entry) {
      // By id: a column may have had another name in the schema that is shown.
      let columns = equality.fields.compactMap { field in
        fields.firstIndex { $0.id == field.id }
      }
      for row in 0..<batch.count where equality.rows.contains(Self.key(batch, row, columns)) {
        drop(row)
      }
    }
    return keep
  }

  private mutating func add(
    _ columns: [Int: RecordBatch.Column], _ entry: ManifestEntry
  ) throws(PortError) {
    guard case .strings(let paths)? = columns[Self.pathFieldID]?.values,
      case .integers(let places)? = columns[Self.positionFieldID]?.values
    else {
      throw LakehouseError(file: entry.file.path, reason: "isn't a position-delete file")
        .portError("scan")
    }
    var byPath: [String: [Int64]] = [:]
    for (path, place) in zip(paths, places) { byPath[path, default: []].append(place) }
    for (path, places) in byPath {
      positions[path, default: []].append(Positions(source: entry, positions: places))
    }
  }

  private static func key(
    _ batch: RecordBatch, _ row: Int, _ columns: some Sequence<Int>
  ) -> [IcebergValue?] {
    columns.map { batch.value(row: row, column: $0) }
  }
}
