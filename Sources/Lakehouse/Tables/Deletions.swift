import Ports

/// Which rows of a snapshot's files are deleted (spec, "Row-level Deletes").
struct Deletions: Sendable {
  /// Ids of the columns of position-delete files.
  static let pathFieldID = 2_147_483_546
  static let positionFieldID = 2_147_483_545

  private struct Positions: Sendable {
    var sequence: Int64
    var positions: [Int64]
  }

  private struct Equality: Sendable {
    var sequence: Int64
    var fields: [IcebergField]
    var rows: Set<[String?]>
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
      var rows: Set<[String?]> = []
      for group in 0..<parquet.rowGroupCount {
        let batch = try parquet.batch(group, fields)
        for row in 0..<batch.count { rows.insert(Self.key(batch, row)) }
      }
      equalities.append(Equality(sequence: entry.sequence, fields: fields, rows: rows))
    }
  }

  /// The columns that must be read beside the wanted ones to know what is deleted of a file.
  func extraFields(for entry: ManifestEntry) -> [IcebergField] {
    equalities.filter { $0.sequence > entry.sequence }.flatMap(\.fields)
  }

  /// Which rows of a batch are kept; nil when all are.
  ///
  /// - Parameters:
  ///   - start: the position in its file of the batch's first row.
  ///   - batch: holds at least ``extraFields(for:)``.
  func kept(_ batch: RecordBatch, of entry: ManifestEntry, from start: Int64) -> [Bool]? {
    var keep: [Bool]?
    for deleted in positions[entry.file.path] ?? [] where entry.sequence <= deleted.sequence {
      for position in deleted.positions where position >= start {
        let row = position - start
        guard row < batch.count else { continue }
        if keep == nil { keep = Array(repeating: true, count: batch.count) }
        keep?[Int(row)] = false
      }
    }
    for equality in equalities where entry.sequence < equality.sequence {
      let columns = equality.fields.compactMap { batch.schema.index(of: $0.name) }
      for row in 0..<batch.count
      where equality.rows.contains(columns.map { batch.text(row: row, column: $0) }) {
        if keep == nil { keep = Array(repeating: true, count: batch.count) }
        keep?[row] = false
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
      positions[path, default: []].append(
        Positions(sequence: entry.sequence, positions: places))
    }
  }

  private static func key(_ batch: RecordBatch, _ row: Int) -> [String?] {
    batch.columns.indices.map { batch.text(row: row, column: $0) }
  }
}
