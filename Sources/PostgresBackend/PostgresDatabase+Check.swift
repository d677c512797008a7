import Ports

extension PostgresDatabase {
  /// Drops the schema with everything in it, whether or not it is there.
  ///
  /// Refuses `public`, which may hold what is somebody else's.
  public func clean() throws(PortError) {
    let operation = PortOperation("PostgresDatabase", "clean")
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
}
