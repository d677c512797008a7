import Ports
import Testing

@testable import PostgresBackend

/// The adapters of PostgreSQL, when `REHEARSAL_POSTGRES` says where it is.
enum LivePostgres {
  /// Whether there is a server.
  static var isThere: Bool { LiveServices.variable("REHEARSAL_POSTGRES") != nil }

  static let applicationStores: [Adapter<any ApplicationStore>] = adapters {
    try PostgresApplicationStore($0)
  }
  static let checkpointStores: [Adapter<any CheckpointStore>] = adapters {
    try PostgresCheckpointStore($0)
  }
  static let tableCatalogs: [Adapter<any TableCatalog>] = adapters {
    try PostgresTableCatalog($0, catalog: "lake")
  }

  /// The server, and a schema that no other test has.
  static func settings() -> PostgresSettings {
    var settings = PostgresSettings()
    settings.conninfo = LiveServices.variable("REHEARSAL_POSTGRES") ?? ""
    settings.password = LiveServices.variable("REHEARSAL_POSTGRES_PASSWORD")
    settings.schema = LiveServices.freshPrefix()
    settings.applicationName = settings.schema
    settings.poolSize = 2
    return settings
  }

  /// The server's port on this machine, for a test that stands in between.
  static func port() throws -> Int {
    let database = try PostgresDatabase(settings())
    defer { database.close() }
    let address = try database.attempt(PortMethod("test", "port")) { $0.address }
    return try #require(address.split(separator: ":").last.flatMap { Int($0) })
  }

  /// A schema that goes with the test's folder.
  static func database(
    _ folder: TemporaryFolder, _ settings: PostgresSettings = settings()
  ) throws -> PostgresDatabase {
    let database = try PostgresDatabase(settings)
    folder.atEnd {
      database.close()
      var direct = Self.settings()
      direct.schema = settings.schema
      // What can't be removed now is named by its schema, and does no harm.
      try? PostgresDatabase(direct).clean()
    }
    return database
  }

  /// A session of somebody else's in a database's schema.
  static func outsider(of database: PostgresDatabase) throws -> PostgresOutsider {
    var settings = Self.settings()
    settings.schema = database.settings.schema
    return PostgresOutsider(connection: try Connection.open(settings))
  }

  private static func adapters<Port: Sendable>(
    _ make: @escaping @Sendable (PostgresDatabase) throws -> Port
  ) -> [Adapter<Port>] {
    guard isThere else { return [] }
    return [Adapter("postgres") { _, folder in try make(try database(folder)) }]
  }
}

/// A session that isn't the adapter's.
struct PostgresOutsider {
  let connection: Connection

  /// Runs statements, whose answers nobody needs.
  func run(_ script: String) throws { try connection.run(script: script) }

  /// The first column of a query's rows.
  func texts(_ sql: String) throws -> [String] {
    try connection.exchange([Query(Statement(sql))])[0].all { try $0.text() }
  }
}
