import Ports

/// A Parquet file of a table, read by field id.
struct TableParquet {
  private let reader: ParquetFile.Reader
  private let path: String

  init(_ bytes: [UInt8], path: String) throws(PortError) {
    self.path = path
    do throws(ParquetError) {
      reader = try ParquetFile.Reader(bytes)
    } catch {
      throw LakehouseError(file: path, reason: error.description).portError("scan")
    }
  }

  /// Refuses a file that knows its columns by name only: that they are all missing would be a lie.
  private func requireFieldIDs() throws(PortError) {
    guard !reader.fields.isEmpty, reader.fields.allSatisfy({ $0.fieldID == nil }) else { return }
    throw LakehouseError(
      file: path, reason: "has no field ids; files by name mapping (add_files) aren't read"
    ).portError("scan")
  }

  var rowGroupCount: Int { reader.rowGroupRows.count }

  func rowCount(of group: Int) -> Int { reader.rowGroupRows[group] }

  /// Columns by field id; those that the file doesn't have are missing.
  func read(_ group: Int, _ ids: [Int]) throws(PortError) -> [Int: RecordBatch.Column] {
    try requireFieldIDs()
    do throws(ParquetError) {
      return try reader.read(rowGroup: group, fieldIDs: ids)
    } catch {
      throw LakehouseError(file: path, field: error.column ?? "", reason: error.reason)
        .portError("scan")
    }
  }

  /// A row group's columns in the order of `fields`; one that was added to the table after the file
  /// was written is null.
  func batch(_ group: Int, _ fields: [IcebergField]) throws(PortError) -> RecordBatch {
    let columns = try read(group, fields.map(\.id))
    let count = rowCount(of: group)
    var schema: [TableSchema.Field] = []
    var values: [RecordBatch.Column] = []
    for field in fields {
      guard let type = field.type.column else {
        throw LakehouseError(
          file: path, field: field.name, reason: "columns of type \(field.type.name) aren't read"
        ).portError("scan")
      }
      schema.append(.init(field.name, type, isRequired: field.isRequired))
      values.append(columns[field.id] ?? RecordBatch.Column(nulls: count, type))
    }
    return RecordBatch(schema: TableSchema(schema), columns: values)
  }
}

extension TableFiles {
  /// Opens a data or delete file.
  func parquet(_ file: DataFile) async throws(PortError) -> TableParquet {
    guard file.format == "PARQUET" else {
      throw LakehouseError(file: file.path, reason: "is \(file.format); this program reads PARQUET")
        .portError("scan")
    }
    return try TableParquet(try await read(file.path), path: file.path)
  }
}

extension RecordBatch.Column {
  /// A column of nulls.
  init(nulls count: Int, _ type: TableSchema.ColumnType) {
    let values: RecordBatch.Values =
      switch type {
      case .string: .strings(Array(repeating: "", count: count))
      case .int64, .timestamp: .integers(Array(repeating: 0, count: count))
      case .double: .doubles(Array(repeating: 0, count: count))
      case .boolean: .booleans(Array(repeating: false, count: count))
      }
    self.init(values, validity: Array(repeating: false, count: count))
  }
}
