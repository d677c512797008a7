import CPostgres
import Glibc

extension Connection {
  /// Sends statements together and gives their answers, in order: one round trip.
  ///
  /// Outside a transaction block they are one transaction. At the first that fails the server skips
  /// the others, and its error is thrown.
  func exchange(_ queries: [Query]) throws -> [QueryResult] {
    let steps = try send(queries)
    var results: [QueryResult] = []
    var failure: ServerError?
    for step in steps {
      switch try receive() {
      case .success(let result):
        switch step {
        case .prepared(let sql, let name): prepared[sql] = name
        case .executed: results.append(result)
        }
      case .failure(let error): failure = failure ?? error
      case nil: break
      }
    }
    guard let end = try nextResult() else { throw broken() }
    let status = PQresultStatus(end)
    PQclear(end)
    guard status == PGRES_PIPELINE_SYNC else { throw broken() }
    if let failure { throw failure }
    return results
  }

  /// Runs statements that take no arguments, outside the pipeline: the steps of a schema.
  func run(script: String) throws {
    guard PQexitPipelineMode(handle) == 1, let result = PQexec(handle, script) else {
      throw broken()
    }
    defer { PQclear(result) }
    if PQresultStatus(result) == PGRES_FATAL_ERROR {
      guard let error = ServerError(result, from: address) else { throw broken() }
      PQenterPipelineMode(handle)
      throw error
    }
    guard PQenterPipelineMode(handle) == 1 else { throw broken() }
  }

  /// What is answered, one after the other.
  private enum Step {
    case prepared(sql: String, name: String)
    case executed
  }

  /// Hands everything to libpq, each statement's text before its first use in this session.
  private func send(_ queries: [Query]) throws -> [Step] {
    var steps: [Step] = []
    var fresh: [String: String] = [:]
    for query in queries {
      let sql = query.statement.sql
      let known = prepared[sql] ?? fresh[sql]
      let name = known ?? "s\(prepared.count + fresh.count)"
      if known == nil {
        try prepare(query.statement, as: name)
        fresh[sql] = name
        steps.append(.prepared(sql: sql, name: name))
      }
      guard execute(name, query.arguments) else { throw broken() }
      steps.append(.executed)
    }
    guard PQpipelineSync(handle) == 1 else { throw broken() }
    return steps
  }

  private func prepare(_ statement: Statement, as name: String) throws {
    let types = statement.arguments.map { statement.takesRows ? $0.arrayNumber : $0.number }
    guard PQsendPrepare(handle, name, statement.sql, Int32(types.count), types) == 1 else {
      throw broken()
    }
  }

  private func execute(_ name: String, _ arguments: [[UInt8]?]) -> Bool {
    let lengths = arguments.map { Int32($0?.count ?? 0) }
    let formats = [Int32](repeating: 1, count: arguments.count)
    // One buffer for all; a last byte, so that an empty value has an address, too.
    let bytes = (arguments.flatMap { $0 ?? [] } + [0]).map { CChar(bitPattern: $0) }
    return bytes.withUnsafeBufferPointer { bytes in
      var offset = 0
      let values = arguments.map { argument -> UnsafePointer<CChar>? in
        guard let argument else { return nil }
        defer { offset += argument.count }
        return bytes.baseAddress.map { $0 + offset }
      }
      return PQsendQueryPrepared(
        handle, name, Int32(arguments.count), values, lengths, formats, 1) == 1
    }
  }

  /// The answer to the next step; nil when the server skipped it.
  private func receive() throws -> Result<QueryResult, ServerError>? {
    guard let result = try nextResult() else { throw broken() }
    let answer = QueryResult(result)
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
      try endStep()
      return .success(answer)
    case PGRES_PIPELINE_ABORTED:
      try endStep()
      return nil
    default:
      guard let error = ServerError(result, from: address) else { throw broken() }
      if error.endsConnection { throw broken(error.text) }
      try endStep()
      return .failure(error)
    }
  }

  /// Takes the NULL that libpq puts after each step's answer.
  private func endStep() throws {
    guard let extra = try nextResult() else { return }
    PQclear(extra)
    throw broken("the server gave two answers to one statement")
  }

  /// Sends what is left to send, and waits for libpq's next result.
  private func nextResult() throws -> OpaquePointer? {
    while PQisBusy(handle) == 1 {
      let left = PQflush(handle)
      if left < 0 { throw broken() }
      do {
        try wait(for: left == 1 ? POLLIN | POLLOUT : POLLIN)
      } catch {
        cancel()
        throw error
      }
      guard PQconsumeInput(handle) == 1 else { throw broken() }
    }
    return PQgetResult(handle)
  }
}

extension Connection {
  /// Ends a transaction that is still open, so that the session can be used again.
  func rollBack() {
    guard !isBroken, PQtransactionStatus(handle) != PQTRANS_IDLE else { return }
    // A session that can't even roll back isn't idle, and the pool closes it.
    _ = try? exchange([Query(.rollback)])
  }
}
