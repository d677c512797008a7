import Ports

/// What a transaction does, decided when it has read what it needs.
enum Decision<Value> {
  /// Nothing is to be changed.
  case answer(Value)
  /// Statements to carry out, and the answer that follows from theirs.
  ///
  /// `known` is the answer when it doesn't depend on theirs.
  case change([Query], known: Value?, answer: ([QueryResult]) throws -> Value)
}

extension PostgresDatabase {
  /// Runs one transaction in two round trips: it begins and reads, a decision is made, and it
  /// changes and commits.
  ///
  /// The isolation is READ COMMITTED. What was read may have changed when the changes come, so a
  /// decision may only rest on rows that are never removed, on rows that `reading` has locked, and
  /// on the absence of keys that are unique: who inserts such a key second fails, and the whole
  /// transaction is run again.
  func write<Value>(
    _ operation: PortMethod, reading: [Query],
    _ decide: ([QueryResult]) throws -> Decision<Value>
  ) throws(PortError) -> Value {
    for attempt in 1...settings.attempts {
      let outcome = try self.attempt(operation) { connection in
        try once(on: connection, reading, decide)
      }
      switch outcome {
      case .done(let value): return value
      case .lost(let commit):
        if let value = try settle(commit, operation) { return value }
        if attempt < settings.attempts { sleep(pause(attempt)) }
      }
    }
    throw operation.error(
      .unavailable,
      "the connection was lost \(settings.attempts) times before the commit was done; see the "
        + "server's log for why it ends sessions")
  }

  /// A commit whose answer is missing.
  private struct LostCommit<Value> {
    let transaction: String
    let epoch: String
    let known: Value?
    let failure: ConnectionFailure
  }

  private enum Outcome<Value> {
    case done(Value)
    case lost(LostCommit<Value>)
  }

  private func once<Value>(
    on connection: Connection, _ reading: [Query],
    _ decide: ([QueryResult]) throws -> Decision<Value>
  ) throws -> Outcome<Value> {
    let read = try connection.exchange([Query(.begin), Query(Self.transaction)] + reading)
    let transaction = try read[1].first { try $0.text() } ?? ""
    switch try decide(Array(read.dropFirst(2))) {
    case .answer(let value):
      connection.rollBack()
      return .done(value)
    case .change(let queries, let known, let answer):
      do {
        let results = try connection.exchange(queries + [Query(.commit)])
        return .done(try answer(results))
      } catch let failure as ConnectionFailure {
        return .lost(
          LostCommit(
            transaction: transaction, epoch: connection.epoch, known: known, failure: failure))
      }
    }
  }

  /// The answer of a commit that was carried out; nil when it wasn't.
  private func settle<Value>(
    _ commit: LostCommit<Value>, _ operation: PortMethod
  ) throws(PortError) -> Value? {
    let lost =
      "the connection to \(commit.failure.address) was lost during the commit "
      + "(\(commit.failure.said))"
    for attempt in 1...settings.attempts {
      switch status(of: commit.transaction, commit.epoch) {
      case .committed:
        if let known = commit.known { return known }
        throw operation.error(
          .unknownOutcome, "\(lost): it was done, but its answer is gone; try again with the key")
      case .aborted: return nil
      case .ambiguous:
        throw operation.error(
          .unknownOutcome,
          "\(lost) by a crash of the server, which doesn't remember whether it was done; try again")
      case .unknown: sleep(pause(attempt))
      }
    }
    throw operation.error(
      .unknownOutcome,
      "\(lost), and the server doesn't say whether transaction \(commit.transaction) was done; try "
        + "again when it answers")
  }

  private enum TransactionStatus {
    case committed, aborted
    /// Another transaction may have the number by now.
    case ambiguous
    /// It is under way, or the server doesn't answer.
    case unknown
  }

  /// What has become of a transaction that had a number in an epoch of the server.
  ///
  /// A number that was lost in a crash, before anything was written, is given out again. So after
  /// a crash a number that has committed may be another's; one that hasn't can't be ours either.
  private func status(of transaction: String, _ epoch: String) -> TransactionStatus {
    var argument = ColumnWriter(["transaction"])
    do {
      try argument.text(transaction)
      return try pool.with { connection in
        let answers = try connection.exchange([Query(Self.statusOfTransaction, argument)])
        switch try answers[0].first({ try $0.optionalText() }) {
        case "committed": return connection.epoch == epoch ? .committed : .ambiguous
        case "aborted": return .aborted
        default: return .unknown
        }
      }
    } catch let error as ServerError where error.state == "22023" {
      // The number is in the future: lost in a crash, and nobody's yet.
      return .aborted
    } catch {
      // The caller asks again, and gives up in the end with the first loss as the reason.
      return .unknown
    }
  }

  private static let transaction = Statement("SELECT pg_current_xact_id()::text")
  private static let statusOfTransaction = Statement(
    "SELECT pg_xact_status($1::xid8)", [.text])
}
