import GRDB
import Moderation
import Ports

/// An ``ApplicationStore`` in an SQLite file that a person can open with `sqlite3`.
///
/// The tables and columns are those of the lab's PostgreSQL (REFERENCE §1), and the database checks
/// what those columns demand: references, unique keys, ranges and lengths.
///
/// *Fidelity.* Modelled: transactions, constraints, durability, two processes on one file. Not
/// modelled: PostgreSQL's concurrent writers; here they come one after the other.
public final class SQLiteApplicationStore: ApplicationStore {
  private static let port = "ApplicationStore"
  private let database: SQLiteDatabase

  /// Keeps its tables in a file, and makes them when they aren't there.
  public init(_ database: SQLiteDatabase) throws(PortError) {
    self.database = database
    try SQLiteSchema.application.migrate(database)
  }

  /// See ``ApplicationStore``, rules 1–6.
  public func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome] {
    if mutations.isEmpty { return [] }
    return try database.write(ApplicationTransaction.operation) { db in
      let transaction = ApplicationTransaction(db: db)
      if let outcomes = try transaction.repeated(mutations) { return outcomes }
      if let error = try transaction.objection(to: mutations) { throw error }
      return try mutations.map { try transaction.carryOut($0) }
    }
  }

  /// See ``ApplicationStore``, rule 11.
  public func fetch(_ keys: [RowKey]) async throws(PortError) -> [Ports.Row?] {
    try read("fetch") { reads in try keys.map { try reads.row($0) } }
  }

  /// See ``ApplicationStore``, rule 8.
  public func subjects(_ questions: [CountQuestion]) async throws(PortError) -> [SubjectRecord?] {
    try read("subjects") { reads in try reads.subjects(questions) }
  }

  /// See ``ApplicationStore``, rule 7.
  public func outbox(limit: Int) async throws(PortError) -> [OutboxEntry] {
    try read("outbox") { reads in try reads.outbox(limit: limit) }
  }

  /// See ``ApplicationStore``, rule 7.
  public func markPublished(_ sequences: [Int64]) async throws(PortError) {
    if sequences.isEmpty { return }
    try database.write(PortMethod(Self.port, "markPublished")) { db in
      for sequence in sequences {
        try db.run("DELETE FROM outbox WHERE sequence = ?", [sequence])
      }
    }
  }

  /// See ``ApplicationStore``, rule 9.
  public func snapshot() async throws(PortError) -> ApplicationSnapshot {
    try read("snapshot") { reads in try reads.snapshot() }
  }

  /// See ``ApplicationStore``, rule 10.
  public func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem] {
    try read("reviewQueue") { reads in try reads.reviewQueue(limit: limit) }
  }

  /// Runs a body on one state of the tables.
  private func read<Value>(
    _ operation: String, _ body: (ApplicationTransaction) throws -> Value
  ) throws(PortError) -> Value {
    try database.read(PortMethod(Self.port, operation)) { db in
      try body(ApplicationTransaction(db: db))
    }
  }
}
