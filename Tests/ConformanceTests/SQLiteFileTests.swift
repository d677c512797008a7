import Foundation
import GRDB
import Moderation
import Ports
import SQLiteBackend
import Testing

/// What only a store in a file can be asked: what is there after a restart, beside another process,
/// and in a file that isn't in order.
@Suite("SQLite files")
struct SQLiteFileTests {
  private let folder = TemporaryFolder()

  private func open() throws -> SQLiteDatabase {
    try SQLiteDatabase(path: try folder.file("state.db"))
  }

  /// A connection of somebody else's.
  private func outsider() throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    return try DatabaseQueue(path: try folder.file("state.db"), configuration: configuration)
  }

  private func openingError(_ name: String) throws -> PortError? {
    do {
      _ = try SQLiteApplicationStore(try SQLiteDatabase(path: try folder.file(name)))
      return nil
    } catch let error as PortError {
      return error
    }
  }

  /// One row of every table, every column with a value that isn't its default.
  private static let everything: [Mutation] = [
    .insertUser(
      User(
        id: .number(1), username: "ánn 'x' \"y\"; --", tosVersionAccepted: 3,
        tosAcceptedAt: Sample.at(1).later(1), countryOfResidence: "DE", yearOfBirth: 2000,
        dateOfBirth: CivilDate(year: 2000, month: 2, day: 29), isTestAccount: true,
        createdAt: Sample.at(2))),
    .insertImage(
      Image(
        id: .number(1), userID: .number(1), s3URL: "http://x/y", source: "synthetic",
        caption: "🍜\n?", category: "Soup", createdAt: Sample.at(3).later(999_999),
        deletedAt: Sample.at(4), views: 7)),
    .insertModeration(
      ModerationRow(
        id: .number(1), requestID: .number(9), target: .comment(.number(1)),
        inferenceMode: "shadow", modelVersion: "3", riskScore: 0.1 + 0.2, triggerType: "viral",
        policyVersion: "v2", rationale: "a,b", createdAt: Sample.at(5))),
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
    .addView(.number(1), key: .number(5)),
    .enqueue(OutboxEvent(topic: "t", key: nil, value: [0, 255, 10], time: Sample.at(9))),
  ]

  @Test("Every column of every row is there again after the file was closed")
  func reopened() async throws {
    let before = try open()
    let store = try SQLiteApplicationStore(before)
    _ = try await store.commit(Self.everything)
    let checkpoint = Checkpoint(
      offsets: [TopicPartition("a", 0): 1, TopicPartition("b", 2): .max],
      completeThrough: Sample.start)
    try await SQLiteCheckpointStore(before).save(checkpoint, as: "job", expecting: nil)
    let catalog = try SQLiteTableCatalog(before, catalog: "lake")
    try await catalog.createNamespace("n")
    try await catalog.move(TableName("n", "t"), from: nil, to: "s3://1")
    let snapshot = try await store.snapshot()
    let outbox = try await store.outbox(limit: 9)
    try before.close()

    let after = try open()
    let reopened = try SQLiteApplicationStore(after)
    let again = try await reopened.snapshot()
    #expect(again.users == snapshot.users && again.users.count == 1)
    #expect(again.images == snapshot.images && again.images.first?.views == 8)
    #expect(again.comments == snapshot.comments && again.comments.count == 1)
    #expect(again.flags == snapshot.flags && again.flags.count == 1)
    #expect(again.moderation == snapshot.moderation && again.moderation.count == 2)
    #expect(try await reopened.outbox(limit: 9) == outbox)
    #expect(try await reopened.commit([.addView(.number(1), key: .number(5))]).map(\.views) == [8])
    #expect(try await SQLiteCheckpointStore(after).load("job") == checkpoint)
    let pointer = try await SQLiteTableCatalog(after, catalog: "lake")
      .location(of: TableName("n", "t"))
    #expect(pointer == "s3://1")
  }

  @Test("A row comes back as it was written")
  func roundTrip() async throws {
    let store = try SQLiteApplicationStore(try open())
    _ = try await store.commit(Array(Self.everything.prefix(6)))
    let keys: [RowKey] = [
      .user(.number(1)), .image(.number(1)), .moderation(.number(1)), .moderation(.number(2)),
      .comment(.number(1)), .flag(.number(1)),
    ]
    for (mutation, row) in zip(Self.everything, try await store.fetch(keys)) {
      #expect(row == mutation.insertedRow)
    }
  }

  @Test("A sequence of the outbox doesn't come again after a restart")
  func sequences() async throws {
    let before = try open()
    let store = try SQLiteApplicationStore(before)
    _ = try await store.commit([.enqueue(Rows.event(1)), .enqueue(Rows.event(2))])
    let sequences = try await store.outbox(limit: 9).map(\.sequence)
    try await store.markPublished(sequences)
    try before.close()
    let reopened = try SQLiteApplicationStore(try open())
    _ = try await reopened.commit([.enqueue(Rows.event(3))])
    let next = try #require(try await reopened.outbox(limit: 9).first?.sequence)
    #expect(next > sequences[1])
  }

  @Test("A person reads ids, instants and flags as they are")
  func readable() async throws {
    _ = try await SQLiteApplicationStore(try open()).commit(Self.everything)
    let line = try await outsider().read { db in
      try String.fetchOne(
        db,
        sql: """
          SELECT id || '|' || user_id || '|' || created_at || '|' || views FROM images
          """)
    }
    let id = "00000000-0000-4001-8000-000000000001"
    #expect(line == "\(id)|\(id)|2025-06-15T14:00:03.999999Z|8")
  }

  @Test("Of two stores on one file one wins the compare-and-swap")
  func twoCatalogs() async throws {
    let catalogs = [
      try SQLiteTableCatalog(try open(), catalog: "lake"),
      try SQLiteTableCatalog(try open(), catalog: "lake"),
    ]
    let table = TableName("n", "t")
    try await catalogs[0].createNamespace("n")
    try await catalogs[1].move(table, from: nil, to: "s3://0")
    for round in 0..<50 {
      let codes = await withTaskGroup(of: PortError.Code?.self) { group in
        for catalog in catalogs {
          group.addTask { @concurrent in
            await code {
              try await catalog.move(table, from: "s3://\(round)", to: "s3://\(round + 1)")
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(codes.filter { $0 == nil }.count == 1)
      #expect(codes.filter { $0 == .conflict }.count == 1)
    }
  }

  @Test("Of two stores on one file one saves the checkpoint")
  func twoCheckpointStores() async throws {
    let stores = [try SQLiteCheckpointStore(try open()), try SQLiteCheckpointStore(try open())]
    let mine = Checkpoint(offsets: [TopicPartition("t", 0): 1])
    try await stores[0].save(mine, as: "job", expecting: nil)
    #expect(await code { try await stores[1].save(mine, as: "job", expecting: nil) } == .conflict)
    #expect(try await stores[1].load("job") == mine)
  }

  @Test("Catalogs of other names in the file aren't seen")
  func otherCatalog() async throws {
    let database = try open()
    let lake = try SQLiteTableCatalog(database, catalog: "lake")
    let other = try SQLiteTableCatalog(database, catalog: "other")
    try await lake.createNamespace("n")
    try await lake.move(TableName("n", "t"), from: nil, to: "s3://1")
    #expect(try await other.tables().isEmpty)
    #expect(try await other.location(of: TableName("n", "t")) == nil)
    let code = await code { try await other.move(TableName("n", "t"), from: nil, to: "s3://2") }
    #expect(code == .notFound)
  }

  @Test("A view of Iceberg for Java is no table of the catalog, and stays")
  func view() async throws {
    let catalog = try SQLiteTableCatalog(try open(), catalog: "lake")
    try await catalog.createNamespace("n")
    let (old, table, view) = (TableName("n", "old"), TableName("n", "t"), TableName("n", "v"))
    try await catalog.move(old, from: nil, to: "s3://1")
    let outsider = try outsider()
    try await outsider.write { db in
      try db.execute(
        sql: """
          ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5);
          INSERT INTO iceberg_tables VALUES ('lake', 'n', 't', 's3://2', NULL, 'TABLE');
          INSERT INTO iceberg_tables VALUES ('lake', 'n', 'v', 's3://3', NULL, 'VIEW');
          """)
    }
    #expect(try await catalog.tables() == [old, table])
    #expect(try await catalog.location(of: table) == "s3://2")
    #expect(try await catalog.location(of: view) == nil)
    try await catalog.move(old, from: "s3://1", to: "s3://4")
    #expect(try await catalog.location(of: old) == "s3://4")
    try await catalog.drop(view)
    let count = try await outsider.read { try Int.fetchOne($0, sql: Self.countTables) }
    #expect(count == 3)
  }

  private static let countTables = "SELECT count(*) FROM iceberg_tables"

  @Test(
    "A database that is only read leaves the file and its folder as they are",
    arguments: ["wal", "delete"])
  func readOnly(journal: String) async throws {
    let table = TableName("n", "t")
    let path = try folder.file("a %3f#?.db")
    let writer = try SQLiteDatabase(path: path)
    let written = try SQLiteTableCatalog(writer, catalog: "lake")
    try await written.createNamespace("n")
    try await written.move(table, from: nil, to: "s3://1")
    // What the writer has in its -wal is seen, too.
    let reader = try SQLiteDatabase(path: path, isReadOnly: true)
    let beside = try SQLiteTableCatalog(reader, catalog: "lake")
    #expect(try await beside.location(of: table) == "s3://1")
    try await written.move(table, from: "s3://1", to: "s3://2")
    #expect(try await beside.location(of: table) == "s3://2")
    let error = await failure { try await beside.move(table, from: "s3://2", to: "s3://3") }
    #expect(error?.isRetryable == false)
    try reader.close()
    try writer.close()

    let outsider = try DatabaseQueue(path: path)
    _ = try await outsider.writeWithoutTransaction { db in
      try String.fetchOne(db, sql: "PRAGMA journal_mode = \(journal)")
    }
    try outsider.close()
    func files() throws -> [String: Data] {
      var files: [String: Data] = [:]
      for name in try FileManager.default.contentsOfDirectory(atPath: try folder.path) {
        files[name] = try Data(contentsOf: URL(fileURLWithPath: try folder.file(name)))
      }
      return files
    }
    let before = try files()
    #expect(before.count == 1)
    let database = try SQLiteDatabase(path: path, isReadOnly: true)
    let catalog = try SQLiteTableCatalog(database, catalog: "lake")
    #expect(try await catalog.tables() == [table])
    #expect(try files() == before)
    try database.close()
    #expect(try files() == before)
  }

  @Test("A database that is only read isn't made")
  func readOnlyMissing() throws {
    #expect(throws: PortError.self) {
      _ = try SQLiteDatabase(path: try folder.file("state.db"), isReadOnly: true)
    }
    #expect(!FileManager.default.fileExists(atPath: try folder.file("state.db")))
  }

  @Test("A file that isn't a database is named, with the cure")
  func notADatabase() throws {
    let path = try folder.file("notes.txt")
    try Data(repeating: 65, count: 5000).write(to: URL(fileURLWithPath: path))
    let error = try openingError("notes.txt")
    #expect(error?.code == .corrupt)
    #expect(error?.isRetryable == false)
    #expect(error?.hint.contains("'\(path)' isn't an SQLite database") == true, "\(error as Any)")
  }

  @Test("A damaged file is named, with the cure")
  func damaged() async throws {
    let database = try open()
    let store = try SQLiteApplicationStore(database)
    for id in 1...200 as ClosedRange<UInt64> {
      _ = try await store.commit([.insertUser(Rows.user(id))])
    }
    try database.close()
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: try folder.file("state.db")))
    let end = try file.seekToEnd()
    for page in stride(from: 4096, to: end, by: 4096) {
      try file.seek(toOffset: page)
      try file.write(contentsOf: Data(repeating: 0xEE, count: 4096))
    }
    try file.close()
    let error = await failure {
      try await SQLiteApplicationStore(try open()).snapshot()
    }
    #expect(error?.code == .corrupt)
    #expect(error?.hint.contains(".recover") == true, "\(error as Any)")
  }

  @Test("A folder that doesn't exist is named, with the cure")
  func noFolder() throws {
    let error = try openingError("nowhere/state.db")
    #expect(error?.code == .notFound)
    #expect(error?.hint.contains("nowhere/state.db") == true, "\(error as Any)")
  }

  @Test("A lock that another holds too long makes the call unavailable, and nothing is done")
  func locked() async throws {
    let database = try SQLiteDatabase(
      path: try folder.file("state.db"), busyTimeout: .milliseconds(1))
    let store = try SQLiteApplicationStore(database)
    let outsider = try outsider()
    try await outsider.writeWithoutTransaction { db in try db.beginTransaction(.immediate) }
    let error = await failure { try await store.commit([.insertUser(Rows.user(1))]) }
    #expect(error?.code == .unavailable)
    #expect(error?.isRetryable == true)
    #expect(error?.hint.contains("state.db") == true)
    #expect(try await store.snapshot().users.isEmpty, "reading needs no lock")
    try await outsider.writeWithoutTransaction { db in try db.rollback() }
    _ = try await store.commit([.insertUser(Rows.user(1))])
    #expect(try await store.snapshot().users.count == 1)
  }

  @Test("A file of a newer program isn't touched")
  func newer() async throws {
    _ = try SQLiteApplicationStore(try open())
    try await outsider().write { db in
      try db.execute(sql: "UPDATE schema_versions SET version = 99")
    }
    let error = try openingError("state.db")
    #expect(error?.code == .invalid)
    #expect(error?.hint.contains("version 99") == true, "\(error as Any)")
  }

  @Test("A value that somebody else has spoilt is named by its column")
  func spoilt() async throws {
    let store = try SQLiteApplicationStore(try open())
    _ = try await store.commit([.insertUser(Rows.user(1))])
    try await outsider().write { db in
      try db.execute(sql: "UPDATE users SET created_at = 'yesterday'")
    }
    let error = await failure { try await store.snapshot() }
    #expect(error?.code == .corrupt)
    #expect(error?.hint.contains("created_at") == true, "\(error as Any)")
    #expect(error?.hint.contains("yesterday") == true)
  }

  /// Rows that a column excludes, and the column.
  static let excluded: [(row: Mutation, column: String)] = [
    (.insertUser(Rows.user(2, "a\0b")), "username"),
    (.insertFlag(Rows.flag(2)), "image_id_or_comment_id"),
    (.insertModeration(Rows.moderation(2, risk: 1.5)), "risk_score"),
    (.insertModeration(Rows.moderation(2, mode: String(repeating: "x", count: 21))), "mode"),
    (.insertImage(Rows.image(2, deletedAt: EventTime(microseconds: .max))), "deleted_at"),
  ]

  @Test("A row that a column excludes is invalid, and named", arguments: excluded.indices)
  func invalid(index: Int) async throws {
    let store = try SQLiteApplicationStore(try open())
    try await Rows.insertFirst(into: store)
    let (row, column) = Self.excluded[index]
    let error = await failure { try await store.commit([.enqueue(Rows.event(1)), row]) }
    #expect(error?.code == .invalid)
    #expect(error?.hint.contains(column) == true, "\(error as Any)")
    #expect(try await store.outbox(limit: 9).isEmpty)
  }

  @Test("A key inserted twice in one commit is invalid, and nothing is done")
  func twiceInOne() async throws {
    let store = try SQLiteApplicationStore(try open())
    try await Rows.insertFirst(into: store)
    let error = await failure {
      try await store.commit([.insertImage(Rows.image(2)), .insertImage(Rows.image(2, at: 9))])
    }
    #expect(error?.code == .invalid)
    #expect(error?.hint.contains("images.id") == true, "\(error as Any)")
    #expect(try await store.snapshot().images.count == 1)
  }

  @Test("A closed database takes no calls")
  func closed() async throws {
    let database = try open()
    let store = try SQLiteApplicationStore(database)
    try database.close()
    let error = await failure { try await store.snapshot() }
    #expect(error?.isRetryable == false)
    #expect(error?.hint.contains("closed") == true, "\(error as Any)")
  }
}

extension Mutation {
  /// The row that the mutation inserts.
  fileprivate var insertedRow: Ports.Row? {
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
