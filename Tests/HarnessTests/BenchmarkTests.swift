import Harness
import Ports
import Synchronization
import Testing

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

  @Test("A backend that can't be made ends the benchmark")
  func unavailable() {
    #expect(throws: RunFailure.self) {
      _ = try Self.benchmark.drain { (_) throws(PortError) in
        throw PortError(.unavailable, port: "EventLog", operation: "open", hint: "nobody's there")
      }
    }
  }
}
