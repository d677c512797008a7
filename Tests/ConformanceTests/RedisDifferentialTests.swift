import InMemoryBackends
import Moderation
import Ports
import RedisBackend
import Simulation
import Testing

/// The store in Redis against the one in memory, call by call, over seeded traffic: every answer
/// and every error must be the same.
@Suite("Redis against memory", .enabled(if: LiveRedis.settings() != nil))
struct RedisDifferentialTests {
  private let folder = TemporaryFolder()

  @Test("All answers are those of the store in memory", arguments: 1...10 as ClosedRange<UInt64>)
  func agree(seed: UInt64) async throws {
    let settings = try #require(LiveRedis.settings())
    let redis = try RedisFeatureStore(settings, grace: FeatureTraffic.grace)
    folder.atEnd { try? redis.clean() }  // The prefix is the test's own: what stays harms nobody.
    var pair = StorePair(
      memory: InMemoryFeatureStore(grace: FeatureTraffic.grace), redis: redis,
      traffic: FeatureTraffic(seed: seed))
    for step in 0..<300 {
      await pair.step()
      try #require(pair.difference == nil, "seed \(seed), step \(step)")
    }
    #expect(pair.seen.events > 1000, "the traffic has \(pair.seen)")
    let rarest = min(
      pair.seen.fired, pair.seen.duplicates, pair.seen.firedBefore, pair.seen.errors)
    #expect(rarest > 0, "the traffic has \(pair.seen)")
  }
}

/// Two stores that are asked the same.
private struct StorePair {
  let memory: InMemoryFeatureStore
  let redis: RedisFeatureStore
  var traffic: FeatureTraffic
  /// The first difference: what was asked, and both answers.
  private(set) var difference: String?
  /// What the traffic was made of, so that a test knows that it tests something.
  private(set) var seen = (events: 0, fired: 0, duplicates: 0, firedBefore: 0, errors: 0)
  private var requests: [ModerationRequest] = []

  init(memory: InMemoryFeatureStore, redis: RedisFeatureStore, traffic: FeatureTraffic) {
    self.memory = memory
    self.redis = redis
    self.traffic = traffic
  }

  /// One batch, then questions of each kind.
  mutating func step() async {
    await apply()
    for count in [1, 1, 1, 1, 8] {
      let questions = (0..<count).map { _ in
        CountQuestion(image: traffic.image(), asOf: traffic.instant())
      }
      await compare("counts \(questions)") { store async throws(PortError) in
        try await store.counts(questions)
      }
    }
    let bound = traffic.random.chance(0.1) ? EventTime(microseconds: .max) : traffic.instant()
    let limit = traffic.random.below(20)
    let pending = await compare("pending as of \(bound), \(limit)") {
      store async throws(PortError) in try await store.pending(asOf: bound, limit: limit)
    }
    requests += pending ?? []
    await acknowledge()
    await compare("progress") { store async throws(PortError) in try await store.progress() }
  }

  private mutating func apply() async {
    let batch = traffic.batch()
    let policy = traffic.random.chance(0.1) ? TriggerPolicy.viral(3) : FeatureTraffic.policy
    let applied = await compare("apply \(batch)") { store async throws(PortError) in
      Applied(try await store.apply(batch, policy: policy))
    }
    guard let applied else { return }
    traffic.applied(batch)
    seen.events += batch.entries.count
    seen.fired += applied.fired.count
    seen.duplicates += applied.duplicates.count
    seen.firedBefore += applied.firedBefore.count
    requests += applied.fired.filter(\.trigger.asksForScore).map(ModerationRequest.init)
  }

  /// Some of what was fired, be it due or not, acknowledged or not.
  private mutating func acknowledge() async {
    guard traffic.random.chance(0.4) else { return }
    let some = requests.filter { _ in traffic.random.chance(0.3) }
    requests = requests.suffix(20)
    await compare("acknowledge \(some)") { store async throws(PortError) in
      try await store.acknowledge(some)
      return true
    }
  }

  /// Asks both; gives the answer, or nil when both threw the same error.
  @discardableResult
  private mutating func compare<Answer: Equatable>(
    _ question: @autoclosure () -> String,
    _ ask: (any FeatureStore) async throws(PortError) -> Answer
  ) async -> Answer? {
    let expected = await answer(memory, ask)
    let found = await answer(redis, ask)
    if difference == nil, expected != found {
      difference = "\(question()):\nmemory \(expected)\nredis  \(found)"
    }
    if case .failure = expected { seen.errors += 1 }
    return try? expected.get()  // An error was counted above, and both stores threw it.
  }

  private func answer<Answer>(
    _ store: any FeatureStore, _ ask: (any FeatureStore) async throws(PortError) -> Answer
  ) async -> Result<Answer, PortError> {
    do throws(PortError) { return .success(try await ask(store)) } catch { return .failure(error) }
  }

  /// An applied batch that can be compared.
  private struct Applied: Equatable {
    let fired: [FiredTrigger]
    let duplicates: [Int]
    let firedBefore: [FiredTrigger]

    init(_ applied: AppliedBatch) {
      fired = applied.fired
      duplicates = applied.duplicates
      firedBefore = applied.firedBefore
    }
  }
}
