import Moderation
import Ports
import Testing

@testable import PostgresBackend

/// Values at their limits, rows that others have spoilt, and writers at the same time.
@Suite("PostgreSQL rows", .enabled(if: LivePostgres.isThere))
struct PostgresRowTests {
  private let folder = TemporaryFolder()

  private func open() throws -> (store: PostgresApplicationStore, outsider: PostgresOutsider) {
    let database = try LivePostgres.database(folder)
    let store = try PostgresApplicationStore(database)
    return (store, try LivePostgres.outsider(of: database))
  }

  /// 0000-01-01 and the last microsecond of 9999.
  private static let ends = [-62_167_219_200_000_000, 253_402_300_799_999_999]
    .map { EventTime(microseconds: $0) }

  /// One row of every table, every column with a value that isn't its default.
  private static let everything: [Mutation] = [
    .insertUser(
      User(
        id: .number(1), username: "ánn 'x' \"y\"; -- $1 {,}", tosVersionAccepted: 3,
        tosAcceptedAt: EventTime(microseconds: -1), countryOfResidence: "DE", yearOfBirth: 2000,
        dateOfBirth: CivilDate(year: 1904, month: 2, day: 29), isTestAccount: true,
        createdAt: ends[0], foundIneligibleAt: ends[1])),
    .insertImage(
      Image(
        id: .number(1), userID: .number(1), s3URL: "http://x/y", source: "synthetic",
        caption: "🍜\n\\?", category: "", createdAt: Sample.at(3).later(999_999),
        deletedAt: Sample.at(4), views: 7)),
    .insertModeration(
      ModerationRow(
        id: .number(1), requestID: .number(9), target: .comment(.number(1)),
        inferenceMode: String(repeating: "é", count: 20), modelVersion: "3",
        riskScore: 0.1 + 0.2, triggerType: "viral", policyVersion: "v2", rationale: "NULL",
        createdAt: Sample.at(5))),
    .insertModeration(
      ModerationRow(
        id: .number(2), requestID: nil, target: .account(.number(1)), inferenceMode: "human",
        riskScore: 1, triggerType: nil, createdAt: Sample.at(6))),
    .insertComment(
      Comment(
        id: .number(1), imageID: .number(1), userID: .number(1), content: "",
        isModeratorHidden: true, moderatorActionID: .number(2), deletedAt: Sample.at(7),
        createdAt: Sample.at(6))),
    .insertFlag(
      Flag(
        id: .number(1), userID: .number(1), imageID: .number(1), commentID: .number(1),
        reason: "r", moderationActionID: .number(2), reviewStatus: .confirmed,
        resolvedAt: Sample.at(9), createdAt: Sample.at(8))),
    .enqueue(OutboxEvent(topic: "t", key: nil, value: [0, 255, 10], time: Sample.at(9))),
    .enqueue(OutboxEvent(topic: "", key: .number(4095), value: [], time: ends[0])),
  ]

  @Test("A row comes back as it was written, to the microsecond and the last bit")
  func roundTrip() async throws {
    let (store, _) = try open()
    _ = try await store.commit(Self.everything)
    let keys: [RowKey] = [
      .user(.number(1)), .image(.number(1)), .moderation(.number(1)), .moderation(.number(2)),
      .comment(.number(1)), .flag(.number(1)),
    ]
    for (mutation, row) in zip(Self.everything, try await store.fetch(keys)) {
      #expect(row == mutation.postgresRow)
    }
    let events = try await store.outbox(limit: 9).map(\.event)
    #expect(events.map(\.value) == [[0, 255, 10], []])
    #expect(events.map(\.key) == [nil, .number(4095)])
    #expect(events.map(\.time) == [Sample.at(9), Self.ends[0]])
  }

  @Test("A person reads ids, instants and numbers as they are")
  func readable() async throws {
    let (store, outsider) = try open()
    _ = try await store.commit(Self.everything)
    let lines = try outsider.texts(
      """
      SELECT id || '|' || user_id || '|' || to_char(created_at AT TIME ZONE 'UTC',
        'YYYY-MM-DD HH24:MI:SS.US') || '|' || views FROM images
      """)
    let id = "00000000-0000-4001-8000-000000000001"
    #expect(lines == ["\(id)|\(id)|2025-06-15 14:00:03.999999|7"])
  }

