import Harness
import Ports
import Synchronization
import Testing

@Suite("Soak")
struct SoakTests {
  private static let yaml = """
    name: NAME
    about: A few events.
    duration: 2m
    population: { users: 3, images: 2 }
    traffic:
      - { poisson: { rate: 1/s, mix: { view: 1 } } }
    """

  private static func scenario(_ name: String = "short") throws -> Scenario {
    try Scenario(yaml: yaml.replacing("NAME", with: name), file: name)
  }

  /// A soak under a clock that goes on by a millisecond a look.
  private static func soak(_ names: [String] = ["short"], seconds: Double) throws -> Soak {
    let looks = Count()
    let world = Soak.World(
      clock: { UInt64(looks.next()) * 1_000_000 }, process: { .init(8, 4, 2) })
    return Soak(try names.map { try scenario($0) }, seconds: seconds, world: world)
  }

  @Test("Scenarios take turns until the time is over, and each port operation is measured")
  func rounds() throws {
    let report = try Self.soak(["one", "two"], seconds: 12).run {
      try ScenarioRun($0, options: $1).run()
    }
    #expect(report.failures.isEmpty)
    #expect(report.passed)
    #expect(report.samples.count > 2)
    #expect(Set(report.samples.map(\.scenario)) == ["one", "two"])
    #expect(report.samples.map(\.scenario).prefix(3) == ["one", "two", "one"])
    #expect(report.events == report.samples.reduce(0) { $0 + $1.events })
    #expect(report.samples.allSatisfy { $0.events > 50 })
    let apply = try #require(report.latencies.first { $0.operation == "FeatureStore.apply" })
    #expect(apply.count > 10)
    #expect(apply.p50 >= 990 && apply.p50 <= apply.p99 && apply.p99 <= apply.longest)
  }

  @Test("A round whose trace isn't the first one's fails")
  func drift() throws {
    let rounds = Count()
    let report = try Self.soak(seconds: 12).run { scenario, options in
      var options = options
      options.seed = rounds.next() == 3 ? 9 : 8
      return try ScenarioRun(scenario, options: options).run()
    }
    #expect(report.failures.count == 1)
    #expect(report.failures.first?.hasPrefix("round 3, short: the trace's fingerprint") == true)
    #expect(!report.passed)
  }

  @Test("Three rounds without a server end a soak")
  func outage() throws {
    let report = try Self.soak(seconds: 1_000_000).run { _, _ in
      throw RunFailure.backend(
        PortError(.unavailable, port: "EventLog", operation: "append", hint: "no broker"))
    }
    #expect(report.samples.count == 3)
    #expect(report.failures.count == 3)
    #expect(report.failures.allSatisfy { $0.contains("no broker") })
  }

  @Test(
    "What grows from the second quarter to the last is named; the first quarter may fill caches",
    arguments: [
      (SoakGrowth { .init(100 << 20, 10 + $0 / 4, 5) }, ["descriptors"]),
      (SoakGrowth { .init(100 << 20, 10, 5 + $0 / 4) }, ["threads"]),
      (SoakGrowth { .init((100 + 2 * $0) << 20, 10, 5) }, ["memory"]),
      (SoakGrowth { .init((100 + $0 / 8) << 20, 10, 5) }, []),
      (SoakGrowth { .init(($0 < 4 ? 50 : 100) << 20, $0 < 4 ? 3 : 10, 5) }, []),
      (SoakGrowth { .init(100 << 20, $0 == 15 ? 99 : 10, 5) }, []),
    ])
  func growth(process: SoakGrowth, grown: [String]) {
    let report = SoakReport(rounds: (1...16).map(process.state))
    #expect(report.growth.map { String($0.prefix { $0 != " " }) } == grown)
    #expect(report.passed == grown.isEmpty)
    let short = SoakReport(rounds: (1..<SoakReport.fewestRounds).map(process.state))
    #expect(short.growth.isEmpty, "too few rounds to tell")
  }

  @Test("The files have a line per round and per operation")
  func files() throws {
    let report = try Self.soak(seconds: 12).run { try ScenarioRun($0, options: $1).run() }
    let rounds = report.samplesCSV.split(separator: "\n")
    #expect(
      rounds.first
        == "round,scenario,seconds,events,events_per_second,resident_mb,descriptors,threads")
    #expect(rounds.count == report.samples.count + 1)
    #expect(rounds[1].hasPrefix("1,short,"))
    #expect(rounds[1].hasSuffix(",4,2"))
    let operations = report.latenciesCSV.split(separator: "\n")
    #expect(operations.first == "operation,count,mean_us,p50_us,p90_us,p99_us,p999_us,max_us")
    #expect(operations.count == report.latencies.count + 1)
  }
}

/// Counts from 1.
private final class Count: Sendable {
  private let value = Atomic(0)

  func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// What a process holds after each round.
struct SoakGrowth: Sendable, CustomTestStringConvertible {
  let state: @Sendable (Int) -> SoakReport.ProcessState

  init(_ state: @escaping @Sendable (Int) -> SoakReport.ProcessState) { self.state = state }

  var testDescription: String { "\(state(1)) … \(state(16))" }
}

extension SoakReport.ProcessState {
  fileprivate init(_ residentBytes: Int, _ descriptors: Int, _ threads: Int) {
    self.init(residentBytes: residentBytes, descriptors: descriptors, threads: threads)
  }
}

extension SoakReport {
  fileprivate init(rounds: [ProcessState]) {
    self.init(
      samples: rounds.enumerated().map { index, process in
        Sample(
          round: index + 1, scenario: "s", seconds: Double(index), events: 1, eventsPerSecond: 1,
          process: process)
      }, latencies: [], failures: [])
  }
}
