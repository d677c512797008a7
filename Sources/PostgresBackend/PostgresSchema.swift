import Ports

/// The tables of one store, as the steps that lead from nothing to the current version: the files
/// of `docker/init_sql`.
///
/// A schema remembers per store how many steps it has had, in `schema_versions`; each step's own
/// file writes it there. To change a schema, append a step; a step that was released never changes.
struct PostgresSchema {
  /// The store's name in `schema_versions`.
  let name: String
  /// Each step's file.
  let steps: [[UInt8]]

  /// The tables of ``PostgresApplicationStore``.
  static let application = PostgresSchema(
    name: "application", steps: [PackageResources._2_application_sql])
  /// The tables of ``PostgresCheckpointStore``.
  static let checkpoints = PostgresSchema(
    name: "checkpoints", steps: [PackageResources._3_checkpoints_sql])
  /// The tables of ``PostgresTableCatalog``, which are PyIceberg's.
  static let tableCatalog = PostgresSchema(
    name: "table catalog", steps: [PackageResources._4_table_catalog_sql])
  static let all = [application, checkpoints, tableCatalog]

  /// Brings the schema up to date; nothing to do, and no right needed to make tables, when it is.
  ///
  /// Of several services that start at once one does it, and the others wait.
  func migrate(_ database: PostgresDatabase) throws(PortError) {
    let operation = PortMethod("PostgresDatabase", "migrate")
    try database.attempt(operation) { connection in
      let schema = database.settings.schema
      _ = try connection.exchange([Query(.begin), try Self.lock(schema)])
      let (hasSchema, hasVersions) = try Self.found(schema, on: connection)
      // Its name has been looked over: letters that need no escape.
      if !hasSchema { try connection.run(script: "CREATE SCHEMA \"\(schema)\"") }
      if !hasVersions { try connection.run(script: Self.text(Self.versions)) }
      let version = try version(on: connection)
      guard version <= steps.count else {
        throw operation.error(
          .invalid,
          "schema '\(schema)' has version \(version) of the tables of '\(name)', and this program "
            + "knows \(steps.count); use the newer program, or another schema")
      }
      for step in steps[version...] { try connection.run(script: Self.text(step)) }
      _ = try connection.exchange([Query(.commit)])
    }
  }

  /// Waits for whoever else makes or removes the schema, until the transaction's end.
  static func lock(_ schema: String) throws -> Query {
    var argument = ColumnWriter(["schema"])
    try argument.text(schema)
    return Query(lock, argument)
  }

  /// Whether there are the schema and its `schema_versions`.
  static func found(
    _ schema: String, on connection: Connection
  ) throws -> (schema: Bool, versions: Bool) {
    var argument = ColumnWriter(["schema"])
    try argument.text(schema)
    let answers = try connection.exchange([Query(found, argument)])
    return try answers[0].first { (try $0.boolean(), try $0.boolean()) } ?? (false, false)
  }

  /// How many steps the schema has had.
  func version(on connection: Connection) throws -> Int {
    var argument = ColumnWriter(["name"])
    try argument.text(name)
    let answers = try connection.exchange([Query(Self.version, argument)])
    return try answers[0].first { try $0.integer() } ?? 0
  }

  private static let versions = PackageResources._1_schema_versions_sql

  private static func text(_ file: [UInt8]) -> String { String(decoding: file, as: UTF8.self) }

  private static let lock = Statement(
    "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [.text])
  private static let found = Statement(
    """
    SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1),
      EXISTS (
        SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = $1 AND relname = 'schema_versions'
      )
    """, [.text])
  private static let version = Statement(
    "SELECT version FROM schema_versions WHERE name = $1", [.text])
}
