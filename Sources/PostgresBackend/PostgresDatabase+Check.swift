import Ports

extension PostgresDatabase {
  /// Looks at the server and at the run's schema, and changes nothing.
  public func check() -> [BackendCheck] {
    do {
      let operation = PortMethod("PostgresDatabase", "check")
      let (address, server, versions) = try attempt(operation) { connection in
        let server = try look(with: connection)
        let versions = server.mayRead ? try self.versions(with: connection) : []
        return (connection.address, server, versions)
      }
      return [
        BackendCheck("reachable", found: "\(address), database \(server.database)"),
        server.versionCheck, server.permissionCheck(schema: settings.schema),
        schemaCheck(server, versions),
      ]
    } catch {
      return [BackendCheck(unreachable: error)]
    }
  }

  /// Drops the schema with everything in it, whether or not it is there.
  ///
  /// Refuses `public`, which may hold what is somebody else's.
  public func clean() throws(PortError) {
    let operation = PortMethod("PostgresDatabase", "clean")
    let schema = settings.schema
    guard schema != "public" else {
      throw operation.error(
        .invalid, "schema: 'public' isn't dropped, for it may hold other tables; drop it with psql")
    }
    try attempt(operation) { connection in
      _ = try connection.exchange([Query(.begin), try PostgresSchema.lock(schema)])
      // Its name has been looked over: letters that need no escape.
      try connection.run(script: "DROP SCHEMA IF EXISTS \"\(schema)\" CASCADE")
      _ = try connection.exchange([Query(.commit)])
    }
  }

  private func look(with connection: Connection) throws -> ServerFacts {
    var argument = ColumnWriter(["schema"])
    try argument.text(settings.schema)
    let answers = try connection.exchange([Query(ServerFacts.select, argument)])
    guard let facts = try answers[0].first({ try ServerFacts(from: &$0) }) else {
      throw connection.broken("the server gave no answer to a query of its settings")
    }
    return facts
  }

  /// How many steps the schema has had, by store; empty when there is none that can be seen.
  private func versions(with connection: Connection) throws -> [(name: String, steps: Int)] {
    guard try PostgresSchema.found(settings.schema, on: connection).versions else { return [] }
    let answers = try connection.exchange([Query(ServerFacts.versions)])
    return try answers[0].all { (try $0.text(), try $0.integer()) }
  }

  private func schemaCheck(
    _ server: ServerFacts, _ versions: [(name: String, steps: Int)]
  ) -> BackendCheck {
    guard server.hasSchema else {
      return BackendCheck("schema", found: "'\(settings.schema)' will be made")
    }
    let newer = versions.filter { found in
      PostgresSchema.all.contains { $0.name == found.name && $0.steps.count < found.steps }
    }
    let names = newer.map(\.name).joined(separator: ", ")
    return BackendCheck(
      "schema",
      found: "'\(settings.schema)' with "
        + (versions.isEmpty
          ? "no tables of ours"
          : versions.map { "\($0.name) \($0.steps)" }.joined(separator: ", ")),
      problem: newer.isEmpty
        ? nil : "a newer program made: \(names); use that program, or another schema")
  }
}

/// What a server says of itself.
private struct ServerFacts {
  let version: String
  let number: Int
  let encoding: String
  let durability: String
  let database: String
  let role: String
  let isReadOnly: Bool
  let mayMakeSchemas: Bool
  let hasSchema: Bool
  let mayUseSchema: Bool
  let closedTables: String?

  init(from columns: inout ColumnReader) throws {
    version = try columns.text()
    number = try columns.integer()
    encoding = try columns.text()
    durability = try columns.text()
    database = try columns.text()
    role = try columns.text()
    isReadOnly = try columns.boolean()
    mayMakeSchemas = try columns.boolean()
    hasSchema = try columns.boolean()
    mayUseSchema = try columns.boolean()
    closedTables = try columns.optionalText()
  }

  /// Whether there are tables that can be looked at.
  var mayRead: Bool { mayUseSchema && closedTables == nil }

  /// Transactions' numbers of 64 bits came with 13; ids and texts need UTF-8.
  var versionCheck: BackendCheck {
    var problem: String?
    if number < 130_000 { problem = "PostgreSQL 13 or newer is needed" }
    if encoding != "UTF8" {
      problem = "the database's encoding is \(encoding); make one with `createdb -E UTF8`"
    }
    return BackendCheck(
      "version", found: "PostgreSQL \(version), \(encoding), \(durability)", problem: problem)
  }

  func permissionCheck(schema: String) -> BackendCheck {
    var problem: String?
    if isReadOnly {
      problem = "the server only reads; name the primary, or set target_session_attrs=read-write"
    } else if !hasSchema && !mayMakeSchemas {
      problem = "the role may not make '\(schema)': GRANT CREATE ON DATABASE \(database) TO \(role)"
    } else if hasSchema && !mayUseSchema {
      problem = "the role may not use '\(schema)': GRANT USAGE ON SCHEMA \(schema) TO \(role)"
    } else if let closedTables {
      problem =
        "the role may not use \(closedTables): GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES "
        + "IN SCHEMA \(schema) TO \(role)"
    }
    return BackendCheck("permissions", found: "role \(role)", problem: problem)
  }

  static let versions = Statement("SELECT name, version FROM schema_versions ORDER BY name")
  static let select = Statement(
    """
    SELECT current_setting('server_version'), current_setting('server_version_num')::integer,
      current_setting('server_encoding'),
      'fsync ' || current_setting('fsync') || ', synchronous_commit '
        || current_setting('synchronous_commit'),
      current_database()::text, current_user::text,
      pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
      has_database_privilege(current_database(), 'CREATE'), schema IS NOT NULL,
      coalesce(has_schema_privilege(schema, 'USAGE'), false),
      (SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class
        WHERE relnamespace = schema AND relkind = 'r' AND NOT (
          has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
          AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')))
    FROM (SELECT (SELECT oid FROM pg_namespace WHERE nspname = $1) AS schema) AS run
    """, [.text])
}
