import Moderation

/// An entity that is one row of one table.
protocol StoredRow {
  /// The table's name and columns, and the statements made from them.
  static var table: RowTable { get }
  /// Reads the columns in the table's order.
  init(from columns: inout ColumnReader) throws
  /// Writes the columns in the table's order.
  func write(to columns: inout ColumnWriter) throws
}

/// A table whose first column is the key `id`; its SQL is put together from names of columns, once,
/// and never from values.
struct RowTable: Sendable {
  /// The columns' names, in order.
  let columns: [String]
  /// Any number of rows.
  let insert: Statement
  /// All columns of the row with the id.
  let update: Statement
  /// The rows with ids.
  let select: Statement
  /// All rows by (creation, id).
  let selectAll: Statement
  /// The columns' names as a query lists them.
  let list: String

  /// A table's statements.
  init(_ name: String, _ described: [(name: String, type: ColumnType)]) {
    columns = described.map(\.name)
    let types = described.map(\.type)
    list = columns.joined(separator: ", ")
    let places = columns.indices.map { "$\($0 + 1)" }
    insert = Statement(
      "INSERT INTO \(name) (\(list)) SELECT * FROM unnest(\(places.joined(separator: ", ")))",
      types, takesRows: true)
    let assignments = zip(columns, places).dropFirst().map { "\($0) = \($1)" }
    update = Statement(
      "UPDATE \(name) SET \(assignments.joined(separator: ", ")) WHERE id = $1", types)
    select = Statement(
      "SELECT \(list) FROM \(name) WHERE id = ANY ($1)", [.uuid], takesRows: true)
    selectAll = Statement("SELECT \(list) FROM \(name) ORDER BY created_at, id")
  }

  /// The columns of a query that calls the table by another name.
  func columns(of alias: String) -> String {
    columns.map { "\(alias).\($0)" }.joined(separator: ", ")
  }
}

extension Query {
  /// Inserts rows with one statement.
  static func insert<Entity: StoredRow>(_ rows: [Entity]) throws -> Query {
    var columns = ColumnWriter(Entity.table.columns)
    for row in rows { try row.write(to: &columns) }
    return Query(Entity.table.insert, columns)
  }

  /// Replaces the row that has the id.
  static func update<Entity: StoredRow>(_ row: Entity) throws -> Query {
    var columns = ColumnWriter(Entity.table.columns)
    try row.write(to: &columns)
    return Query(Entity.table.update, columns)
  }

  /// The rows with ids, in any order.
  static func rows<Entity: StoredRow>(_ ids: some Sequence<ID<Entity>>) -> Query {
    Query(Entity.table.select, .ids(ids))
  }
}

extension ColumnWriter {
  /// One column of ids.
  static func ids<Entity>(_ ids: some Sequence<ID<Entity>>) -> ColumnWriter {
    var column = ColumnWriter(["id"])
    for id in ids { column.id(id) }
    return column
  }
}
