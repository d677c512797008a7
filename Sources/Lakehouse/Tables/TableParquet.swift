import Ports

/// A Parquet file of a table, read by field id.
struct TableParquet {
  private let reader: ParquetFile.Reader
  private let path: String

  /// Where columns are, by field id.
  private let positions: [Int: Int]

  /// Opens a file; one that knows its columns by name only needs a mapping, as to say that they are
  /// all missing would be a lie.
  init(_ bytes: [UInt8], path: String, names: NameMapping?) throws(PortError) {
    self.path = path
    do throws(ParquetError) {
      reader = try ParquetFile.Reader(bytes)
    } catch {
      throw LakehouseError(file: path, reason: error.description).portError("scan")
    }
    let hasIDs = reader.fields.contains { $0.fieldID != nil }
    guard hasIDs || names != nil || reader.fields.isEmpty else {
      throw LakehouseError(
        file: path,
        reason: "has no field ids, and the table has no property \(NameMapping.property)"
      ).portError("scan")
    }
    var positions: [Int: Int] = [:]
    for (position, field) in reader.fields.enumerated() {
      if let id = hasIDs ? field.fieldID : names?.ids[field.name] { positions[id] = position }
    }
    self.positions = positions
  }

  var rowGroupCount: Int { reader.rowGroupRows.count }

  func rowCount(of group: Int) -> Int { reader.rowGroupRows[group] }

  /// Columns by field id; those that the file doesn't have are missing.
  func read(_ group: Int, _ ids: [Int]) throws(PortError) -> [Int: RecordBatch.Column] {
    let found = ids.filter { positions[$0] != nil }
    do throws(ParquetError) {
      let columns = try reader.read(
        rowGroup: group, positions: found.compactMap { positions[$0] })
      return Dictionary(zip(found, columns)) { first, _ in first }
    } catch {
      throw LakehouseError(file: path, field: error.column ?? "", reason: error.reason)
        .portError("scan")
    }
  }

  /// Appends a row group to a batch with a column for each of `fields`.
  func append(
    _ group: Int, _ fields: [IcebergField], to all: inout RecordBatch
  ) throws(PortError) {
    let found = fields.compactMap { field -> Int? in
      guard let position = positions[field.id], let type = field.type.column else { return nil }
      return reader.fields[position].columnType?.isHeld(like: type) == true ? position : nil
    }
    guard found.count == fields.count, Set(found).count == found.count else {
      return all.append(try batch(group, fields))
    }
    do throws(ParquetError) {
      try reader.append(rowGroup: group, positions: found, to: &all.columns)
    } catch {
      throw LakehouseError(file: path, field: error.column ?? "", reason: error.reason)
        .portError("scan")
    }
  }

  /// A row group's columns in the order of `fields`; one that was added to the table after the file
  /// was written is null.
  func batch(_ group: Int, _ fields: [IcebergField]) throws(PortError) -> RecordBatch {
    try batch(try read(group, fields.map(\.id)), fields, count: rowCount(of: group))
  }

  /// The same, at most so many rows at a time.
  func batches(
    _ group: Int, _ fields: [IcebergField], rows: Int,
    _ body: (RecordBatch) throws(PortError) -> Void
  ) throws(PortError) {
    let found = fields.map(\.id).filter { positions[$0] != nil }
    guard rowCount(of: group) > rows, !found.isEmpty else { return try body(batch(group, fields)) }
    var failure: PortError?
    do throws(ParquetError) {
      try reader.batches(
        rowGroup: group, positions: found.compactMap { positions[$0] }, rows: rows
      ) { columns throws(ParquetError) in
        do throws(PortError) {
          try body(
            batch(
              Dictionary(zip(found, columns)) { first, _ in first }, fields,
              count: columns[0].values.count))
        } catch {
          failure = error
          throw ParquetError("isn't wanted further")
        }
      }
    } catch {
      throw failure
        ?? LakehouseError(file: path, field: error.column ?? "", reason: error.reason)
        .portError("scan")
    }
  }

  private func batch(
    _ columns: [Int: RecordBatch.Column], _ fields: [IcebergField], count: Int
  ) throws(PortError) -> RecordBatch {
    var schema: [TableSchema.Field] = []
    var values: [RecordBatch.Column] = []
    for field in fields {
      guard let type = field.type.column else {
        throw PortError(
          .invalid, port: "Lake", operation: "scan",
          hint: "\(path): column \(field.name): type \(field.type.name) isn't read")
      }
      let column = columns[field.id] ?? RecordBatch.Column(nulls: count, type)
      guard column.values.areOf(type) else {
        throw LakehouseError(file: path, field: field.name, reason: "isn't \(field.type.name)")
          .portError("scan")
      }
      schema.append(.init(field.name, type, isRequired: field.isRequired))
      values.append(column)
    }
    return RecordBatch(schema: TableSchema(schema), columns: values)
  }
}

extension TableFiles {
  /// Opens a data or delete file.
  func parquet(
    _ file: DataFile, names: NameMapping? = nil
  ) async throws(PortError) -> TableParquet {
    guard file.format == "PARQUET" else {
      throw LakehouseError(file: file.path, reason: "is \(file.format); this program reads PARQUET")
        .portError("scan")
    }
    return try TableParquet(try await read(file.path), path: file.path, names: names)
  }
}

extension TableSchema.ColumnType {
  /// Whether both are the same kind of values in memory: instants are integers.
  fileprivate func isHeld(like other: Self) -> Bool {
    self == other || Set([self, other]) == [.int64, .timestamp]
  }
}

extension RecordBatch.Values {
  fileprivate func areOf(_ type: TableSchema.ColumnType) -> Bool {
    switch (self, type) {
    case (.strings, .string), (.integers, .int64), (.integers, .timestamp), (.doubles, .double),
      (.booleans, .boolean):
      true
    default: false
    }
  }
}
