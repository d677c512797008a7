import Foundation
import Moderation
import Ports
import Testing

@testable import PostgresBackend

/// What only a store on a PostgreSQL server can be asked.
@Suite("PostgreSQL", .enabled(if: LivePostgres.isThere))
struct PostgresAdapterTests {
  private let folder = TemporaryFolder()

  private func open(
    _ change: (inout PostgresSettings) -> Void = { _ in }
  ) throws -> PostgresDatabase {
    var settings = LivePostgres.settings()
    change(&settings)
    return try LivePostgres.database(folder, settings)
  }

  /// The error of a server or of settings that are changed like this.
  private func openingError(_ change: (inout PostgresSettings) -> Void) -> PortError? {
    do {
      _ = try PostgresApplicationStore(
        try open {
          $0.pause = .milliseconds(1)
          change(&$0)
        })
      return nil
    } catch { return error as? PortError }
  }

  @Test("A wrong password is denied at once, and the cure named")
  func wrongPassword() throws {
    let error = openingError { $0.password = "wrong" }
    #expect(error?.code == .denied)
    #expect(error?.isRetryable == false)
    #expect(error?.hint.contains("correct user and password") == true, "\(error as Any)")
    #expect(error?.hint.contains(":\(try LivePostgres.port())") == true, "\(error as Any)")
  }

  @Test("A server that doesn't answer is unavailable, and named")
  func unreachable() async throws {
    let error = openingError {
      $0.host = "127.0.0.1"
      $0.port = 1
    }
    #expect(error?.code == .unavailable)
    #expect(error?.hint.contains("127.0.0.1:1") == true, "\(error as Any)")
    #expect(error?.hint.contains("start the server") == true)
  }

