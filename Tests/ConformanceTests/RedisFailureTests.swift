import Moderation
import Ports
import RedisBackend
import Testing

/// What a caller of the store in Redis is told when the server misbehaves. No server is needed but
/// one of the test's own, unless the test says so.
@Suite("Redis failures")
struct RedisFailureTests {
  /// A store against a server of the test's own.
  private func store(
    at port: Int, _ change: (inout RedisSettings) -> Void = { _ in }
  ) throws -> RedisFeatureStore {
    var settings = RedisSettings()
    settings.port = port
    settings.prefix = "unused_"
    settings.attempts = 2
    settings.retryPause = .zero
    // As long as no machine stands still: a server that answers must be heard.
    settings.commandTimeout = .seconds(20)
    change(&settings)
    return try RedisFeatureStore(settings)
  }

  private static var batch: FeatureBatch {
    var script = FeatureScript()
    return script.batch([script.view(.number(1), at: Sample.at(1))])
  }

  @Test("A server that isn't there is unavailable, and the hint says what to try")
  func unreachable() async throws {
    let gone = try ScriptedServer([])
    gone.stop()
    let store = try store(at: gone.port)
    let error = await failure { try await store.apply(Self.batch, policy: .silent) }
    #expect(error?.code == .unavailable)
    for part in ["127.0.0.1:\(gone.port)", "redis-cli", "start it", "2 attempts"] {
      #expect(error?.hint.contains(part) == true, "\(part) in \(error?.hint ?? "no error")")
    }
  }

  @Test(
    "Errors of the server have a code and a cure",
    arguments: [
      ("-LOADING Redis is loading the dataset in memory", .unavailable, "wait"),
      ("-BUSY Redis is busy running a script.", .unavailable, "SCRIPT KILL"),
      ("-READONLY You can't write against a read only replica.", .unavailable, "primary"),
      ("-OOM command not allowed when used memory > 'maxmemory'.", .unavailable, "maxmemory"),
      ("-MISCONF Redis is configured to save RDB snapshots", .unavailable, "disk"),
      ("-NOAUTH Authentication required.", .denied, "password"),
      ("-NOPERM this user has no permissions", .denied, "ACL SETUSER"),
      ("-WRONGTYPE Operation against a key", .corrupt, "prefix"),
      ("-ERR Error running script: @user_script:1: WRONGTYPE Operation", .corrupt, "prefix"),
      ("-MOVED 3999 127.0.0.1:6381", .invalid, "cluster"),
      ("-ERR max number of clients reached", .unavailable, "maxclients"),
      ("-ERR DB index is out of range", .invalid, "databases"),
      ("-ERR AUTH <password> called without any password configured", .denied, "leave"),
      ("-ERR something new", PortError.Code(name: "redis", isRetryable: false), "log"),
    ] as [(String, PortError.Code, String)])
  func refused(text: String, code: PortError.Code, cure: String) async throws {
    let server = try ScriptedServer(Array(repeating: .reply(text + "\r\n"), count: 9))
    defer { server.stop() }
    let store = try store(at: server.port)
    let error = await failure { try await store.apply(Self.batch, policy: .silent) }
    #expect(error?.code == code)
    #expect(error?.hint.contains(text.dropFirst()) == true, "\(error?.hint ?? "no error")")
    #expect(error?.hint.contains(cure) == true, "\(error?.hint ?? "no error")")
  }

