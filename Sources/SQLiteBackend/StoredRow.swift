import GRDB
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
struct RowTable {
  /// The columns' names, in order.
  let columns: [String]
  /// One row.
  let insert: String
  /// All columns of the row with an id: the row's arguments, then the id.
  let update: String
  /// All columns of the row with an id.
  let select: String
  /// Whether there is a row with an id.
  let has: String
  /// All rows by (creation, id).
  let selectAll: String

  /// A table's statements.
  init(_ name: String, _ columns: [String]) {
    let list = columns.joined(separator: ", ")
    let places = columns.map { _ in "?" }.joined(separator: ", ")
    let assignments = columns.map { "\($0) = ?" }.joined(separator: ", ")
    self.columns = columns
    insert = "INSERT INTO \(name) (\(list)) VALUES (\(places))"
    update = "UPDATE \(name) SET \(assignments) WHERE id = ?"
    select = "SELECT \(list) FROM \(name) WHERE id = ?"
    has = "SELECT 1 FROM \(name) WHERE id = ?"
    selectAll = "SELECT \(list) FROM \(name) ORDER BY created_at, id"
  }

  /// The columns of a query that calls the table by another name.
  func columns(of alias: String) -> String {
    columns.map { "\(alias).\($0)" }.joined(separator: ", ")
  }
}

extension StoredRow {
  /// The row as arguments of its table's statements.
  func arguments() throws -> [Argument] {
    var columns = ColumnWriter(Self.table.columns)
    try write(to: &columns)
    return columns.arguments
  }
}

extension Database {
  /// The row with an id.
  func row<Entity: StoredRow>(_ id: ID<Entity>) throws -> Entity? {
    try first(Entity.table.select, [id.description]) { try Entity(from: &$0) }
  }

  /// Whether there is a row with an id.
  func has<Entity: StoredRow>(_ id: ID<Entity>) throws -> Bool {
    try has(Entity.table.has, [id.description])
  }

  /// All rows of a table by (creation, id).
  func rows<Entity: StoredRow>() throws -> [Entity] {
    try all(Entity.table.selectAll) { try Entity(from: &$0) }
  }

  /// Inserts a row.
  func insert(_ row: some StoredRow) throws {
    try run(type(of: row).table.insert, row.arguments())
  }
}
