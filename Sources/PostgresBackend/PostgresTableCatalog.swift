import Ports

/// A ``TableCatalog`` in PostgreSQL, in the tables of PyIceberg's `SqlCatalog`.
///
/// Either side can use a schema that the other has made, under the same catalog name, and either
/// commits by the same compare-and-swap on `metadata_location`. A move is two round trips, anything
/// else one.
///
/// Iceberg for Java keeps views in the same table, in what it calls version 1 of its schema: they
/// are left alone.
///
/// *Fidelity.* Exact, and durable; not modelled: a namespace's properties beside `exists`.
public final class PostgresTableCatalog: TableCatalog {
  private static let port = "TableCatalog"
  private let database: PostgresDatabase
  private let name: String

  /// Keeps its tables in a schema, and makes them when they aren't there.
  ///
  /// - Parameter name: which catalog of the schema; PyIceberg's first argument of `SqlCatalog`.
  public init(_ database: PostgresDatabase, catalog name: String) throws(PortError) {
    self.database = database
    self.name = name
    try PostgresSchema.tableCatalog.migrate(database)
  }

  /// See ``TableCatalog``, rule 5.
  public func createNamespace(_ namespace: String) async throws(PortError) {
    let operation = PortMethod(Self.port, "createNamespace")
    let key = try encode(operation) { try self.key(of: namespace) }
    _ = try database.run(operation, [Query(Self.makeNamespace, key)])
  }

  /// See ``TableCatalog``, rule 4.
  public func tables() async throws(PortError) -> [TableName] {
    let operation = PortMethod(Self.port, "tables")
    var column = ColumnWriter(["catalog_name"])
    try encode(operation) { try column.text(name) }
    let answers = try database.read(operation, [Query(Self.list, column)])
    return try encode(operation) {
      try answers[0].all { TableName(try $0.text(), try $0.text()) }.sorted()
    }
  }

  /// See ``TableCatalog``, rule 1.
  public func location(of table: TableName) async throws(PortError) -> String? {
    let operation = PortMethod(Self.port, "location")
    let key = try encode(operation) { try self.key(of: table) }
    let answers = try database.read(operation, [Query(Self.pointer, key)])
    return try encode(operation) { try answers[0].first { try $0.text() } }
  }

  /// See ``TableCatalog``, rules 2, 3 and 5.
  public func move(
    _ table: TableName, from expected: String?, to location: String
  ) async throws(PortError) {
    let operation = PortMethod(Self.port, "move")
    let reading = try encode(operation) {
      [
        Query(Self.lockPointer, try key(of: table)),
        Query(Self.namespace, try key(of: table.namespace)),
      ]
    }
    try database.write(operation, reading: reading) { answers -> Decision<Void> in
      guard answers[1].count > 0 else {
        throw operation.error(
          .notFound, "there is no namespace '\(table.namespace)'; create it first")
      }
      let current = try answers[0].first { try $0.text() }
      guard current == expected else {
        throw operation.error(
          .conflict,
          "\(table) is at \(current ?? "no location"), not at \(expected ?? "no location"): "
            + "another writer was first; read the table again")
      }
      let columns = try move(table, from: expected, to: location)
      let statement = expected == nil ? Self.register : Self.move
      return .change([Query(statement, columns)], known: ()) { _ in }
    }
  }

  /// See ``TableCatalog``, rule 6.
  public func drop(_ table: TableName) async throws(PortError) {
    let operation = PortMethod(Self.port, "drop")
    let key = try encode(operation) { try self.key(of: table) }
    _ = try database.run(operation, [Query(Self.drop, key)])
  }

  private func key(of namespace: String) throws -> ColumnWriter {
    var columns = ColumnWriter(["catalog_name", "namespace"])
    try columns.text(name, limit: 255)
    try columns.text(namespace, limit: 255)
    return columns
  }

  private func key(of table: TableName) throws -> ColumnWriter {
    var columns = ColumnWriter(["catalog_name", "table_namespace", "table_name"])
    try write(table, to: &columns)
    return columns
  }

  private func move(
    _ table: TableName, from expected: String?, to location: String
  ) throws -> ColumnWriter {
    var columns = ColumnWriter([
      "catalog_name", "table_namespace", "table_name", "metadata_location",
      "previous_metadata_location",
    ])
    try write(table, to: &columns)
    try columns.text(location, limit: 1000)
    try columns.text(expected, limit: 1000)
    return columns
  }

  private func write(_ table: TableName, to columns: inout ColumnWriter) throws {
    try columns.text(name, limit: 255)
    try columns.text(table.namespace, limit: 255)
    try columns.text(table.name, limit: 255)
  }

  /// The row isn't a view; as JSON it can be asked for a column that may not be there.
  private static let isTable =
    "coalesce(to_jsonb(iceberg_tables) ->> 'iceberg_type', 'TABLE') = 'TABLE'"
  private static let isNamed = "catalog_name = $1 AND table_namespace = $2 AND table_name = $3"
  private static let key: [ColumnType] = [.text, .text, .text]
  private static let list = Statement(
    """
    SELECT table_namespace, table_name FROM iceberg_tables
    WHERE catalog_name = $1 AND \(isTable)
    """, [.text])
  private static let pointer = Statement(
    "SELECT metadata_location FROM iceberg_tables WHERE \(isNamed) AND \(isTable)", key)
  private static let lockPointer = Statement("\(pointer.sql) FOR UPDATE", key)
  private static let register = Statement(
    """
    INSERT INTO iceberg_tables (
      catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location
    ) VALUES ($1, $2, $3, $4, $5)
    """, key + [.text, .text])
  private static let move = Statement(
    """
    UPDATE iceberg_tables SET metadata_location = $4, previous_metadata_location = $5
    WHERE \(isNamed)
    """, key + [.text, .text])
  private static let drop = Statement(
    "DELETE FROM iceberg_tables WHERE \(isNamed) AND \(isTable)", key)

  /// A namespace exists when it has a property or, as PyIceberg sees it, a table.
  private static let namespace = Statement(
    """
    SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2
    UNION ALL
    SELECT 1 FROM iceberg_tables WHERE catalog_name = $1 AND table_namespace = $2
    LIMIT 1
    """, [.text, .text])
  /// With what PyIceberg writes for a namespace without properties.
  private static let makeNamespace = Statement(
    """
    INSERT INTO iceberg_namespace_properties
      (catalog_name, namespace, property_key, property_value)
    SELECT $1, $2, 'exists', 'true' WHERE NOT EXISTS (\(namespace.sql))
    ON CONFLICT DO NOTHING
    """, [.text, .text])
}
