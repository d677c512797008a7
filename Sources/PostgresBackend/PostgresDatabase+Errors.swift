import Ports

extension PortError.Code {
  /// PostgreSQL reports what none of its adapters expects.
  public static let postgres = PortError.Code(name: "postgres", isRetryable: false)
}

extension PostgresDatabase {
  /// What the caller of a port is told about an error from a body, libpq or the server.
  static func portError(_ error: any Error, _ operation: PortMethod) -> PortError {
    switch error {
    case let error as PortError: error
    case let error as UnreadableColumn:
      operation.error(
        .corrupt,
        "column \(error.column) holds \(error.value), not \(error.expected); correct the row with "
          + "psql")
    case let error as UnstorableValue:
      operation.error(.invalid, "\(error.column): \(error.problem)")
    case let error as ConnectionFailure: connection(error, operation)
    case let error as ServerError:
      constraint(error, operation) ?? condition(error, operation)
    case is PoolExhausted:
      operation.error(
        .unavailable,
        "every connection is in use; raise `pool_size`, or `connect_limit` to wait longer")
    case is PoolClosed:
      operation.error(.invalid, "the database was closed; a closed database takes no calls")
    default: operation.error(.postgres, "\(error)")
    }
  }

  /// There is no connection.
  private static func connection(
    _ failure: ConnectionFailure, _ operation: PortMethod
  ) -> PortError {
    let said = "\(failure.address): \(failure.said)"
    guard !failure.wasOpen else {
      return operation.error(
        .unavailable, "the connection was lost; \(said); see the server's log, then try again")
    }
    return switch failure.state?.prefix(2) {
    case "28":
      operation.error(
        .denied, "\(said); correct user and password, or let them in with pg_hba.conf")
    case "3D":
      operation.error(.notFound, "\(said); make it with `createdb`, or name another database")
    case "53":
      operation.error(
        .unavailable, "\(said); raise the server's max_connections, or lower `pool_size`")
    case nil where failure.isAboutTrust:
      operation.error(
        .invalid,
        "\(said); see that `ssl_root_certificate` names the file of who signed the server's "
          + "certificate, and `ssl_mode` what it must prove")
    case nil:
      operation.error(
        .unavailable, "\(said); start the server, or correct `host`, `port` and `ssl_mode`")
    default: operation.error(.unavailable, "\(said); try again when the server is ready")
    }
  }

  /// What the server says of the rows; nil when it speaks of something else.
  private static func constraint(_ error: ServerError, _ operation: PortMethod) -> PortError? {
    let place = [error.table, error.column].compactMap { $0 }.joined(separator: ".")
    return switch error.state {
    case "23503":
      operation.error(.missingReference, "\(error.text): a row refers to one that doesn't exist")
    case "23505":
      operation.error(
        .invalid,
        "\(place): \(error.text) (\(error.constraint ?? "")): one commit inserts the same key "
          + "twice")
    case "23502": operation.error(.invalid, "\(place): \(error.text): give the column a value")
    case let state where state.hasPrefix("23") || state.hasPrefix("22"):
      operation.error(.invalid, "\(place): \(error.text): correct that column")
    default: nil
    }
  }

  /// What the server says of itself and of this session.
  private static func condition(_ error: ServerError, _ operation: PortMethod) -> PortError {
    let said = "\(error.address): \(error.text)"
    return switch error.state {
    case "40001", "40P01":
      operation.error(.unavailable, "\(said); other transactions were in the way: try again")
    case "55P03":
      operation.error(
        .unavailable,
        "\(said); another transaction holds the lock: pg_stat_activity names it; try again, or "
          + "raise `lock_limit`")
    case "57014":
      operation.error(
        .unavailable,
        "\(said); the statement was cancelled or took longer than `statement_limit`: raise "
          + "it, or see pg_stat_activity for what keeps the server busy")
    case "25006":
      operation.error(
        .unavailable,
        "\(said); this server only reads: name the primary, or add target_session_attrs=read-write "
          + "to conninfo")
    case "42501":
      operation.error(.denied, "\(said); GRANT the role what it needs, or use the tables' owner")
    case "3F000", "42P01", "42703":
      operation.error(
        .corrupt,
        "\(said); the schema isn't what this program made: restore it, or clean it and open the "
          + "store again")
    case let state where state.hasPrefix("XX"):
      operation.error(.corrupt, "\(said); restore a backup, or see the server's log")
    case let state where state.hasPrefix("53"):
      operation.error(
        .unavailable, "\(said); free disk or memory on the server, then try again")
    case "25P03", "25P02": operation.error(.unavailable, "\(said); try again")
    default: operation.error(.postgres, "\(said) (SQLSTATE \(error.state))")
    }
  }
}
