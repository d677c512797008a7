import Ports

extension IcebergLake {
  /// See ``Lake``, rule 11: looks through every Parquet file under the table's location, whether a
  /// snapshot reaches it or a crashed commit left it behind. Texts within lists and structs aren't
  /// looked at.
  public func remains(
    of text: String, in table: TableName
  ) async throws(PortError) -> [String: Int] {
    let state = try await reader.load(table, "remains")
    var found: [String: Int] = [:]
    for key in try await reader.files.keys(under: state.metadata.location)
    where key.hasSuffix(".parquet") {
      let bytes = try await reader.files.objects.get(key)
      do throws(ParquetError) {
        let rows = try ParquetFile.Reader(bytes).rows(holding: text)
        if rows > 0 { found[key] = rows }
      } catch {
        throw LakehouseError(file: key, field: error.column ?? "", reason: error.reason)
          .portError("remains")
      }
    }
    return found
  }
}

extension ParquetFile.Reader {
  /// How many rows have the text in any column of its own.
  fileprivate func rows(holding text: String) throws(ParquetError) -> Int {
    let positions = fields.indices.filter { fields[$0].columnType == .string }
    guard !positions.isEmpty else { return 0 }
    let schema = TableSchema(
      positions.map { .init(fields[$0].name, .string, isRequired: false) })
    var rows = 0
    for group in rowGroupRows.indices {
      let columns = try read(rowGroup: group, positions: positions)
      rows += RecordBatch(schema: schema, columns: columns).rows(holding: text)
    }
    return rows
  }
}
