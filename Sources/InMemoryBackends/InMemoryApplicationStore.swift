import Moderation
import Ports
import Synchronization

/// An ``ApplicationStore`` in memory.
///
/// *Fidelity.* Modelled: transactions, unique keys, references, the outbox in commit order. Not
/// modelled: isolation anomalies, serialization failures, deadlocks, connection loss, types wider
/// than Swift's. That could hide: code that isn't ready for a retry.
public final class InMemoryApplicationStore: ApplicationStore {
  private let tables = Mutex(ApplicationTables())

  /// An empty database.
  public init() {}

  /// See ``ApplicationStore``, rules 1–6.
  public func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome] {
    let result = tables.withLock { tables -> Result<[MutationOutcome], PortError> in
      if let outcomes = tables.view(mutations) { return .success(outcomes) }
      if let outcomes = tables.repeated(mutations) { return .success(outcomes) }
      if let error = tables.objection(to: mutations) { return .failure(error) }
      var outcomes: [MutationOutcome] = []
      outcomes.reserveCapacity(mutations.count)
      for mutation in mutations { outcomes.append(tables.carryOut(mutation)) }
      return .success(outcomes)
    }
    return try result.get()
  }

  /// See ``ApplicationStore``.
  public func fetch(_ keys: [RowKey]) async throws(PortError) -> [Row?] {
    tables.withLock { $0.rows(keys) }
  }

  /// See ``ApplicationStore``, rule 8.
  public func subjects(_ questions: [CountQuestion]) async throws(PortError) -> [SubjectRecord?] {
    tables.withLock { tables in
      var subjects: [SubjectRecord?] = []
      subjects.reserveCapacity(questions.count)
      for question in questions {
        subjects.append(tables.subject(question.image, asOf: question.asOf))
      }
      return subjects
    }
  }

  /// See ``ApplicationStore``, rule 7.
  public func outbox(limit: Int) async throws(PortError) -> [OutboxEntry] {
    tables.withLock { Array($0.outbox.prefix(limit)) }
  }

  /// See ``ApplicationStore``, rule 7.
  public func markPublished(_ sequences: [Int64]) async throws(PortError) {
    tables.withLock { tables in
      // The relay publishes from the front, in order.
      if tables.outbox.lazy.map(\.sequence).starts(with: sequences) {
        tables.outbox.removeFirst(sequences.count)
      } else {
        let published = Set(sequences)
        tables.outbox.removeAll { published.contains($0.sequence) }
      }
    }
  }

  /// See ``ApplicationStore``, rule 9.
  public func snapshot() async throws(PortError) -> ApplicationSnapshot {
    tables.withLock { $0.snapshot() }
  }

  /// See ``ApplicationStore``, rule 10.
  public func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem] {
    tables.withLock { Array($0.reviewQueue().prefix(limit)) }
  }
}
