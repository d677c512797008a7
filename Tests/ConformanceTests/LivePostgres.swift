import Ports
import PostgresBackend

/// The adapters of PostgreSQL, when `REHEARSAL_POSTGRES` says where it is.
enum LivePostgres {
  /// Whether there is a server.
  static var isThere: Bool { LiveServices.variable("REHEARSAL_POSTGRES") != nil }

  static let applicationStores: [Adapter<any ApplicationStore>] = adapters {
    try PostgresApplicationStore($0)
  }
  static let checkpointStores: [Adapter<any CheckpointStore>] = []
  static let tableCatalogs: [Adapter<any TableCatalog>] = []

  /// The server, and a schema that no other test has.
  static func settings() -> PostgresSettings {
    var settings = PostgresSettings()
    settings.conninfo = LiveServices.variable("REHEARSAL_POSTGRES") ?? ""
    settings.password = LiveServices.variable("REHEARSAL_POSTGRES_PASSWORD")
    settings.schema = LiveServices.freshPrefix()
    settings.poolSize = 2
    return settings
  }

  /// A fresh schema that goes with the test's folder.
  static func database(
    _ folder: TemporaryFolder, _ settings: PostgresSettings = settings()
  ) throws(PortError) -> PostgresDatabase {
    let database = try PostgresDatabase(settings)
    folder.atEnd {
      // What can't be removed now is named by its schema, and does no harm.
      try? database.clean()
      database.close()
    }
    return database
  }

  private static func adapters<Port: Sendable>(
    _ make: @escaping @Sendable (PostgresDatabase) throws -> Port
  ) -> [Adapter<Port>] {
    guard isThere else { return [] }
    return [Adapter("postgres") { _, folder in try make(try database(folder)) }]
  }
}
