import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization
import Testing

@testable import Harness

@Suite("Benchmark")
struct BenchmarkTests {
  private static let benchmark: Benchmark = {
    let looks = Mutex<UInt64>(0)
    return Benchmark(events: 1000) {
      looks.withLock { now in
        now += 1000
        return now
      }
    }
  }()

  @Test("What was recorded is drained: every event applied, scores stored, round trips counted")
  func drain() throws {
    let drain = try Self.benchmark.drain { (time) in .inMemory(time: time) }
    #expect(drain.backends == "in-memory")
    #expect(drain.events > 2500, "a thousand, and the population's images")
    #expect(drain.scores > 1900)
    #expect(drain.consumerSeconds > 0 && drain.consumerSeconds < drain.seconds)
    #expect(drain.eventsPerSecond < drain.consumerEventsPerSecond)
    let calls = Dictionary(uniqueKeysWithValues: drain.operations.map { ($0.name, $0.calls) })
    let applies = try #require(calls["FeatureStore.apply"])
    #expect(applies >= drain.events / 500)
    // Recording isn't measured.
    #expect(calls["ApplicationStore.outbox"] == nil)
    let trips = calls.filter { $0.key.hasPrefix("FeatureStore.") }.reduce(0) { $0 + $1.value }
    #expect(drain.roundTripsPerThousandEvents == 1000 * Double(trips) / Double(drain.events))
    #expect(drain.roundTripsPerThousandEvents < 20)
  }

  @Test("The JSON names the prefix that was kept, and the text the operations")
  func report() throws {
    let drain = Benchmark.Drain(
      backends: "live", events: 3000, scores: 500, consumerSeconds: 0.5, seconds: 1,
      operations: [
        .init(name: "FeatureStore.apply", calls: 6, seconds: 0.25),
        .init(name: "EventLog.append", calls: 3, seconds: 0.125),
      ])
    #expect(
      drain.json(prefix: "bench_1_2_3") == """
        {"drain":{"backends":"live","events":3000,"scores":500,"consumer_seconds":0.5,\
        "seconds":1.0,"consumer_events_per_second":6000.0,"events_per_second":3000.0,\
        "feature_round_trips_per_1000_events":2.0,"operations":{"FeatureStore.apply":\
        {"calls":6,"seconds":0.25},"EventLog.append":{"calls":3,"seconds":0.125}}},\
        "prefix":"bench_1_2_3"}
        """)
    #expect(drain.json(prefix: nil).hasSuffix("\"prefix\":null}"))
    #expect(drain.text.contains("FeatureStore.apply            6         250.00"))
  }

  @Test("Every event that was asked for is applied; drawing requests isn't part of the path")
  func path() throws {
    let report = try Self.benchmark.run()
    #expect(report.events > 2500 && report.scores > 1900)
    let steps = Dictionary(uniqueKeysWithValues: report.steps.map { ($0.name, $0.nanoseconds) })
    #expect(try #require(steps["not counted: drawing requests"]) > 0)
    #expect(report.json.contains("\"not counted: drawing requests\":"))
    #expect(report.steps.allSatisfy { $0.nanoseconds > 0 })
  }

  @Test("Requests drawn ahead are those that are drawn one by one, at the same instants")
  func drawnAhead() throws {
    let ahead = try Self.played { await $0.playArrivals { draw in draw() } }
    let oneByOne = try Self.played { await $0.play() }
    #expect(ahead.comments.count > 200 && ahead.flags.count > 20 && ahead.users.count > 20)
    #expect(ahead.images.contains { $0.deletedAt != nil } && ahead.images.contains { $0.views > 5 })
    #expect(ahead.users == oneByOne.users)
    #expect(ahead.images == oneByOne.images)
    #expect(ahead.comments == oneByOne.comments)
    #expect(ahead.flags == oneByOne.flags)
  }

  /// What the API stored of a scenario's traffic.
  private static func played(
    _ play: @escaping @Sendable (inout TrafficDriver) async -> Void
  ) throws -> ApplicationSnapshot {
    let scenario = try Scenario(
      yaml: """
        name: x
        about: y
        duration: 20m
        population: { users: 3, images: 4, bad_images: 0.5, minors: 0.3, mute_ineligible: true }
        traffic:
          - poisson:
              rate: 1/s
              mix: { view: 4, comment: 4, upload: 1, flag: 1, user: 1, delete: 0.1 }
              late: 0.2
              late_by: 3m
        """, file: "x.yaml")
    let clock = VirtualClock(start: ProcessingTime(microseconds: scenario.start.microseconds))
    let streams = RandomStreams(seed: 5)
    let environment = Environment(
      component: "traffic", time: clock, ids: SeededIDs(streams: streams), trace: NoTrace())
    let backends = Backends.inMemory(time: clock)
    let stop = SimulationExecutor(clock: clock).run { () async -> ApplicationSnapshot? in
      var driver = TrafficDriver(
        scenario: scenario,
        intake: Intake(
          store: backends.store, objects: backends.objects, log: backends.log,
          environment: environment, policy: scenario.policy),
        desk: ReviewDesk(store: backends.store, environment: environment), log: backends.log,
        lake: backends.lake, environment: environment, streams: streams, progress: { _ in })
      await driver.populate()
      await play(&driver)
      return try? await backends.store.snapshot()
    }
    guard case .finished(let tables?) = stop else { throw RunFailure.noProgress("\(stop)") }
    return tables
  }

  @Test("A backend that can't be made ends the benchmark")
  func unavailable() {
    #expect(throws: RunFailure.self) {
      _ = try Self.benchmark.drain { (_) throws(PortError) in
        throw PortError(.unavailable, port: "EventLog", operation: "open", hint: "nobody's there")
      }
    }
  }
}