  /// Rows that a column excludes, and the column.
  static let excluded: [(row: Mutation, column: String)] = [
    (.insertUser(Rows.user(2, "a\0b")), "username"),
    (.insertFlag(Rows.flag(2)), "image_id_or_comment_id"),
    (.insertModeration(Rows.moderation(2, risk: 1.5)), "risk_score"),
    (.insertModeration(Rows.moderation(2, risk: .nan)), "risk_score"),
    (.insertModeration(Rows.moderation(2, mode: String(repeating: "x", count: 21))), "mode"),
    (
      .insertModeration(Rows.moderation(2, request: 1, mode: String(repeating: "x", count: 21))),
      "mode"
    ),
    (.insertImage(Rows.image(2, deletedAt: EventTime(microseconds: .max))), "deleted_at"),
    (
      .insertUser(
        User(id: .number(2), username: "b", tosVersionAccepted: .max, createdAt: Sample.start)),
      "tos_version_accepted"
    ),
    (
      .insertUser(
        User(id: .number(2), username: "b", countryOfResidence: "DEU", createdAt: Sample.start)),
      "country_of_residence"
    ),
    (
      .insertImage(
        Image(
          id: .number(2), userID: .number(1), s3URL: "", source: "else", createdAt: Sample.start)),
      "source"
    ),
  ]

  @Test("A row that a column excludes is invalid, and named", arguments: excluded.indices)
  func invalid(index: Int) async throws {
    let (store, _) = try open()
    try await Rows.insertFirst(into: store)
    let (row, column) = Self.excluded[index]
    let error = await failure { try await store.commit([.enqueue(Rows.event(1)), row]) }
    #expect(error?.code == .invalid)
    #expect(error?.hint.contains(column) == true, "\(error as Any)")
    #expect(try await store.outbox(limit: 9).isEmpty)
  }

  @Test("A key inserted twice in one commit is invalid, and nothing is done")
  func twiceInOne() async throws {
    let (store, _) = try open()
    try await Rows.insertFirst(into: store)
    let error = await failure {
      try await store.commit([.insertImage(Rows.image(2)), .insertImage(Rows.image(2, at: 9))])
    }
    #expect(error?.code == .invalid)
    #expect(error?.hint.contains("images_pkey") == true, "\(error as Any)")
    #expect(try await store.snapshot().images.count == 1)
  }

  /// What somebody else may do to a column, the column's name, and what its error shows.
  static let spoilt: [(script: String, column: String, value: String)] = [
    ("UPDATE users SET created_at = 'infinity'", "created_at", "127"),
    (
      "ALTER TABLE users ALTER COLUMN created_at DROP NOT NULL; UPDATE users SET created_at = NULL",
      "created_at", "NULL"
    ),
  ]

  @Test("A value that somebody else has spoilt is named by its column", arguments: spoilt.indices)
  func spoiltColumn(index: Int) async throws {
    let (store, outsider) = try open()
    _ = try await store.commit([.insertUser(Rows.user(1))])
    let (script, column, value) = Self.spoilt[index]
    try outsider.run(script)
    let error = await failure { try await store.snapshot() }
    #expect(error?.code == .corrupt)
    #expect(error?.hint.contains(column) == true, "\(error as Any)")
    #expect(error?.hint.contains(value) == true, "\(error as Any)")
  }

  @Test("A name is found byte by byte")
  func names() async throws {
    let (store, _) = try open()
    _ = try await store.commit([.insertUser(Rows.user(1, "e\u{301}"))])
    let found = try await store.fetch([.username("\u{e9}"), .username("e\u{301}\0")])
    #expect(found == [nil, nil])
    #expect(try await store.commit([.insertUser(Rows.user(2, "\u{e9}"))]).allSatisfy(\.isDone))
  }

  @Test("Scores of one request are told apart when a batch has them twice, and by their row")
  func scoresTwice() async throws {
    let (store, _) = try open()
    try await Rows.insertFirst(into: store)
    let first = Rows.moderation(2, request: 7)
    let outcomes = try await store.commit([
      .insertModeration(first), .insertModeration(Rows.moderation(3, request: 7)),
    ])
    #expect(outcomes.map(\.existing) == [nil, .moderation(first)])
    let again = try await store.commit([.insertModeration(first)])
    #expect(again.map(\.existing) == [.moderation(first)])
  }

