import Ports

/// Why an exchange with the server came to nothing.
enum RedisFailure: Error {
  /// There is no connection, and nothing was sent.
  case unreachable(String)
  /// The connection broke; when all was sent, it may have been carried out.
  case lost(String, wasSent: Bool)
  /// The server answered with an error.
  case refused(String)

  /// Whether the same exchange may succeed shortly, on another connection.
  var isPassing: Bool {
    switch self {
    case .unreachable, .lost: true
    case .refused(let text):
      ["BUSY", "LOADING", "MASTERDOWN", "READONLY"].contains(Self.code(text))
    }
  }

  /// Whether the connection can't be used again.
  var endsConnection: Bool {
    switch self {
    case .unreachable, .lost: true
    // A server that was demoted may have a successor under its name.
    case .refused(let text): Self.code(text) == "READONLY"
    }
  }

  /// The first word of an error. Redis 6 wraps what a command in a script says.
  private static func code(_ text: String) -> String {
    let words = text.split { $0 == " " || $0 == ":" }.map(String.init)
    let wrapped = words.first == "ERR" ? words.first { verdicts[$0] != nil } : nil
    return wrapped ?? words.first ?? ""
  }
}

extension PortError.Code {
  /// Redis answers what its adapter doesn't expect.
  static let redis = PortError.Code(name: "redis", isRetryable: false)
}

extension RedisFailure {
  /// What errors mean, and what helps, by their first word.
  private static let verdicts: [String: (code: PortError.Code, cure: String)] = [
    "BUSY": (.unavailable, "a script blocks the server; `SCRIPT KILL` ends one that only reads"),
    "LOADING": (.unavailable, "it is reading its data set; wait until `INFO persistence` is done"),
    "MASTERDOWN": (.unavailable, "it is a replica without its primary; name the primary"),
    "READONLY": (.unavailable, "it is a replica; name the primary in `host` and `port`"),
    "OOM": (.unavailable, "it is full; raise `maxmemory`, or remove old runs' keys with clean()"),
    "MISCONF": (.unavailable, "it can't save to disk; free space there, see its log"),
    "NOREPLICAS": (.unavailable, "too few replicas follow it; see `min-replicas-to-write`"),
    "NOSCRIPT": (.unavailable, "its scripts were flushed meanwhile; try again"),
    "NOAUTH": (.denied, "it wants a password; set `password`, and `user` unless it's `default`"),
    "WRONGPASS": (.denied, "the user or the password is wrong; correct `user` and `password`"),
    "NOPERM": (.denied, "the user may not; `ACL SETUSER <user> ~<prefix>* +@all` allows it"),
    "WRONGTYPE": (.corrupt, "another program wrote a key of this prefix; choose another `prefix`"),
    "MOVED": (.invalid, "it is a cluster; name a server that holds all keys"),
    "CROSSSLOT": (.invalid, "it is a cluster; name a server that holds all keys"),
    "CLUSTERDOWN": (.invalid, "it is a cluster; name a server that holds all keys"),
  ]

  /// What the caller of a port is told.
  ///
  /// - Parameter mayBeDone: whether the call changes something, and an attempt at it reached the
  ///   server.
  func portError(
    _ operation: PortMethod, _ settings: RedisSettings, mayBeDone: Bool
  ) -> PortError {
    let server = "Redis at \(settings.address)"
    switch self {
    case .unreachable(let reason), .lost(let reason, _):
      let code: PortError.Code = mayBeDone ? .unknownOutcome : .unavailable
      return operation.error(
        code,
        "\(server): \(reason), \(settings.attempts) attempts; start it, or correct `host` and "
          + "`port`; `redis-cli -h \(settings.host) -p \(settings.port) ping` tries it")
    case .refused(let text):
      let (code, cure) = Self.verdicts[Self.code(text)] ?? Self.verdict(ofError: text)
      return operation.error(code, "\(server) says '\(text)': \(cure)")
    }
  }

  /// What errors mean that all begin with `ERR`.
  private static func verdict(ofError text: String) -> (code: PortError.Code, cure: String) {
    if text.contains("max number of clients") { return (.unavailable, "raise its `maxclients`") }
    if text.contains("DB index") { return (.invalid, "choose a `database` below its `databases`") }
    if text.contains("without any password") {
      return (.denied, "it has no password; leave `password` out")
    }
    return (.redis, "see the server's log")
  }
}

extension PortMethod {
  /// A method of the feature store.
  init(_ name: String) { self.init("FeatureStore", name) }
}