  @Test(
    "A call that was sent and not answered may have been done, unless it only reads",
    arguments: [.close, .ignore] as [ScriptedServer.Step])
  func notAnswered(step: ScriptedServer.Step) async throws {
    let server = try ScriptedServer(Array(repeating: step, count: 9))
    defer { server.stop() }
    let store = try store(at: server.port) {
      if case .ignore = step { $0.commandTimeout = .milliseconds(200) }
    }
    let request = ModerationRequest(
      FiredTrigger(image: .number(1), trigger: .viral, asOf: Sample.start))
    #expect(
      await code { try await store.apply(Self.batch, policy: .silent) } == .unknownOutcome)
    #expect(await code { try await store.acknowledge([request]) } == .unknownOutcome)
    #expect(await code { try await store.counts(.number(1), asOf: Sample.start) } == .unavailable)
    #expect(await code { try await store.progress() } == .unavailable)
    #expect(await code { try await store.allPending() } == .unavailable)
    #expect(server.requests == 10, "two attempts each")
  }

  @Test("A server that says to come again is asked again")
  func comesAgain() async throws {
    let server = try ScriptedServer([.reply("-LOADING\r\n"), .close, .reply("*0\r\n")])
    defer { server.stop() }
    let store = try store(at: server.port) { $0.attempts = 3 }
    #expect(try await store.progress().isEmpty)
  }

  @Test(
    "What this program didn't write is corrupt",
    arguments: ["$1\r\nx\r\n", ":1\r\n", "$-1\r\n"])
  func unreadable(reply: String) async throws {
    let server = try ScriptedServer(Array(repeating: .reply(reply), count: 9))
    defer { server.stop() }
    let store = try store(at: server.port)
    #expect(await code { try await store.apply(Self.batch, policy: .silent) } == .corrupt)
    #expect(await code { try await store.counts(.number(1), asOf: Sample.start) } == .corrupt)
    #expect(await code { try await store.allPending() } == .corrupt)
    #expect(await code { try await store.progress() } == .corrupt)
  }

  @Test(
    "check() names what is wrong with a server",
    arguments: [
      ("redis_version:5.0.14", "version", "Redis 6"), ("role:slave", "role", "primary"),
      ("redis_mode:cluster", "role", "slots"),
      ("maxmemory_policy:allkeys-lru", "eviction", "noeviction"),
    ])
  func checks(line: String, what: String, cure: String) throws {
    let good = [
      "redis_version:7.0.15", "redis_mode:standalone", "role:master", "aof_enabled:0",
      "maxmemory_policy:noeviction",
    ]
    let name = line.prefix { $0 != ":" }
    let info = good.map { $0.hasPrefix(name) ? line : $0 }.joined(separator: "\r\n")
    let server = try ScriptedServer([
      .reply("$\(info.utf8.count)\r\n\(info)\r\n"), .reply("-NOPERM no\r\n"),
    ])
    defer { server.stop() }
    let checks = try store(at: server.port).check()
    let problems = checks.filter { $0.problem != nil }
    #expect(problems.map(\.what) == [what, "permissions"])
    #expect(problems.first?.problem?.contains(cure) == true)
    #expect(problems.last?.problem?.contains("ACL SETUSER") == true)
    #expect(checks.first { $0.what == "durability" }?.found.hasPrefix("appendonly no") == true)
  }

  @Test("check() says that a server can't be reached")
  func checksUnreachable() throws {
    let gone = try ScriptedServer([])
    gone.stop()
    let checks = try store(at: gone.port).check()
    #expect(checks.map(\.what) == ["reachable"])
    #expect(checks.first?.problem?.contains("redis-cli") == true)
  }

  @Test("Settings that can't be right are refused at once")
  func settings() {
    let changes: [(String, (inout RedisSettings) -> Void)] = [
      ("host", { $0.host = "" }), ("port", { $0.port = 0 }), ("port", { $0.port = 65_536 }),
      ("database", { $0.database = -1 }), ("password", { $0.user = "me" }),
      ("attempts", { $0.attempts = 0 }), ("idle_connections", { $0.idleConnections = -1 }),
      ("pause", { $0.retryPause = .seconds(-1) }),
      ("command_limit", { $0.commandTimeout = .zero }),
      ("time_to_live", { $0.timeToLive = .seconds(90_000) }),
    ]
    for (name, change) in changes {
      var settings = RedisSettings()
      change(&settings)
      let error = #expect(throws: PortError.self) { try RedisFeatureStore(settings) }
      #expect(error?.code == .invalid, "\(name)")
      #expect(error?.hint.contains(name) == true, "\(name) in \(error?.hint ?? "no error")")
    }
    var settings = RedisSettings()
    settings.timeToLive = nil
    #expect(throws: Never.self) { try RedisFeatureStore(settings) }
  }
}

extension PortError.Code {
  fileprivate static let denied = PortError.Code(name: "denied", isRetryable: false)
}
