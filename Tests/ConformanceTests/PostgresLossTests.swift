import Foundation
import Moderation
import Ports
import Testing

@testable import PostgresBackend

/// What becomes of a call whose connection is lost on the way.
@Suite("PostgreSQL, connections lost", .enabled(if: LivePostgres.isThere), .serialized)
struct PostgresLossTests {
  private let folder = TemporaryFolder()

  /// A store with user and image 1 behind a proxy, its one connection being open.
  private func prepare(
    attempts: Int = 5
  ) async throws -> (store: PostgresApplicationStore, proxy: LossyProxy) {
    let proxy = try LossyProxy(to: try LivePostgres.port())
    var settings = LivePostgres.settings()
    settings.host = "127.0.0.1"
    settings.port = proxy.port
    settings.sslMode = "disable"
    settings.poolSize = 1
    settings.attempts = attempts
    settings.pause = .milliseconds(10)
    let store = try PostgresApplicationStore(try LivePostgres.database(folder, settings))
    _ = try await store.commit([.insertUser(Rows.user(1)), .insertImage(Rows.image(1))])
    return (store, proxy)
  }

  @Test("A read is repeated")
  func read() async throws {
    let (store, proxy) = try await prepare()
    for loss in [LossyProxy.Loss.request(1), .answer(1)] {
      proxy.lose(loss)
      #expect(try await store.fetch([.user(.number(1))]) == [.user(Rows.user(1))])
      proxy.lose(loss)
      try await store.markPublished([1])
    }
  }

  @Test("A commit that wasn't carried out is repeated", arguments: 1...2)
  func request(piece: Int) async throws {
    let (store, proxy) = try await prepare()
    proxy.lose(.request(piece))
    let outcomes = try await store.commit([.addView(.number(1)), .enqueue(Rows.event(1))])
    #expect(outcomes.map(\.views) == [1, nil])
    #expect(try await store.outboxText() == ["1"])
  }

  @Test("A transaction whose reads aren't answered is repeated")
  func firstAnswer() async throws {
    let (store, proxy) = try await prepare()
    proxy.lose(.answer(1))
    let outcomes = try await store.commit([.addView(.number(1)), .enqueue(Rows.event(1))])
    #expect(outcomes.map(\.views) == [1, nil])
    #expect(try await store.outboxText() == ["1"])
  }

  @Test("A commit that was carried out isn't repeated, though its answer was lost")
  func answer() async throws {
    let (store, proxy) = try await prepare()
    proxy.lose(.answer(2))
    let outcomes = try await store.commit([.insertUser(Rows.user(2)), .enqueue(Rows.event(1))])
    #expect(outcomes.allSatisfy { $0.isDone })
    #expect(try await store.outboxText() == ["1"])
    #expect(try await store.fetch([.user(.number(2))]) == [.user(Rows.user(2))])
  }

  @Test("A number that was lost makes the outcome unknown; with the key it comes again")
  func lostNumber() async throws {
    let (store, proxy) = try await prepare()
    let view: [Mutation] = [.addView(.number(1), key: .number(7)), .enqueue(Rows.event(1))]
    proxy.lose(.answer(2))
    let error = await failure { try await store.commit(view) }
    #expect(error?.code == .unknownOutcome)
    #expect(error?.hint.contains("it was done") == true, "\(error as Any)")
    #expect(try await store.commit(view).map(\.views) == [1, nil])
    #expect(try await store.outboxText() == ["1"])
  }

  @Test("When nobody can be asked, the outcome is unknown")
  func nobodyToAsk() async throws {
    let (store, proxy) = try await prepare(attempts: 2)
    proxy.lose(.answer(2))
    proxy.stop()
    let error = await failure { try await store.commit([.insertUser(Rows.user(2))]) }
    #expect(error?.code == .unknownOutcome)
    let next = await failure { try await store.commit([.insertUser(Rows.user(2))]) }
    #expect(next?.code == .unavailable, "nothing was sent this time")
    #expect(next?.hint.contains("127.0.0.1:\(proxy.port)") == true, "\(next as Any)")
  }

  @Test("A checkpoint and a table's pointer move once")
  func compareAndSwap() async throws {
    let proxy = try LossyProxy(to: try LivePostgres.port())
    var settings = LivePostgres.settings()
    settings.host = "127.0.0.1"
    settings.port = proxy.port
    settings.sslMode = "disable"
    let database = try LivePostgres.database(folder, settings)
    let checkpoints = try PostgresCheckpointStore(database)
    let catalog = try PostgresTableCatalog(database, catalog: "lake")
    try await catalog.createNamespace("n")
    let checkpoint = Checkpoint(offsets: [TopicPartition("t", 0): 1])
    for loss in [LossyProxy.Loss.request(1), .answer(1), .request(2), .answer(2)] {
      proxy.lose(loss)
      try await checkpoints.save(
        checkpoint, as: "job", expecting: try await checkpoints.load("job"))
      let table = TableName("n", "t")
      proxy.lose(loss)
      try await catalog.move(table, from: nil, to: "s3://1")
      try await catalog.drop(table)
    }
  }

  @Test("Sessions that the server has ended are made anew")
  func ended() async throws {
    let database = try LivePostgres.database(folder)
    let store = try PostgresApplicationStore(database)
    let outsider = try LivePostgres.outsider(of: database)
    for _ in 0..<3 {
      try outsider.run(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = '\(database.settings.applicationName)'
        """)
      _ = try await store.commit([.enqueue(Rows.event(1))])
    }
    #expect(try await store.outboxText() == ["1", "1", "1"])
  }
}
