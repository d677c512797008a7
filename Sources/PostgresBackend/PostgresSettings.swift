/// How to reach a PostgreSQL server, and how much to ask of it.
///
/// What is nil here is taken from ``conninfo``, and what is in neither from where libpq looks: the
/// variables `PGHOST`, `PGPASSWORD` … and `~/.pgpass`.
public struct PostgresSettings: Hashable, Sendable {
  /// libpq's connection string, `host=… port=…` or `postgresql://…`; other properties that are set
  /// take precedence.
  public var conninfo = ""
  /// The server's name or address, or the folder of its Unix socket; several with commas between.
  public var host: String?
  /// The server's port.
  public var port: Int?
  /// The role to log in as.
  public var user: String?
  /// The database of the server.
  public var database: String?
  /// The role's password.
  public var password: String?
  /// What TLS must prove: `disable`, `prefer`, `require`, `verify-ca` or `verify-full`.
  public var sslMode: String?
  /// The file with the certificates of the authorities that may vouch for the server.
  public var rootCertificate: String?
  /// The schema that holds the tables, the run's own: small letters, digits and `_`, at most 63.
  public var schema = "rehearsal"
  /// How many connections there may be at once.
  public var poolSize = 4
  /// How long a connection may take to be made, or a caller wait for one of the pool.
  public var connectLimit: Duration = .seconds(5)
  /// How long the server may work on one statement (`statement_timeout`), and how long it waits for
  /// a client within a transaction.
  public var statementLimit: Duration = .seconds(30)
  /// How long the server may wait for another transaction's lock (`lock_timeout`).
  public var lockLimit: Duration = .seconds(10)
  /// How long the client waits for the next bytes of an answer before it gives a connection up.
  public var replyLimit: Duration = .seconds(60)
  /// How often a call is tried in all when the connection is lost or transactions collide.
  public var attempts = 5
  /// How long the pause before the second attempt is on average; each one after is twice as long.
  public var pause: Duration = .milliseconds(50)
  /// What `pg_stat_activity` calls the connections.
  public var applicationName = "rehearsal"

  /// The defaults: the server that libpq finds by itself.
  public init() {}
}
