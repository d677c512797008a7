import Moderation
import Ports

/// An ``ApplicationStore`` in PostgreSQL, in the lab's tables (REFERENCE §1) with our columns and
/// constraints, and the outbox.
///
/// A commit takes two round trips: what the tables hold of its keys, and its statements with the
/// COMMIT. The others take one.
///
/// *Fidelity.* This is the real thing: concurrent writers, lost connections, constraints. The ids
/// and instants are the caller's; the server generates nothing but the outbox's sequence.
public final class PostgresApplicationStore: ApplicationStore {
  private static let port = "ApplicationStore"
  private let database: PostgresDatabase

  /// Keeps its tables in a schema, and makes them when they aren't there.
  public init(_ database: PostgresDatabase) throws(PortError) {
    self.database = database
    try PostgresSchema.application.migrate(database)
  }

  /// See ``ApplicationStore``, rules 1–6.
  public func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome] {
    if mutations.isEmpty { return [] }
    let operation = ApplicationCommit.operation
    let lookups = try encode(operation) { try Lookup.all(RowKeys(of: mutations)) }
    return try database.write(operation, reading: lookups.map(\.query)) { answers in
      let known = try KnownRows(lookups, answers)
      return try ApplicationCommit(mutations: mutations, known: known).decision()
    }
  }

  /// See ``ApplicationStore``, rule 11.
  public func fetch(_ keys: [RowKey]) async throws(PortError) -> [Ports.Row?] {
    let operation = PortMethod(Self.port, "fetch")
    let lookups = try encode(operation) { try Lookup.all(RowKeys(keys)) }
    let answers = try database.read(operation, lookups.map(\.query))
    let known = try encode(operation) { try KnownRows(lookups, answers) }
    return keys.map { known.row($0) }
  }

  /// See ``ApplicationStore``, rule 8.
  public func subjects(_ questions: [CountQuestion]) async throws(PortError) -> [SubjectRecord?] {
    if questions.isEmpty { return [] }
    let operation = PortMethod(Self.port, "subjects")
    let query = try encode(operation) { try ApplicationReads.subjects(questions) }
    let answers = try database.read(operation, [query])
    return try encode(operation) { try ApplicationReads.subjects(answers[0], questions) }
  }

  /// See ``ApplicationStore``, rule 7.
  public func outbox(limit: Int) async throws(PortError) -> [OutboxEntry] {
    let operation = PortMethod(Self.port, "outbox")
    let answers = try database.read(operation, [ApplicationReads.outbox(limit: limit)])
    return try encode(operation) { try answers[0].all(ApplicationReads.entry) }
  }

  /// See ``ApplicationStore``, rule 7.
  public func markPublished(_ sequences: [Int64]) async throws(PortError) {
    if sequences.isEmpty { return }
    let operation = PortMethod(Self.port, "markPublished")
    _ = try database.run(operation, [ApplicationReads.published(sequences)])
  }

  /// See ``ApplicationStore``, rule 9.
  public func snapshot() async throws(PortError) -> ApplicationSnapshot {
    let operation = PortMethod(Self.port, "snapshot")
    let answers = try database.read(operation, ApplicationReads.snapshot)
    return try encode(operation) { try ApplicationReads.snapshot(answers) }
  }

  /// See ``ApplicationStore``, rule 10.
  public func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem] {
    let operation = PortMethod(Self.port, "reviewQueue")
    let answers = try database.read(operation, [ApplicationReads.reviewQueue(limit: limit)])
    return try encode(operation) { try answers[0].all(ApplicationReads.item) }
  }
}

/// Calls a body that turns values into arguments or answers into values.
func encode<Value>(
  _ operation: PortMethod, _ body: () throws -> Value
) throws(PortError) -> Value {
  do { return try body() } catch { throw PostgresDatabase.portError(error, operation) }
}

extension RowKeys {
  /// The keys that are fetched.
  fileprivate init(_ keys: [RowKey]) {
    for key in keys {
      switch key {
      case .user(let id): users.append(id)
      case .username(let name): usernames.append(name)
      case .image(let id), .visibleImage(let id): images.append(id)
      case .comment(let id): comments.append(id)
      case .flag(let id): flags.append(id)
      case .moderation(let id): moderation.append(id)
      }
    }
  }
}

extension KnownRows {
  /// The row that a key names.
  fileprivate func row(_ key: RowKey) -> Ports.Row? {
    switch key {
    case .user(let id): users[id].map { .user($0) }
    case .username(let name): user(named: name).map { .user($0) }
    case .image(let id): images[id].map { .image($0) }
    case .visibleImage(let id):
      images[id].flatMap { $0.deletedAt == nil ? .visible : nil }
    case .comment(let id): comments[id].map { .comment($0) }
    case .flag(let id): flags[id].map { .flag($0) }
    case .moderation(let id): moderation[id].map { .moderation($0) }
    }
  }
}
