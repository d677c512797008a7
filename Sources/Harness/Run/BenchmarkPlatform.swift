import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization

/// What a benchmark measures: traffic and pipeline, without gates, collectors and trace.
struct BenchmarkPlatform: Sendable {
  let backends: Backends
  let counter: BenchmarkCounter
  private let scenario: Scenario
  private let environment: Environment
  private let executor: SimulationExecutor
  private let streams: RandomStreams

  /// A platform for about `count` events in the mix of the lab's recorded traffic.
  ///
  /// - Parameters:
  ///   - batch: the most records of a poll; nil for the policy's default.
  ///   - relayInterval: how often the outbox is drained.
  init(
    _ count: Int, clock: @escaping @Sendable () -> UInt64, batch: Int? = nil,
    relayInterval: Duration = .seconds(1), _ maker: RunOptions.Maker
  ) throws {
    let perSecond = 500.0
    let seconds = Int(Double(count) / perSecond)
    var scenario = try Scenario(
      yaml: """
        name: bench
        about: Views, comments, uploads, flags and new users in the mix of recorded traffic.
        duration: \(seconds)s
        population: { users: 1000, images: 2000 }
        traffic:
          - poisson:
              rate: \(perSecond)/s
              mix: { view: 75, comment: 20, upload: 2, flag: 2, user: 1 }
        """, file: "bench")
    if let batch { scenario.policy.batchLimit = batch }
    scenario.policy.relayInterval = relayInterval
    scenario.policy.pollWait = max(scenario.policy.pollWait, relayInterval)
    self.scenario = scenario
    counter = BenchmarkCounter(clock: clock)
    let time = VirtualClock(start: ProcessingTime(microseconds: scenario.start.microseconds))
    executor = SimulationExecutor(clock: time)
    streams = RandomStreams(seed: scenario.seed)
    environment = Environment(
      component: "bench", time: time, ids: SeededIDs(streams: streams), trace: NoTrace())
    do throws(PortError) {
      backends = try maker(time)
    } catch {
      throw RunFailure.backend(error)
    }
  }

  /// Runs a body to its end, on the virtual clock.
  func simulate<Value: Sendable>(
    _ body: @escaping @Sendable () async throws(PortError) -> Value
  ) throws -> Value {
    let stop = executor.run { () async -> Result<Value, PortError> in
      do throws(PortError) {
        return .success(try await body())
      } catch {
        return .failure(error)
      }
    }
    switch stop {
    case .finished(.success(let value)): return value
    case .finished(.failure(let error)): throw RunFailure.backend(error)
    case .deadlocked(let waiting): throw RunFailure.noProgress(waiting.joined(separator: ", "))
    case .budgetExceeded: throw RunFailure.noProgress("budget exceeded")
    case .escaped(let what): throw RunFailure.escaped(what)
    }
  }

  /// The whole path at once: the pipeline works while the traffic is played.
  func play(through stopwatch: PortStopwatch?) async throws(PortError) {
    let ports = timed(stopwatch)
    try await makeTopics(ports)
    await record(ports, beside: [relay(ports)] + readers(ports))
  }

  /// Plays the traffic and publishes all of it, marks included; nobody reads it.
  func record() async throws(PortError) {
    try await makeTopics(backends)
    await record(backends, beside: [relay(backends)])
  }

  /// Reads what is recorded to its end and scores what it asks for.
  func drain(through stopwatch: PortStopwatch) async {
    await run(readers(timed(stopwatch))) { await environment.time.sleep(for: .seconds(5)) }
  }

  /// How many records the log holds for the stream consumer.
  func recorded() async throws(PortError) -> Int {
    var count: Int64 = 0
    for topic in Catalog.sourceTopics {
      count += try await backends.log.ends(of: topic).reduce(0, +)
    }
    return Int(count)
  }

  private func timed(_ stopwatch: PortStopwatch?) -> Backends {
    stopwatch?.timed(backends, environment) ?? backends
  }

  private func makeTopics(_ ports: Backends) async throws(PortError) {
    for topic in Catalog.partitionedTopics {
      try await ports.log.createTopic(topic, partitions: scenario.policy.partitions)
    }
    for topic in Catalog.singleTopics { try await ports.log.createTopic(topic, partitions: 1) }
  }

  private func record(_ ports: Backends, beside services: [any Service]) async {
    var driver = TrafficDriver(
      scenario: scenario,
      intake: Intake(
        store: ports.store, objects: ports.objects, log: ports.log, environment: environment,
        policy: scenario.policy),
      desk: ReviewDesk(store: ports.store, environment: environment), log: ports.log,
      lake: ports.lake, environment: environment, streams: streams, progress: { _ in })
    await driver.populate()
    await run(services) {
      await driver.playArrivals { draw in counter.time(drawing: draw) }
      // The last events are published, applied and scored.
      await environment.time.sleep(for: .seconds(5) + scenario.policy.relayInterval * 2)
    }
  }

  /// Runs services beside a body, up to its end.
  private func run(_ services: [any Service], _ body: () async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      for service in services { group.addTask(name: service.name) { await service.run() } }
      await body()
      group.cancelAll()
    }
  }

  private func relay(_ ports: Backends) -> any Service {
    OutboxRelay(
      store: ports.store, log: ports.log, environment: environment, policy: scenario.policy)
  }

  private func readers(_ ports: Backends) -> [any Service] {
    let (policy, counter) = (scenario.policy, counter)
    return [
      StreamConsumer(
        log: ports.log, features: ports.features, environment: environment, policy: policy,
        onApplied: { counter.note(events: $0.batch.entries.count) }),
      AnchorScheduler(
        log: ports.log, features: ports.features, environment: environment, policy: policy),
      RiskScorer(
        log: ports.log, features: ports.features, store: ports.store,
        registry: ModelRegistry(ports.objects), environment: environment, policy: policy,
        onScored: { _ in counter.noteScore() }),
    ]
  }
}

/// Counts what comes out at the end.
final class BenchmarkCounter: Sendable {
  /// What came out, and when the latest did.
  struct Counted: Sendable {
    var events = 0
    var scores = 0
    var lastEvent: UInt64 = 0
    var lastScore: UInt64 = 0
    /// Nanoseconds that the traffic took to be drawn: the clients' side of the path.
    var drawing: UInt64 = 0
  }

  private let clock: @Sendable () -> UInt64
  private let state = Mutex(Counted())

  init(clock: @escaping @Sendable () -> UInt64) { self.clock = clock }

  var counted: Counted { state.withLock { $0 } }

  func time(drawing draw: () -> Void) {
    let start = clock()
    draw()
    let taken = clock() - start
    state.withLock { $0.drawing += taken }
  }

  func note(events: Int) {
    let now = clock()
    state.withLock { counted in
      counted.events += events
      counted.lastEvent = now
    }
  }

  func noteScore() {
    let now = clock()
    state.withLock { counted in
      counted.scores += 1
      counted.lastScore = now
    }
  }
}

/// Calls and wall time per port operation.
final class PortTimes: Sendable {
  /// What one operation came to.
  struct Time: Sendable {
    var calls = 0
    var nanoseconds: UInt64 = 0
  }

  private let state = Mutex<[String: Time]>([:])

  /// By `Port.method`.
  var steps: [String: Time] { state.withLock { $0 } }

  func add(_ operation: String, _ nanoseconds: UInt64) {
    state.withLock { times in
      times[operation, default: Time()].calls += 1
      times[operation, default: Time()].nanoseconds += nanoseconds
    }
  }
}