  @Test("Under TLS the server's certificate is verified", .enabled(if: LiveServices.tls != nil))
  func verified() throws {
    let tls = try #require(LiveServices.tls)
    let database = try open {
      $0.sslMode = "verify-full"
      $0.rootCertificate = tls.authority
    }
    let answers = try database.run(
      PortMethod("test", "tls"),
      [Query(Statement("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))])
    #expect(try answers[0].first { try $0.boolean() } == true)
  }

  @Test(
    "A certificate that can't be trusted is refused at once, and the settings named",
    .enabled(if: LiveServices.tls != nil))
  func unverified() throws {
    let tls = try #require(LiveServices.tls)
    for file in [tls.stranger, "/no/such.pem"] {
      let error = openingError {
        $0.sslMode = "verify-full"
        $0.rootCertificate = file
      }
      #expect(error?.code == .invalid, "\(error as Any)")
      #expect(error?.hint.contains("certificate") == true, "\(error as Any)")
      #expect(error?.hint.contains("ssl_root_certificate") == true, "\(error as Any)")
    }
  }

  @Test("A database that isn't there is named, with the cure")
  func noDatabase() {
    let error = openingError { $0.database = "nowhere" }
    #expect(error?.code == .notFound)
    #expect(error?.hint.contains("nowhere") == true, "\(error as Any)")
    #expect(error?.hint.contains("createdb") == true)
  }

  @Test("Settings that can't be are invalid, and named")
  func settings() {
    let cases: [(name: String, change: (inout PostgresSettings) -> Void)] = [
      ("schema", { $0.schema = "a\"; DROP SCHEMA public" }), ("schema", { $0.schema = "" }),
      ("schema", { $0.schema = String(repeating: "x", count: 64) }),
      ("schema", { $0.schema = "pg_mine" }), ("pool_size", { $0.poolSize = 0 }),
      ("attempts", { $0.attempts = 0 }), ("conninfo", { $0.conninfo = "here" }),
    ]
    for (name, change) in cases {
      let error = openingError(change)
      #expect(error?.code == .invalid)
      #expect(error?.hint.hasPrefix("\(name): ") == true, "\(error as Any)")
    }
  }

  @Test("Each schema holds tables of its own")
  func isolation() async throws {
    let stores = [
      try PostgresApplicationStore(try open()), try PostgresApplicationStore(try open()),
    ]
    _ = try await stores[0].commit([.insertUser(Rows.user(1)), .enqueue(Rows.event(1))])
    #expect(try await stores[1].snapshot().users.isEmpty)
    #expect(try await stores[1].outbox(limit: 9).isEmpty)
  }

  @Test("Services that start at once make the tables once")
  func startedAtOnce() async throws {
    let database = try open()
    let settings = database.settings
    let codes = await withTaskGroup(of: PortError.Code?.self) { group in
      for _ in 0..<4 {
        group.addTask { @concurrent in
          await code {
            let own = try PostgresDatabase(settings)
            defer { own.close() }
            _ = try PostgresApplicationStore(own)
            _ = try PostgresCheckpointStore(own)
            _ = try PostgresTableCatalog(own, catalog: "lake")
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(codes == [nil, nil, nil, nil])
    let versions = try LivePostgres.outsider(of: database)
      .texts("SELECT name FROM schema_versions WHERE version = 1 ORDER BY name")
    #expect(versions == ["application", "checkpoints", "table catalog"])
  }

  @Test("Tables that psql made from docker/init_sql are taken as they are")
  func madeByHand() async throws {
    let database = try open()
    let outsider = try LivePostgres.outsider(of: database)
    try outsider.run("CREATE SCHEMA \(database.settings.schema)")
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../docker/init_sql")
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
      try outsider.run(
        try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8))
    }
    let store = try PostgresApplicationStore(database)
    try await Rows.insertFirst(into: store)
    _ = try PostgresCheckpointStore(database)
    _ = try PostgresTableCatalog(database, catalog: "lake")
    #expect(database.check().compactMap(\.problem).isEmpty)
  }

  @Test("Tables of a newer program aren't touched")
  func newer() throws {
    let database = try open()
    _ = try PostgresApplicationStore(database)
    try LivePostgres.outsider(of: database).run("UPDATE schema_versions SET version = 99")
    #expect(throws: PortError.self) { _ = try PostgresApplicationStore(database) }
  }

  @Test("A look at a schema finds nothing wrong, before its tables are made and after")
  func check() async throws {
    let database = try open()
    let before = database.check()
    #expect(before.map(\.what) == ["reachable", "version", "permissions", "schema"])
    #expect(before.compactMap(\.problem).isEmpty, "\(before)")
    #expect(before[3].found.contains("will be made"))
    #expect(database.check() == before, "looking makes nothing")
    _ = try PostgresApplicationStore(database)
    let after = database.check()
    #expect(after.compactMap(\.problem).isEmpty, "\(after)")
    #expect(after[3].found.contains("application 1"))
    try LivePostgres.outsider(of: database).run("UPDATE schema_versions SET version = 99")
    #expect(database.check()[3].problem?.contains("application") == true)
  }

  @Test("A look at what isn't there, or may not be used, says so")
  func checkProblems() async throws {
    let nobody = try open { $0.port = 1 }.check()
    #expect(nobody.map(\.what) == ["reachable"])
    #expect(nobody[0].problem?.contains("start the server") == true, "\(nobody)")

    let database = try open()
    _ = try PostgresApplicationStore(database)
    let outsider = try LivePostgres.outsider(of: database)
    let (schema, role) = (database.settings.schema, "\(database.settings.schema)guest")
    try outsider.run("CREATE ROLE \(role) LOGIN PASSWORD 'guest'")
    // A role without rights is all that a test which stops here leaves behind.
    defer { try? outsider.run("DROP OWNED BY \(role); DROP ROLE \(role)") }
    let guest = try open {
      $0.schema = schema
      $0.user = role
      $0.password = "guest"
    }
    #expect(guest.check()[2].problem?.contains("GRANT USAGE") == true)
    try outsider.run("GRANT USAGE ON SCHEMA \(schema) TO \(role)")
    #expect(guest.check()[2].problem?.contains("GRANT SELECT") == true)
    let tables = "ON ALL TABLES IN SCHEMA \(schema) TO \(role)"
    try outsider.run("GRANT SELECT, INSERT, UPDATE, DELETE \(tables)")
    let checks = guest.check()
    #expect(checks.compactMap(\.problem).isEmpty, "\(checks)")
    let store = try PostgresApplicationStore(guest)
    _ = try await store.commit([.enqueue(Rows.event(1))])
    guest.close()
  }

  @Test("Cleaning removes the schema, again and again, and nothing else")
  func clean() async throws {
    let (database, other) = (try open(), try open())
    let store = try PostgresApplicationStore(database)
    let beside = try PostgresApplicationStore(other)
    for each in [store, beside] { _ = try await each.commit([.insertUser(Rows.user(1))]) }
    try database.clean()
    try database.clean()
    #expect(database.check()[3].found.contains("will be made"))
    #expect(try await beside.snapshot().users.count == 1)
    let error = await failure { try await store.snapshot() }
    #expect(error?.code == .corrupt, "\(error as Any)")
    let again = try PostgresApplicationStore(database)
    #expect(try await again.snapshot().users.isEmpty)
  }

  @Test("The schema public is never dropped")
  func cleanPublic() async throws {
    var settings = LivePostgres.settings()
    settings.schema = "public"
    let database = try PostgresDatabase(settings)
    let error = await failure { try database.clean() }
    #expect(error?.code == .invalid)
  }

  @Test("A closed database takes no calls")
  func closed() async throws {
    let database = try open()
    let store = try PostgresApplicationStore(database)
    database.close()
    let error = await failure { try await store.snapshot() }
    #expect(error?.isRetryable == false)
    #expect(error?.hint.contains("closed") == true, "\(error as Any)")
  }

  @Test("A lock that another holds too long makes the call unavailable, and nothing is done")
  func locked() async throws {
    let database = try open {
      $0.lockLimit = .milliseconds(20)
    }
    let store = try PostgresApplicationStore(database)
    let outsider = try LivePostgres.outsider(of: database)
    try outsider.run("BEGIN; LOCK TABLE users IN SHARE MODE")
    let error = await failure { try await store.commit([.insertUser(Rows.user(1))]) }
    #expect(error?.code == .unavailable)
    #expect(error?.hint.contains("`lock_limit`") == true, "\(error as Any)")
    try outsider.run("ROLLBACK")
    _ = try await store.commit([.insertUser(Rows.user(1))])
    #expect(try await store.snapshot().users.count == 1)
  }

  @Test("Events wait for a commit that has begun to write its own, before they get a sequence")
  func outboxLock() async throws {
    let database = try open { $0.lockLimit = .milliseconds(20) }
    let store = try PostgresApplicationStore(database)
    let outsider = try LivePostgres.outsider(of: database)
    try outsider.run(
      """
      BEGIN;
      SELECT pg_advisory_xact_lock('outbox'::regclass::oid::bigint);
      INSERT INTO outbox (topic, value, event_time) VALUES ('t', 'first', '2025-06-15');
      """)
    #expect(await code { try await store.commit([.enqueue(Rows.event(1))]) } == .unavailable)
    _ = try await store.commit([.insertUser(Rows.user(1))])
    try outsider.run("COMMIT")
    _ = try await store.commit([.enqueue(Rows.event(1))])
    #expect(try await store.outboxText() == ["first", "1"])
    #expect(try await store.outbox(limit: 9).map(\.sequence) == [1, 2])
  }

  /// What somebody else is about to commit that a decision about image 1 depends on.
  static let rivals = [
    "UPDATE flags SET review_status = 'rejected'", "UPDATE images SET deleted_at = '2025-06-15'",
  ]

  @Test("A decision waits for another about the same item", arguments: rivals)
  func decisionLock(rival: String) async throws {
    let database = try open { $0.lockLimit = .milliseconds(20) }
    let store = try PostgresApplicationStore(database)
    try await Rows.insertFirst(into: store)
    let outsider = try LivePostgres.outsider(of: database)
    try outsider.run("BEGIN; \(rival)")
    let decision: [Mutation] = [
      .requirePending(.image(.number(1))),
      .insertModeration(Rows.moderation(2, mode: "human")),
    ]
    #expect(await code { try await store.commit(decision) } == .unavailable)
    try outsider.run("COMMIT")
    #expect(await code { try await store.commit(decision) } == .conflict)
    #expect(try await store.snapshot().moderation.count == 1)
  }

  @Test("A statement that takes too long is given up")
  func tooLong() async throws {
    let database = try open { $0.statementLimit = .milliseconds(20) }
    let error = await failure {
      try database.run(
        PortMethod("test", "sleep"), [Query(Statement("SELECT pg_sleep(9)::text"))])
    }
    #expect(error?.code == .unavailable)
    #expect(error?.hint.contains("`statement_limit`") == true, "\(error as Any)")
  }

  @Test("Every connection being in use is unavailable, with the cure")
  func exhausted() async throws {
    let database = try open {
      $0.poolSize = 1
      $0.connectLimit = .milliseconds(200)
    }
    let error = try database.attempt(PortMethod("test", "hold")) { _ in
      do {
        _ = try database.run(PortMethod("test", "wait"), [Query(.begin)])
        return nil as PortError?
      } catch { return error as? PortError }
    }
    #expect(error?.code == .unavailable)
    #expect(error?.hint.contains("`pool_size`") == true, "\(error as Any)")
  }

  @Test("A table that is altered meanwhile is no obstacle")
  func altered() async throws {
    let database = try open { $0.poolSize = 1 }
    let store = try PostgresApplicationStore(database)
    _ = try await store.commit([.insertUser(Rows.user(1))])
    #expect(try await store.snapshot().users.count == 1)
    try LivePostgres.outsider(of: database).run(
      "ALTER TABLE users ALTER COLUMN username TYPE varchar(64)")
    #expect(try await store.snapshot().users.count == 1)
  }
}
