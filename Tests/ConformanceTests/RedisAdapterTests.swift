import Moderation
import Ports
import Simulation
import Testing

@testable import RedisBackend

/// What is particular to the store in Redis, on a real server.
@Suite("Redis", .enabled(if: LiveRedis.settings() != nil))
struct RedisAdapterTests {
  private static let image = ImageID.number(1)
  private let folder = TemporaryFolder()

  private func store(
    _ change: (inout RedisSettings) -> Void = { _ in }
  ) throws -> RedisFeatureStore {
    var settings = try #require(LiveRedis.settings())
    change(&settings)
    return try LiveRedis.store(settings, folder)
  }

  /// A store that reaches the server by way of one that misbehaves, and the latter.
  private func store(
    by steps: [ScriptedServer.Step]
  ) throws -> (store: RedisFeatureStore, server: ScriptedServer) {
    let upstream = try #require(LiveRedis.settings())
    let server = try ScriptedServer(steps, upstream: upstream.port)
    let store = try store {
      $0.port = server.port
      $0.retryPause = .zero
    }
    return (store, server)
  }

  /// A command of its own, past the store.
  private func ask(_ store: RedisFeatureStore, _ words: String...) throws -> RedisReply {
    try store.client.send(
      [RedisCommand(words)], for: PortMethod("test"), changes: false)[0]
  }

  private func keys(_ store: RedisFeatureStore) throws -> Set<String> {
    let prefix = store.client.settings.prefix
    let keys = try ask(store, "KEYS", prefix + "*").list ?? []
    return Set(keys.compactMap(\.text).map { String($0.dropFirst(prefix.count)) })
  }

