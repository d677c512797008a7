import Lakehouse
import Ports

/// Rows of a table with the types of its columns, as they are printed.
struct TypedRows: Sendable {
  private let batch: RecordBatch
  private let types: [IcebergType]

  /// The rows of a view.
  init(_ lake: IcebergLake, _ table: TableName, _ view: TableView) async throws(PortError) {
    batch = try await lake.scan(table, view)
    types = view.schema.fields.map(\.type)
  }

  var names: [String] { batch.schema.fields.map(\.name) }

  var count: Int { batch.count }

  /// A row's cells.
  func cells(_ row: Int) -> [Cell] { types.indices.map { cell(row, $0) } }

  /// A row's cells in some columns; nil is a column that isn't there.
  func cells(_ row: Int, _ columns: [Int?]) -> [Cell] {
    columns.map { column in column.map { cell(row, $0) } ?? .null }
  }

  private func cell(_ row: Int, _ column: Int) -> Cell {
    guard batch.columns[column].isValid(row) else { return .null }
    switch batch.columns[column].values {
    case .strings(let values): return .text(values[row])
    case .integers(let values):
      return types[column].text(of: values[row]).map { .text($0) } ?? .integer(values[row])
    case .doubles(let values): return .number(values[row])
    case .booleans(let values): return .boolean(values[row])
    }
  }
}
