import Simulation
import Synchronization

/// Plays scenarios over and over for some minutes, each time on new names of the same servers, and
/// watches what a long run wears out: outcomes, speed, memory, descriptors, threads.
///
/// Every round must pass its judgement and come to the trace of its scenario's first round.
public struct Soak: Sendable {
  /// What a soak needs of the world.
  public struct World: Sendable {
    /// A real clock, in nanoseconds.
    public var clock: @Sendable () -> UInt64
    /// What the process holds now.
    public var process: @Sendable () -> SoakReport.ProcessState
    /// Is told of every round.
    public var progress: @Sendable (SoakReport.Sample) -> Void

    /// A world.
    public init(
      clock: @escaping @Sendable () -> UInt64,
      process: @escaping @Sendable () -> SoakReport.ProcessState,
      progress: @escaping @Sendable (SoakReport.Sample) -> Void = { _ in }
    ) {
      self.clock = clock
      self.process = process
      self.progress = progress
    }
  }

  private let scenarios: [Scenario]
  private let seconds: Double
  private let world: World

  /// A soak that begins its last round before `seconds` are over; scenarios take turns.
  public init(_ scenarios: [Scenario], seconds: Double, world: World) {
    precondition(!scenarios.isEmpty, "a soak needs a scenario")
    self.scenarios = scenarios
    self.seconds = seconds
    self.world = world
  }

  /// Three failures in a row end it: nothing works any more.
  private static let mostFailures = 3

  /// Runs it.
  ///
  /// - Parameter play: plays a scenario on new names, and removes these afterwards.
  public func run(play: (Scenario, RunOptions) throws -> RunResult) -> SoakReport {
    let latencies = Latencies()
    let stopwatch = PortStopwatch(clock: world.clock, lap: latencies.note)
    var report = SoakReport()
    var fingerprints: [String: String] = [:]
    var failuresInARow = 0
    let start = world.clock()
    while failuresInARow < Self.mostFailures, Double(world.clock() - start) / 1e9 < seconds {
      let round = report.samples.count + 1
      let scenario = scenarios[(round - 1) % scenarios.count]
      let began = world.clock()
      let outcome = Self.outcome(
        scenario, stopwatch, expecting: fingerprints[scenario.name], play)
      let took = Double(world.clock() - began) / 1e9
      if fingerprints[scenario.name] == nil { fingerprints[scenario.name] = outcome.fingerprint }
      report.failures += outcome.failures.map { "round \(round), \(scenario.name): \($0)" }
      failuresInARow = outcome.failures.isEmpty ? 0 : failuresInARow + 1
      let sample = SoakReport.Sample(
        round: round, scenario: scenario.name, seconds: Double(world.clock() - start) / 1e9,
        events: outcome.events, eventsPerSecond: took > 0 ? Double(outcome.events) / took : 0,
        process: world.process())
      report.samples.append(sample)
      world.progress(sample)
    }
    report.latencies = latencies.summaries
    return report
  }

  private struct Outcome {
    var events = 0
    var fingerprint: String?
    var failures: [String] = []
  }

  /// One round; what it held is freed when this returns.
  private static func outcome(
    _ scenario: Scenario, _ stopwatch: PortStopwatch, expecting fingerprint: String?,
    _ play: (Scenario, RunOptions) throws -> RunResult
  ) -> Outcome {
    var options = RunOptions()
    options.injection = { environment, ports in stopwatch.timed(ports, environment) }
    var outcome = Outcome()
    do {
      let result = try play(scenario, options)
      outcome.events = result.applied.count
      outcome.fingerprint = result.fingerprint
      let judgement = Judgement(result)
      for finding in judgement.expectations + judgement.checkers where !finding.holds {
        outcome.failures.append(finding.what)
      }
      if let fingerprint, fingerprint != result.fingerprint {
        outcome.failures.append(
          "the trace's fingerprint is \(result.fingerprint), in the first round \(fingerprint)")
      }
    } catch {
      outcome.failures.append("\(error)")
    }
    return outcome
  }
}
