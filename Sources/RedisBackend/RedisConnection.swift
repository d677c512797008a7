import CHiredis
import Glibc

/// One connection to the server, logged in. It is used by one call at a time: by whoever took it
/// out of the pool.
final class RedisConnection: Sendable {
  // hiredis' context has no lock of its own, and needs none: see the type's summary.
  nonisolated(unsafe) private let context: UnsafeMutablePointer<redisContext>

  /// Connects, logs in and selects the database.
  init(_ settings: RedisSettings) throws(RedisFailure) {
    guard
      let context = redisConnectWithTimeout(
        settings.host, Int32(settings.port), timeval(settings.connectTimeout))
    else { throw .unreachable("hiredis couldn't allocate a connection") }
    self.context = context
    guard context.pointee.err == 0 else { throw .unreachable(Self.reason(context.pointee)) }
    guard redisSetTimeout(context, timeval(settings.commandTimeout)) == REDIS_OK else {
      throw .unreachable("no time limit could be set")
    }
    // The system notices a peer that vanished without a word, even between calls.
    redisEnableKeepAlive(context)
    try logIn(settings)
  }

  deinit { redisFree(context) }

  /// Whether the server has closed it since its last call.
  var isStale: Bool { chiredis_is_stale(context) != 0 }

  /// Sends commands at once and reads a reply for each, errors included.
  func send(_ commands: [RedisCommand]) throws(RedisFailure) -> [RedisReply] {
    var bytes: [UInt8] = []
    for command in commands { command.append(to: &bytes) }
    try write(bytes)
    var replies: [RedisReply] = []
    replies.reserveCapacity(commands.count)
    for _ in commands { replies.append(try read()) }
    return replies
  }

  private func logIn(_ settings: RedisSettings) throws(RedisFailure) {
    var commands: [RedisCommand] = []
    if let password = settings.password {
      commands.append(RedisCommand(["AUTH"] + [settings.user, password].compactMap { $0 }))
    }
    if settings.database != 0 { commands.append(RedisCommand("SELECT", "\(settings.database)")) }
    guard !commands.isEmpty else { return }
    let replies: [RedisReply]
    do throws(RedisFailure) {
      replies = try send(commands)
    } catch {
      // Nothing of the call itself has been sent yet.
      if case .lost(let reason, _) = error { throw .unreachable("\(reason), while logging in") }
      throw error
    }
    for case .error(let text) in replies { throw .refused(text) }
  }

  private func write(_ bytes: [UInt8]) throws(RedisFailure) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        chiredis_send(context, buffer.baseAddress.map { $0 + sent }, bytes.count - sent)
      }
      guard count > 0 else { throw .lost(String(cString: strerror(errno)), wasSent: sent > 0) }
      sent += count
    }
  }

  private func read() throws(RedisFailure) -> RedisReply {
    var reply: UnsafeMutableRawPointer?
    guard redisGetReply(context, &reply) == REDIS_OK, let reply else {
      throw .lost(Self.reason(context.pointee), wasSent: true)
    }
    defer { freeReplyObject(reply) }
    return RedisReply(reply.assumingMemoryBound(to: redisReply.self).pointee)
  }

  /// What hiredis says of a broken connection. It calls a time limit by its errno's text.
  private static func reason(_ context: redisContext) -> String {
    let text = withUnsafeBytes(of: context.errstr) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return text == String(cString: strerror(EAGAIN)) ? "no answer within the time limit" : text
  }
}

extension timeval {
  /// A time limit.
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
  }
}
