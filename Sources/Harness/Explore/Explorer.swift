import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization

/// Why a run of the explorer is a finding.
public struct Violation: Hashable, Sendable, Codable {
  /// The checker or expectation; `progress`, `escape` or `backend` when the run didn't get to any.
  public var checker: String
  /// What it says.
  public var faults: [String]

  /// A violation.
  public init(checker: String, faults: [String]) {
    self.checker = checker
    self.faults = faults
  }
}

/// What one seed came to.
public struct SeedReport: Sendable, Codable {
  /// The seed.
  public var seed: UInt64
  /// The first thing that was violated, if any.
  public var violation: Violation?
  /// How often faults of each kind hit.
  public var hits: [String: Int]
  /// The names of the marks that were reached.
  public var marks: [String]
  /// Events applied.
  public var events: Int
  /// How long it was in virtual time, in seconds.
  public var virtualSeconds: Double

  /// A report.
  public init(seed: UInt64, violation: Violation? = nil) {
    self.seed = seed
    self.violation = violation
    (hits, marks, events, virtualSeconds) = ([:], [], 0, 0)
  }
}

/// Plays a scenario under seeds: each with other traffic, settings, faults and interleavings; every
/// checker must hold, and what comes of it must be what comes of it undisturbed.
public final class Explorer: Sendable {
  /// How many seeds in a row share their traffic, and with it the run to compare with.
  public static let sharing = Swarm.sharing

  /// The most steps of one run: some hundred times what a seed of `swarm` takes.
  private static let stepBudget = 20_000_000

  private let swarm: Swarm
  private let options: @Sendable () -> RunOptions
  /// The undisturbed outcome of the traffic that was played last.
  private let reference = Mutex<(traffic: UInt64, outcome: RunOutcome)?>(nil)

  /// An explorer.
  ///
  /// - Parameter options: made for every run; tracing and scheduling are its own affair.
  public init(
    _ base: Scenario, options: @escaping @Sendable () -> RunOptions = { RunOptions() }
  ) {
    swarm = Swarm(base: base)
    self.options = {
      var options = options()
      options.stepBudget = min(options.stepBudget, Self.stepBudget)
      return options
    }
  }

  /// What a seed plays.
  public func scenario(_ seed: UInt64) -> Scenario { swarm.scenario(seed) }

  /// Plays a seed.
  public func explore(_ seed: UInt64) -> SeedReport {
    let scenario = swarm.scenario(seed)
    let trace = MarkTrace()
    var report = SeedReport(seed: seed)
    do throws(RunFailure) {
      var options = options()
      options.trace = trace
      if !scenario.expectations.isEmpty { options.undisturbed = try reference(seed, scenario) }
      let run = try ScenarioRun(scenario, options: options).run()
      report.violation = Self.violation(of: run)
      for (fault, hits) in zip(scenario.faults, run.faultHits) where hits > 0 {
        report.hits[fault.kind.name, default: 0] += hits
      }
      var marks = trace.marks.union(run.reachedMarks)
      if trace.scored > run.scores.count { marks.insert(.scoredAgain) }
      report.marks = Mark.allCases.filter(marks.contains).map(\.rawValue)
      report.events = run.applied.count
      report.virtualSeconds = Double(run.virtualDuration.microseconds) / 1e6
    } catch {
      report.violation = Self.violation(of: error)
    }
    return report
  }

  /// What is violated when a scenario is played as it stands; nil when nothing is.
  public func violation(of scenario: Scenario) -> Violation? {
    do throws(RunFailure) {
      var options = options()
      options.isTraced = false
      if scenario.expectations.contains(where: { $0.kind == .undisturbed }) {
        options.undisturbed = try ScenarioRun(scenario, options: self.options()).undisturbed()
      }
      return Self.violation(of: try ScenarioRun(scenario, options: options).run())
    } catch {
      return Self.violation(of: error)
    }
  }

  /// What led to what a scenario violates: lines for a person, as ``RunResult/causes(of:by:)``.
  ///
  /// - Parameter checker: of what it violates, what is explained.
  public func causes(of checker: String, in scenario: Scenario) -> [String] {
    var options = options()
    options.isTraced = false
    // A run that came to no end has no values to explain.
    guard let run = try? ScenarioRun(scenario, options: options).run() else { return [] }
    let judgement = Judgement(run)
    let finding = (judgement.checkers + judgement.expectations).first {
      $0.what == checker && !$0.holds
    }
    return finding.map { run.causes(of: $0.faults, by: checker) } ?? []
  }

  /// The scenario with what it does at random written out, step by step.
  func scripted(_ scenario: Scenario) -> Scenario? {
    var options = options()
    options.isTraced = false
    options.recordsTraffic = true
    do throws(RunFailure) {
      let run = try ScenarioRun(scenario, options: options).run()
      var scripted = scenario
      scripted.traffic.removeAll { if case .poisson = $0 { true } else { false } }
      scripted.traffic = run.played + scripted.traffic
      return scripted
    } catch {
      return nil
    }
  }

  private func reference(
    _ seed: UInt64, _ scenario: Scenario
  ) throws(RunFailure) -> RunOutcome {
    let traffic = seed / Swarm.sharing
    if let known = reference.withLock({ $0?.traffic == traffic ? $0?.outcome : nil }) {
      return known
    }
    let outcome = try ScenarioRun(scenario, options: options()).undisturbed()
    reference.withLock { $0 = (traffic, outcome) }
    return outcome
  }

  private static func violation(of run: RunResult) -> Violation? {
    let judgement = Judgement(run)
    // A random fault may well hit nothing.
    let idle = EveryFaultFired().name
    let findings = (judgement.checkers + judgement.expectations).filter { !$0.holds }
    return findings.first { $0.what != idle }.map {
      Violation(checker: $0.what, faults: $0.faults)
    }
  }

  private static func violation(of failure: RunFailure) -> Violation {
    switch failure {
    case .noProgress(let text): Violation(checker: "progress", faults: [text])
    case .escaped(let what): Violation(checker: "escape", faults: what)
    case .backend(let error): Violation(checker: "backend", faults: ["\(error)"])
    }
  }
}
