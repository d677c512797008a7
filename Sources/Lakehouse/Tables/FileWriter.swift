import Ports

/// Writes the data and delete files of one commit; names follow from the snapshot's id and the
/// state that it changes, so that the same commit writes the same files, and another one others.
struct FileWriter {
  private let table: TableState
  private let files: TableFiles
  private let prefix: String
  private var written = 0

  init(_ table: TableState, _ files: TableFiles, snapshot: Int64) {
    self.table = table
    self.files = files
    prefix = "\(snapshot)-\(table.tag(snapshot))"
  }

  /// Writes rows, one file per partition; many rows are encoded side by side.
  mutating func append(_ batch: RecordBatch) async throws(PortError) -> [DataFile] {
    let partitions = try partitions(of: batch)
    let stretches = partitions.stretches
    let spec = table.metadata.spec.id
    let places = partitions.values.map { DataFile.Place(specID: spec, values: $0) }
    let paths = places.map { table.location("data/\(folder($0))\(nextName()).parquet") }
    let writer = self
    let encoded = try Parallel.map(
      Array(places.indices), width: batch.count < Parallel.leastRows ? 1 : Parallel.width
    ) { index throws(PortError) in
      try writer.encode(batch, stretches[index], to: paths[index], in: places[index])
    }
    for (file, bytes) in encoded { try await files.write(file.path, bytes) }
    return encoded.map(\.file)
  }

  /// A data file's entry and bytes.
  private func encode(
    _ batch: RecordBatch, _ rows: RowStretches, to path: String, in place: DataFile.Place
  ) throws(PortError) -> (file: DataFile, bytes: [UInt8]) {
    let fields = table.metadata.schema.fields
    let bytes = try parquet(batch, rows, fields.map(\.id), fields.map(\.type))
    var file = DataFile(path: path, recordCount: Int64(rows.count), fileSize: Int64(bytes.count))
    file.place = place
    ColumnBounds.describe(batch, rows, fields, in: &file)
    return (file, bytes)
  }

  /// Writes the positions of deleted rows of files of one partition.
  mutating func deletePositions(
    _ positions: [(path: String, position: Int64)], in place: DataFile.Place
  ) async throws(PortError) -> DataFile {
    // Paths differ in ASCII only, and readers want them in order.
    let sorted = positions.sorted { ($0.path, $0.position) < ($1.path, $1.position) }
    let batch = RecordBatch(
      schema: TableSchema([.init("file_path", .string), .init("pos", .int64)]),
      columns: [
        .init(.strings(sorted.map(\.path))), .init(.integers(sorted.map(\.position))),
      ])
    let location = table.location("data/\(folder(place))\(nextName())-deletes.parquet")
    let bytes = try parquet(
      batch, RowStretches(of: batch), [Deletions.pathFieldID, Deletions.positionFieldID],
      [.named("string"), .named("long")])
    try await files.write(location, bytes)
    var file = DataFile(
      path: location, recordCount: Int64(batch.count), fileSize: Int64(bytes.count))
    file.content = .positionDeletes
    file.place = place
    let paths = Set(sorted.map(\.path))
    if paths.count == 1 { file.referencedFile = paths.first }
    return file
  }

  private mutating func nextName() -> String {
    written += 1
    return "\(prefix)-\(written)"
  }

  /// `window_start_day=20458/`, for people who look into the folder.
  private func folder(_ place: DataFile.Place) -> String {
    zip(table.metadata.spec(place.specID).fields, place.values).map { field, value in
      let text =
        switch value {
        case nil: "null"
        case .boolean(let flag)?: "\(flag)"
        case .integer(let number)?: "\(number)"
        case .number(let number)?: "\(number)"
        case .text(let text)?: text.utf8.map(Self.escaped).joined()
        }
      return "\(field.name)=\(text)/"
    }.joined()
  }

  /// Letters, digits, `-` and `_` as they are, every other byte as `%XX`.
  private static func escaped(_ byte: UInt8) -> String {
    let scalar = Unicode.Scalar(byte)
    let isPlain =
      scalar.isASCII && (scalar.properties.isAlphabetic || (48...57).contains(byte))
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    guard !isPlain else { return String(Character(scalar)) }
    let digits = String(byte, radix: 16, uppercase: true)
    return "%" + (digits.utf8.count < 2 ? "0" : "") + digits
  }

  private func parquet(
    _ batch: RecordBatch, _ rows: RowStretches, _ ids: [Int], _ types: [IcebergType]
  ) throws(PortError) -> [UInt8] {
    do throws(ParquetError) {
      return try ParquetFile.encode(
        batch, rows: rows, fieldIDs: ids, stored: types.compactMap(\.stored),
        options: files.writing)
    } catch {
      throw PortError(
        .invalid, port: "Lake", operation: "commit", hint: "\(table.name): \(error.description)")
    }
  }

  private func partitions(of batch: RecordBatch) throws(PortError) -> RowPartitions {
    do throws(LakehouseError) {
      return try RowPartitions(batch, table.metadata.spec, table.metadata.schema)
    } catch {
      throw error.portError("commit")
    }
  }
}

extension RecordBatch {
  /// A cell's value; nil for null.
  func value(row: Int, column: Int) -> IcebergValue? { columns[column].value(row) }
}

extension RecordBatch.Column {
  /// A row's value; nil for null.
  func value(_ row: Int) -> IcebergValue? {
    guard isValid(row) else { return nil }
    switch values {
    case .strings(let values): return .text(values[row])
    case .integers(let values): return .integer(values[row])
    case .doubles(let values): return .number(values[row])
    case .booleans(let values): return .boolean(values[row])
    }
  }
}