  /// Calls a body many times at once.
  private func race<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) async -> Value
  ) async -> [Value] {
    await withTaskGroup(of: Value.self) { group in
      for number in 0..<count { group.addTask { @concurrent in await body(number) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }

  @Test("Views at the same time are all counted, and numbered without a gap")
  func views() async throws {
    let (store, _) = try open()
    try await Rows.insertFirst(into: store)
    let views = await race(40) { number -> Int? in
      let view: [Mutation] = [.addView(.number(1)), .enqueue(Rows.event(number))]
      // A failure shows as a number that is missing.
      return try? await store.commit(view)[0].views
    }
    #expect(views.compactMap(\.self).sorted() == Array(1...40))
    #expect(try await store.outbox(limit: 99).count == 40)
  }

  @Test("Of equal inserts at the same time one is done, and the others find its row")
  func inserts() async throws {
    let (store, _) = try open()
    for round in 1...10 as ClosedRange<UInt64> {
      let outcomes = await race(4) { number -> MutationOutcome? in
        // A failure is neither done nor existing.
        try? await store.commit([
          .insertUser(Rows.user(round * 10 + UInt64(number), "name \(round)")),
          .enqueue(Rows.event(number)),
        ])[0]
      }
      #expect(outcomes.filter { $0?.isDone == true }.count == 1)
      #expect(Set(outcomes.compactMap { $0?.existing }).count == 1)
      #expect(outcomes.filter { $0?.existing != nil }.count == 3)
    }
    #expect(try await store.outbox(limit: 99).count == 10)
  }

  @Test("Of moderators who decide at the same time one is first")
  func moderators() async throws {
    let (store, _) = try open()
    try await Rows.insertFirst(into: store)
    for round in 0..<5 as Range<UInt64> {
      _ = try await store.commit([.insertFlag(Rows.flag(10 + round, image: 1))])
      let codes = await race(3) { number -> PortError.Code? in
        let action = ModerationID.number(100 + round * 10 + UInt64(number))
        return await code {
          try await store.commit([
            .requirePending(.image(.number(1))),
            .insertModeration(
              ModerationRow(
                id: action, requestID: nil, target: .image(.number(1)), inferenceMode: "human",
                riskScore: 1, triggerType: "review", createdAt: Sample.start)),
            .resolveFlags(.image(.number(1)), status: .confirmed, by: action, at: Sample.start),
          ])
        }
      }
      #expect(codes.filter { $0 == nil }.count == 1)
      #expect(codes.filter { $0 == .conflict }.count == 2)
    }
    let decisions = try await store.snapshot().moderation.filter { $0.inferenceMode == "human" }
    #expect(decisions.count == 5)
  }

  @Test("An entry of the outbox never appears before one that was read")
  func outboxOrder() async throws {
    let (store, _) = try open()
    let isInOrder = await withTaskGroup(of: Bool.self) { group in
      for writer in 0..<3 {
        group.addTask { @concurrent in
          for number in 0..<20 {
            // A commit that fails shows as an entry that is missing in the end.
            _ = try? await store.commit([.enqueue(Rows.event(writer * 100 + number))])
          }
          return true
        }
      }
      group.addTask { @concurrent in
        var seen: [OutboxEntry] = []
        for _ in 0..<2000 where seen.count < 60 {
          guard let entries = try? await store.outbox(limit: 99),
            entries.starts(with: seen)
          else { return false }
          seen = entries
        }
        return seen.count == 60
      }
      return await group.allSatisfy { $0 }
    }
    #expect(isInOrder)
  }

  @Test("Commits that lock rows in opposite orders are all carried out")
  func deadlocks() async throws {
    let (store, _) = try open()
    try await Rows.insertFirst(into: store)
    _ = try await store.commit([.insertImage(Rows.image(2))])
    let codes = await race(12) { number in
      let images: [ImageID] =
        number % 2 == 0 ? [.number(1), .number(2)] : [.number(2), .number(1)]
      return await code { try await store.commit(images.map { .addView($0) }) }
    }
    #expect(codes.allSatisfy { $0 == nil })
    #expect(try await store.snapshot().images.map(\.views) == [12, 12])
  }

  @Test("A view of Iceberg for Java is no table of the catalog, and stays")
  func view() async throws {
    let database = try LivePostgres.database(folder)
    let catalog = try PostgresTableCatalog(database, catalog: "lake")
    let other = try PostgresTableCatalog(database, catalog: "other")
    let outsider = try LivePostgres.outsider(of: database)
    try await catalog.createNamespace("n")
    let (old, table, view) = (TableName("n", "old"), TableName("n", "t"), TableName("n", "v"))
    try await catalog.move(old, from: nil, to: "s3://1")
    try outsider.run(
      """
      ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5);
      INSERT INTO iceberg_tables VALUES ('lake', 'n', 't', 's3://2', NULL, 'TABLE');
      INSERT INTO iceberg_tables VALUES ('lake', 'n', 'v', 's3://3', NULL, 'VIEW');
      """)
    #expect(try await catalog.tables() == [old, table])
    #expect(try await catalog.location(of: table) == "s3://2")
    #expect(try await catalog.location(of: view) == nil)
    try await catalog.move(old, from: "s3://1", to: "s3://4")
    #expect(try await catalog.location(of: old) == "s3://4")
    try await catalog.drop(view)
    #expect(try outsider.texts("SELECT table_name FROM iceberg_tables").count == 3)
    #expect(try await other.tables().isEmpty)
    #expect(await code { try await other.move(table, from: nil, to: "s3://2") } == .notFound)
  }
}

extension Mutation {
  /// The row that the mutation inserts.
  fileprivate var postgresRow: Ports.Row? {
    switch self {
    case .insertUser(let row): .user(row)
    case .insertImage(let row): .image(row)
    case .insertComment(let row): .comment(row)
    case .insertFlag(let row): .flag(row)
    case .insertModeration(let row): .moderation(row)
    default: nil
    }
  }
}