  @Test("The lab's keys hold what the lab's hold")
  func labKeys() async throws {
    let store = try store()
    let prefix = store.client.settings.prefix
    var script = FeatureScript()
    let view = script.view(Self.image, at: Sample.start.later(123_457))
    let upload = script.upload(Self.image, at: Sample.at(2))
    _ = try await store.apply(script.batch([view, upload]), policy: .viral(1))
    let image = "image:\(Self.image):"
    #expect(
      try keys(store) == [
        image + "views:1min", image + "views:5min", image + "views:1hr", image + "total_views",
        image + "metadata", image + "state", "features:progress", "features:replies",
        "features:ids:current", "features:pending", "features:pending:counts",
      ])
    for window in ["1min", "5min", "1hr"] {
      let key = prefix + image + "views:" + window
      let entry = try ask(store, "ZRANGE", key, "0", "-1", "WITHSCORES").list ?? []
      #expect(entry.compactMap(\.text).first == "\(view.id)")
      #expect(entry.compactMap { $0.text.flatMap(Double.init) } == [1_749_996_000.123457])
    }
    #expect(try ask(store, "GET", prefix + image + "total_views") == .text("1"))
    let metadata = try ask(store, "HGETALL", prefix + image + "metadata").list ?? []
    #expect(
      metadata.compactMap(\.text) == [
        "uploaded_at", "2025-06-15T14:00:02.000000Z", "caption_length", "3", "category", "Soup",
        "user_id", "\(UserID.number(1))",
      ])
  }

  @Test("A score gives the microseconds back that it was made of")
  func scores() throws {
    var random = SeededRandom(seed: 1)
    let latest = FeatureBatchArguments.latest
    var samples = [-latest, -1, 0, 1, latest]
    for _ in 0..<100_000 { samples.append(Int64(random.next() >> 1) % latest) }
    samples += samples.map { -$0 }
    for microseconds in samples {
      let time = EventTime(unixSeconds: Double(microseconds) / 1e6)
      #expect(time?.microseconds == microseconds)
      #expect(Double(microseconds) / 1e6 < Double(microseconds + 1) / 1e6, "\(microseconds)")
    }
  }

  @Test("An instant that a score can't keep is refused")
  func tooLate() async throws {
    let store = try store()
    var script = FeatureScript()
    let far = EventTime(microseconds: FeatureBatchArguments.latest + 1)
    let event = script.view(Self.image, at: far)
    for batch in [
      script.batch([event]), script.batch([], watermark: far),
      script.batch([script.view(Self.image, at: Sample.start)], from: 0, visibleFrom: far),
    ] {
      #expect(await code { try await store.apply(batch, policy: .silent) } == .invalid)
    }
    #expect(try keys(store).isEmpty)
  }

  @Test("A batch whose reply was lost is sent again, and gives the reply of the first time")
  func lostReply() async throws {
    let (store, server) = try store(by: [.loseReply, .loseReply, .forward])
    defer { server.stop() }
    var script = FeatureScript()
    let event = script.view(Self.image, at: Sample.at(1))
    let batch = script.batch([event, event])
    let applied = try await store.apply(batch, policy: .viral(1))
    #expect(server.requests == 3)
    #expect(applied.fired.map(\.trigger) == [.viral])
    #expect(applied.duplicates == [1])
    #expect(applied.firedBefore.isEmpty)
    #expect(try await store.counts(Self.image, asOf: Sample.at(1)).totalViews.observed == 1)
    let again = try await store.apply(batch, policy: .viral(1))
    #expect(again.fired.isEmpty, "a call of its own is told that it was done before")
    #expect(again.duplicates == [0, 1])
    #expect(again.firedBefore == applied.fired)
  }

  @Test("A connection that the server closed between calls is replaced unnoticed")
  func closedWhileIdle() async throws {
    let (store, server) = try store(by: [.forwardAndClose, .forwardAndClose])
    defer { server.stop() }
    var script = FeatureScript()
    for second in [1, 2, 3] as [Int64] {
      let batch = script.batch([script.view(Self.image, at: Sample.at(second))])
      let applied = try await store.apply(batch, policy: .silent)
      #expect(applied.duplicates.isEmpty)
    }
    #expect(server.requests == 3)
  }

  @Test("A script that the server forgot is sent again")
  func forgottenScript() async throws {
    let (store, server) = try store(by: [.forward, .reply("-NOSCRIPT No matching script.\r\n")])
    defer { server.stop() }
    var script = FeatureScript()
    for second in [1, 2] as [Int64] {
      let batch = script.batch([script.view(Self.image, at: Sample.at(second))])
      _ = try await store.apply(batch, policy: .silent)
    }
    #expect(try await store.counts(Self.image, asOf: Sample.at(2)).totalViews.observed == 2)
  }

  @Test("Every call is one round trip")
  func roundTrips() async throws {
    let (store, server) = try store(by: [])
    defer { server.stop() }
    var script = FeatureScript()
    let events = (1...500).map { script.view(.number(UInt64($0) % 50), at: Sample.at($0)) }
    _ = try await store.apply(script.batch(events), policy: .viral(5))
    #expect(server.requests == 1)
    let questions = (0..<200).map { CountQuestion(image: .number($0 % 50), asOf: Sample.at(500)) }
    _ = try await store.counts(questions)
    #expect(server.requests == 2)
    let pending = try await store.pending(asOf: Sample.at(500), limit: 500)
    #expect(server.requests == 3)
    #expect(pending.count == 50)
    try await store.acknowledge(pending)
    #expect(server.requests == 4)
    _ = try await store.progress()
    #expect(server.requests == 5)
  }

  @Test("Two consumers at once count every event and fire every trigger once")
  func consumersAtOnce() async throws {
    let settings = try #require(LiveRedis.settings())
    let stores = try (0..<2).map { _ in try LiveRedis.store(settings, folder) }
    var policy = TriggerPolicy.silent
    policy.viral = 150
    policy.milestones = [100, 200]
    let chosen = policy
    let fired = try await withThrowingTaskGroup(of: [FiredTrigger].self) { group in
      for consumer in 0..<4 {
        group.addTask {
          var script = FeatureScript(partition: consumer, series: UInt64(consumer))
          var fired: [FiredTrigger] = []
          for second in 0..<60 as Range<Int64> {
            let batch = script.batch([script.view(Self.image, at: Sample.at(second))])
            fired += try await stores[consumer % 2].apply(batch, policy: chosen).fired
          }
          return fired
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(
      Set(fired.map(\.trigger)) == [.viral, .milestone(100), .milestone(200)] && fired.count == 3)
    #expect(try await stores[0].counts(Self.image, asOf: Sample.at(60)).views5min.observed == 240)
  }

  @Test("A wrong password is refused with the cure", arguments: [nil, "nobody"])
  func wrongPassword(user: String?) async throws {
    let store = try store {
      $0.user = user
      $0.password = "wrong"
    }
    let error = await failure { try await store.progress() }
    #expect(error?.code.name == "denied")
    #expect(error?.isRetryable == false)
    #expect(error?.hint.contains("password") == true)
    #expect(store.check().map(\.what) == ["reachable"])
  }

  @Test("A database that the server doesn't have is named")
  func database() async throws {
    let store = try store { $0.database = 999_999 }
    let error = await failure { try await store.progress() }
    #expect(error?.hint.contains("database") == true, "\(error?.hint ?? "no error")")
  }

  @Test("check() finds nothing wrong with the server of the tests")
  func checks() throws {
    let store = try store()
    let checks = store.check()
    #expect(checks.filter { $0.problem != nil }.isEmpty)
    #expect(
      checks.map(\.what)
        == ["reachable", "version", "role", "eviction", "durability", "permissions"])
    #expect(try keys(store).isEmpty, "it leaves nothing")
  }

  @Test("clean() removes a prefix, and not those that begin with it or look like it")
  func cleans() async throws {
    let base = try #require(LiveRedis.settings()).prefix
    var stores: [RedisFeatureStore] = []
    for prefix in ["\(base)[a]*", "\(base)[a]*b", "\(base)a", "\(base)[a]xx"] {
      stores.append(try store { $0.prefix = prefix })
    }
    var script = FeatureScript()
    let batch = script.batch([script.view(Self.image, at: Sample.at(1))])
    for store in stores {
      #expect(try await store.apply(batch, policy: .silent).duplicates.isEmpty, "kept apart")
    }
    try stores[0].clean()
    #expect(try await stores[0].progress().isEmpty)
    for store in stores.dropFirst() { #expect(try await store.progress().count == 1) }
    let unsafe = try RedisFeatureStore(RedisSettings())
    #expect(await code { () async throws in try unsafe.clean() } == .invalid)
  }

  @Test("Windows expire long after their last event; totals, triggers and progress never")
  func expiry() async throws {
    let store = try store()
    let prefix = store.client.settings.prefix
    var script = FeatureScript()
    let event = script.view(Self.image, at: Sample.at(1), isEligible: false)
    let batch = script.batch([event], from: 0, watermark: Sample.at(9), visibleFrom: Sample.at(9))
    _ = try await store.apply(batch, policy: .viral(1))
    let windows = ["1min", "5min", "1hr", "late", "ineligible"]
    for key in try keys(store) {
      let timeToLive = try #require(try ask(store, "TTL", prefix + key).integer)
      if windows.contains(where: key.hasSuffix) {
        #expect((2_592_000...2_592_060).contains(timeToLive), "\(key)")
      } else {
        #expect(timeToLive == -1, "\(key)")
      }
    }
  }

  @Test("A key that is gone is noticed, and no wrong count given", arguments: ["1hr", "late"])
  func lostKeys(name: String) async throws {
    let store = try store()
    var script = FeatureScript()
    _ = try await store.apply(
      script.batch([script.view(Self.image, at: Sample.at(1))]), policy: .silent)
    let late = script.view(Self.image, at: Sample.at(2))
    _ = try await store.apply(
      script.batch([late], from: 1, visibleFrom: Sample.at(90)), policy: .silent)
    let key = "\(store.client.settings.prefix)image:\(Self.image):views:\(name)"
    #expect(try ask(store, "UNLINK", key) == .integer(1))
    let error = await failure { try await store.counts(Self.image, asOf: Sample.at(5)) }
    #expect(error?.code == .corrupt)
    #expect(error?.hint.contains(key) == true, "\(error?.hint ?? "no error")")
    // Nobody asks for it any more an hour later.
    let later = try await store.counts(Self.image, asOf: Sample.at(7200))
    #expect(later.totalViews.observed == 2)
  }
}
