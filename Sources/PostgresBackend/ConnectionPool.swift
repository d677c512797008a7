import Dispatch
import Synchronization

/// The connections of one database: made when they are needed, used by one caller at a time, and
/// kept for the next.
final class ConnectionPool: Sendable {
  private struct State {
    var idle: [Connection] = []
    var busy: [ObjectIdentifier: Connection] = [:]
    var isClosed = false
  }

  private let settings: PostgresSettings
  private let state = Mutex(State())
  /// One permit per connection that may be in use.
  private let permits: DispatchSemaphore

  /// An empty pool.
  init(_ settings: PostgresSettings) {
    self.settings = settings
    permits = DispatchSemaphore(value: max(1, settings.poolSize))
  }

  /// Lends a connection to a body, and closes it unless the body leaves it idle.
  func with<Value>(_ body: (Connection) throws -> Value) throws -> Value {
    guard permits.wait(timeout: .now() + settings.connectLimit / .seconds(1)) == .success else {
      throw PoolExhausted()
    }
    defer { permits.signal() }
    let connection = try take()
    defer { giveBack(connection) }
    return try body(connection)
  }

  /// Closes all connections; what runs on one is cancelled, and calls after it throw.
  func close() {
    let before = state.withLock { state in
      let before = state
      state.isClosed = true
      state.idle = []
      return before
    }
    for connection in before.busy.values { connection.cancel() }
  }

  private func take() throws -> Connection {
    let found = try state.withLock { state -> Connection? in
      if state.isClosed { throw PoolClosed() }
      return state.idle.popLast()
    }
    let connection = try found ?? Connection.open(settings)
    state.withLock { $0.busy[ObjectIdentifier(connection)] = connection }
    return connection
  }

  private func giveBack(_ connection: Connection) {
    let isIdle = connection.isIdle
    // What comes out is closed here, outside the lock.
    _ = state.withLock { state -> [Connection] in
      state.busy[ObjectIdentifier(connection)] = nil
      if isIdle && !state.isClosed { state.idle.append(connection) }
      guard connection.isBroken else { return [] }
      // The server that closed this one has most likely closed the others, too.
      defer { state.idle = [] }
      return state.idle
    }
  }
}

/// Every connection was in use for too long.
struct PoolExhausted: Error {}

/// The database was closed by its owner.
struct PoolClosed: Error {}
