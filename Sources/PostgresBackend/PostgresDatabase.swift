import CPostgres
import Glibc
import Ports

/// One schema of a PostgreSQL server, shared by the stores that keep their tables there.
///
/// A call blocks its thread until the server has answered: in a simulation, which has one thread,
/// that is the point. Any number of threads may call; each has a connection of the pool to itself
/// while it does.
///
/// A connection that is lost is made anew, and the call repeated when nothing was done. Whether a
/// commit was carried out whose answer is missing is asked of the server, by the transaction's
/// number; `unknownOutcome` is left for when it can't say.
public final class PostgresDatabase: Sendable {
  let settings: PostgresSettings
  let pool: ConnectionPool
  private let jitter: @Sendable () -> Double

  /// Looks the settings over; connections are made when they are needed.
  ///
  /// - Parameter jitter: numbers in 0..<1 that spread the pauses between attempts.
  public init(
    _ settings: PostgresSettings, jitter: @escaping @Sendable () -> Double = { 0.5 }
  ) throws(PortError) {
    if let problem = settings.problem {
      throw PortMethod("PostgresDatabase", "open").error(.invalid, problem)
    }
    self.settings = settings
    self.jitter = jitter
    pool = ConnectionPool(settings)
  }

  /// Closes the connections and cancels what runs on them; calls after it throw.
  public func close() { pool.close() }

  /// Asks queries on one state of the tables, in one round trip.
  func read(_ operation: PortMethod, _ queries: [Query]) throws(PortError) -> [QueryResult] {
    if queries.count <= 1 { return try run(operation, queries) }
    let block = [Query(.beginSnapshot)] + queries + [Query(.commit)]
    return Array(try run(operation, block).dropFirst().dropLast())
  }

  /// Runs statements in one round trip. They are repeated when the connection is lost, so what they
  /// change must be the same after the second time.
  func run(_ operation: PortMethod, _ queries: [Query]) throws(PortError) -> [QueryResult] {
    if queries.isEmpty { return [] }
    return try attempt(operation) { try $0.exchange(queries) }
  }

  /// Calls a body with a connection, again when that is lost or another transaction was in the way.
  func attempt<Value>(
    _ operation: PortMethod, _ body: (Connection) throws -> Value
  ) throws(PortError) -> Value {
    var attempt = 1
    while true {
      do {
        return try pool.with { connection in
          do {
            return try body(connection)
          } catch {
            connection.rollBack()
            if (error as? ServerError)?.isStalePlan == true { connection.retire() }
            throw error
          }
        }
      } catch {
        guard attempt < settings.attempts, let pause = pause(after: error, attempt: attempt) else {
          throw Self.portError(error, operation)
        }
        sleep(pause)
        attempt += 1
      }
    }
  }

  /// How long to wait before a failed call is tried again; nil when it would fail again.
  private func pause(after error: any Error, attempt: Int) -> Duration? {
    switch error {
    case let error as ServerError where error.isTakenKey || error.isStalePlan: .zero
    case let error as ServerError where error.isCollision: pause(attempt)
    case let failure as ConnectionFailure where failure.mayPass: pause(attempt)
    default: nil
    }
  }

  /// Half to one and a half of the average, which doubles with every attempt, up to 64 times.
  func pause(_ attempt: Int) -> Duration {
    settings.pause * Double(1 << min(attempt - 1, 6)) * (0.5 + jitter())
  }

  /// Waits in real time; the virtual clock of a simulation stands still meanwhile.
  func sleep(_ duration: Duration) { usleep(UInt32(clamping: Int(duration / .microseconds(1)))) }
}

extension ConnectionFailure {
  /// Whether the next attempt may succeed: a wrong password stays wrong.
  var mayPass: Bool {
    guard let state else { return !isAboutTrust }
    return !state.hasPrefix("28") && !state.hasPrefix("3D")
  }
}

extension PostgresSettings {
  /// What is wrong with the settings, and how to mend it; nil when nothing is.
  fileprivate var problem: String? {
    let letters = schema.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    guard letters, (1...63).contains(schema.utf8.count), !schema.hasPrefix("pg_") else {
      return "schema: '\(schema)' isn't 1 to 63 of the characters a-z, 0-9 and _, or begins with "
        + "pg_; name another"
    }
    if poolSize < 1 { return "pool_size: \(poolSize) connections are too few; set 1 or more" }
    if attempts < 1 { return "attempts: \(attempts) is too few; set 1 or more" }
    return connectionProblem
  }

  /// What libpq finds wrong with the connection string.
  private var connectionProblem: String? {
    var said: UnsafeMutablePointer<CChar>?
    let options = PQconninfoParse(conninfo, &said)
    defer {
      PQconninfoFree(options)
      PQfreemem(said)
    }
    if options != nil { return nil }
    let reason = said.map { String(cString: $0).singleLine } ?? "it can't be read"
    return "conninfo: \(reason); write it as `host=… port=… user=… dbname=…` or postgresql://…"
  }
}
