import Glibc
import Moderation
import Ports
import Synchronization

/// Connections to one server for any number of threads, and calls that outlive one of them.
final class RedisClient: Sendable {
  /// How to reach the server.
  let settings: RedisSettings

  private let jitter: @Sendable () -> Double
  private let idle = Mutex<[RedisConnection]>([])
  /// The hashes under which the server knows the scripts.
  private let hashes = Mutex<[RedisScript: String]>([:])

  /// A client; it connects when it is first called.
  init(_ settings: RedisSettings, jitter: @escaping @Sendable () -> Double) {
    self.settings = settings
    self.jitter = jitter
  }

  /// Sends commands in one round trip; again when the connection is lost, so they must be such that
  /// twice is as good as once. An error among the replies is thrown.
  ///
  /// - Parameter changes: whether they change anything.
  func send(
    _ commands: [RedisCommand], for operation: PortMethod, changes: Bool
  ) throws(PortError) -> [RedisReply] {
    try attempt(operation, changes: changes) { connection throws(RedisFailure) in
      let replies = try connection.send(commands)
      for case .error(let text) in replies { throw .refused(text) }
      return replies
    }
  }

  /// Runs a script in one round trip, by its hash; sends its source first when the server doesn't
  /// know it. As in ``send(_:for:changes:)``, twice must be as good as once.
  func run(
    _ script: RedisScript, _ arguments: [[UInt8]], for operation: PortMethod, changes: Bool
  ) throws(PortError) -> RedisReply {
    try attempt(operation, changes: changes) { connection throws(RedisFailure) in
      if let hash = hashes.withLock({ $0[script] }) {
        let reply = try connection.send(one: RedisCommand(script: hash, arguments))
        guard case .error(let text) = reply else { return reply }
        // The server was restarted, or somebody flushed its scripts.
        guard text.hasPrefix("NOSCRIPT") else { throw .refused(text) }
      }
      let hash = try load(script, connection)
      let reply = try connection.send(one: RedisCommand(script: hash, arguments))
      if case .error(let text) = reply { throw .refused(text) }
      return reply
    }
  }

  private func load(
    _ script: RedisScript, _ connection: RedisConnection
  ) throws(RedisFailure) -> String {
    switch try connection.send(one: RedisCommand("SCRIPT", "LOAD", script.source)) {
    case .text(let hash):
      hashes.withLock { $0[script] = hash }
      return hash
    case .error(let text): throw .refused(text)
    case let reply: throw .refused("\(reply) to SCRIPT LOAD")
    }
  }

  private func attempt<Value>(
    _ operation: PortMethod, changes: Bool,
    _ body: (RedisConnection) throws(RedisFailure) -> Value
  ) throws(PortError) -> Value {
    var mayBeDone = false
    var attempts = 0
    while true {
      do throws(RedisFailure) {
        let connection = try take()
        return try use(connection, body)
      } catch {
        attempts += 1
        if changes, case .lost(_, wasSent: true) = error { mayBeDone = true }
        guard error.isPassing, attempts < settings.attempts else {
          throw error.portError(operation, settings, mayBeDone: mayBeDone)
        }
        usleep(UInt32(pause(after: attempts).microseconds))
      }
    }
  }

  private func use<Value>(
    _ connection: RedisConnection, _ body: (RedisConnection) throws(RedisFailure) -> Value
  ) throws(RedisFailure) -> Value {
    do {
      let value = try body(connection)
      giveBack(connection)
      return value
    } catch {
      // What broke one connection has most likely broken the idle ones.
      if error.endsConnection { idle.withLock { $0 = [] } } else { giveBack(connection) }
      throw error
    }
  }

  /// A connection that nobody else uses: an idle one that is still alive, else a new one.
  private func take() throws(RedisFailure) -> RedisConnection {
    while let connection = idle.withLock({ $0.popLast() }) {
      if !connection.isStale { return connection }
    }
    return try RedisConnection(settings)
  }

  private func giveBack(_ connection: RedisConnection) {
    idle.withLock { if $0.count < settings.idleConnections { $0.append(connection) } }
  }

  /// Doubles with each attempt, up to 2 s, and is cut by up to a half, so that clients which lost
  /// the server together don't come back together.
  private func pause(after attempts: Int) -> Duration {
    let full = min(settings.retryPause * (1 << min(attempts - 1, 10)), .seconds(2))
    return full * (0.5 + jitter() / 2)
  }
}

extension RedisConnection {
  /// Sends one command and reads its reply.
  fileprivate func send(one command: RedisCommand) throws(RedisFailure) -> RedisReply {
    try send([command])[0]
  }
}
