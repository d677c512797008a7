import GRDB
import Ports

/// A ``TableCatalog`` in an SQLite file, in the tables of PyIceberg's `SqlCatalog`.
///
/// Either side can open a file that the other has made, under the same catalog name, and either
/// commits by the same compare-and-swap on `metadata_location`.
///
/// Iceberg for Java keeps views in the same table, in what it calls version 1 of its schema: they
/// are left alone.
///
/// *Fidelity.* Exact, and durable; not modelled: a namespace's properties beside `exists`.
public final class SQLiteTableCatalog: TableCatalog {
  private static let port = "TableCatalog"
  private let database: SQLiteDatabase
  private let name: String

  /// Keeps its tables in a file, and makes them when they aren't there; in a database that is only
  /// read they must be.
  ///
  /// - Parameter name: which catalog of the file; PyIceberg's first argument of `SqlCatalog`.
  public init(_ database: SQLiteDatabase, catalog name: String) throws(PortError) {
    self.database = database
    self.name = name
    guard !database.isReadOnly else { return }
    try database.write(PortMethod("SQLiteDatabase", "migrate")) { db in
      try db.execute(sql: Self.schema)
    }
  }

  /// See ``TableCatalog``, rule 5.
  public func createNamespace(_ namespace: String) async throws(PortError) {
    try database.write(PortMethod(Self.port, "createNamespace")) { db in
      if try hasNamespace(namespace, in: db) { return }
      var columns = ColumnWriter(["catalog_name", "namespace", "property_key", "property_value"])
      try columns.text(name)
      try columns.text(namespace)
      // What PyIceberg writes for a namespace without properties.
      try columns.text("exists")
      try columns.text("true")
      try db.run(
        "INSERT INTO iceberg_namespace_properties VALUES (?, ?, ?, ?)", columns.arguments)
    }
  }

  /// See ``TableCatalog``, rule 4.
  public func tables() async throws(PortError) -> [TableName] {
    try database.read(PortMethod(Self.port, "tables")) { db in
      let sql = """
        SELECT table_namespace, table_name FROM iceberg_tables
        WHERE catalog_name = ?\(try noView(in: db))
        """
      return try db.all(sql, [name]) { TableName(try $0.text(), try $0.text()) }.sorted()
    }
  }

  /// See ``TableCatalog``, rule 1.
  public func location(of table: TableName) async throws(PortError) -> String? {
    try database.read(PortMethod(Self.port, "location")) { db in
      try pointer(of: table, in: db)
    }
  }

  /// See ``TableCatalog``, rules 2, 3 and 5.
  public func move(
    _ table: TableName, from expected: String?, to location: String
  ) async throws(PortError) {
    let operation = PortMethod(Self.port, "move")
    try database.write(operation) { db in
      guard try hasNamespace(table.namespace, in: db) else {
        throw operation.error(
          .notFound, "there is no namespace '\(table.namespace)'; create it first")
      }
      let current = try pointer(of: table, in: db)
      guard current == expected else {
        throw operation.error(
          .conflict,
          "\(table) is at \(current ?? "no location"), not at \(expected ?? "no location"): "
            + "another writer was first; read the table again")
      }
      var columns = ColumnWriter(["metadata_location", "previous_metadata_location"])
      try columns.text(location)
      try columns.text(expected)
      try db.run(expected == nil ? Self.register : Self.move, columns.arguments + key(of: table))
    }
  }

  /// See ``TableCatalog``, rule 6.
  public func drop(_ table: TableName) async throws(PortError) {
    try database.write(PortMethod(Self.port, "drop")) { db in
      let sql = "DELETE FROM iceberg_tables WHERE \(Self.isNamed)\(try noView(in: db))"
      try db.run(sql, key(of: table))
    }
  }

  private func pointer(of table: TableName, in db: Database) throws -> String? {
    let sql = """
      SELECT metadata_location FROM iceberg_tables WHERE \(Self.isNamed)\(try noView(in: db))
      """
    return try db.first(sql, key(of: table)) { try $0.text() }
  }

  /// The condition that a row isn't a view, in a file that can have some.
  private func noView(in db: Database) throws -> String {
    let hasTypes = try db.has(
      "SELECT 1 FROM pragma_table_info('iceberg_tables') WHERE name = 'iceberg_type'", [])
    return hasTypes ? " AND coalesce(iceberg_type, 'TABLE') = 'TABLE'" : ""
  }

  /// A namespace exists when it has a property or, as PyIceberg sees it, a table.
  private func hasNamespace(_ namespace: String, in db: Database) throws -> Bool {
    var columns = ColumnWriter(["catalog_name", "namespace"])
    try columns.text(name)
    try columns.text(namespace)
    return try db.has(Self.namespace, columns.arguments + columns.arguments)
  }

  private func key(of table: TableName) throws -> [Argument] {
    var columns = ColumnWriter(["catalog_name", "table_namespace", "table_name"])
    try columns.text(name)
    try columns.text(table.namespace)
    try columns.text(table.name)
    return columns.arguments
  }

  private static let isNamed = "catalog_name = ? AND table_namespace = ? AND table_name = ?"
  private static let register = """
    INSERT INTO iceberg_tables (
      metadata_location, previous_metadata_location, catalog_name, table_namespace, table_name
    ) VALUES (?, ?, ?, ?, ?)
    """
  private static let move = """
    UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?
    WHERE \(isNamed)
    """
  private static let namespace = """
    SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?
    UNION ALL
    SELECT 1 FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ?
    LIMIT 1
    """

  /// As PyIceberg 0.11 makes them; no version of ours, for the schema is PyIceberg's.
  private static let schema = """
    CREATE TABLE IF NOT EXISTS iceberg_tables (
      catalog_name VARCHAR(255) NOT NULL,
      table_namespace VARCHAR(255) NOT NULL,
      table_name VARCHAR(255) NOT NULL,
      metadata_location VARCHAR(1000),
      previous_metadata_location VARCHAR(1000),
      PRIMARY KEY (catalog_name, table_namespace, table_name)
    );
    CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
      catalog_name VARCHAR(255) NOT NULL,
      namespace VARCHAR(255) NOT NULL,
      property_key VARCHAR(255) NOT NULL,
      property_value VARCHAR(1000) NOT NULL,
      PRIMARY KEY (catalog_name, namespace, property_key)
    );
    """
}
