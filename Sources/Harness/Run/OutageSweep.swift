import Pipeline
import Simulation

/// A scenario with each service away for half of it, with other numbers of consumers, other batches
/// and other ticks, one run each: what comes out must be what comes out undisturbed.
///
/// The scenario's own faults, instances and interleaving are left out.
public struct OutageSweep: Sendable {
  /// A way of running that must change nothing.
  public struct Variant: Sendable, CustomStringConvertible {
    /// What is otherwise, like `stream-consumer crashes from 30m to 1h30m`.
    public let description: String
    let change: @Sendable (inout Scenario) -> Void
  }

  private let scenario: Scenario
  private let options: RunOptions
  /// What comes of the scenario undisturbed, and must come of every run.
  public let expected: RunOutcome

  /// Runs the scenario undisturbed.
  public init(_ scenario: Scenario, options: RunOptions = RunOptions()) throws(RunFailure) {
    var options = options
    options.isTraced = false
    self.scenario = scenario.undisturbed
    self.options = options
    expected = RunOutcome(try ScenarioRun(self.scenario, options: options).run())
  }

  /// All ways there are for this scenario: none is how it runs anyway.
  public var variants: [Variant] { outages + instances + batches + ticks }

  /// What is wrong with a run in that way, or nil: no end, another outcome, or a violated checker.
  public func fault(_ variant: Variant) throws(RunFailure) -> String? {
    var disturbed = scenario
    variant.change(&disturbed)
    let run: RunResult
    do { run = try ScenarioRun(disturbed, options: options).run() } catch {
      guard error.isOfRun else { throw error }
      return error.description
    }
    if let difference = expected.firstDifference(RunOutcome(run)) { return difference }
    let violated = Judgement(run).checkers.first { !$0.holds }
    return violated.map { "\($0.what): \($0.faults.first ?? "")" }
  }

  private var outages: [Variant] {
    // A little after a quarter: bursts and jobs as a rule begin at round instants, and an outage
    // shows most when it strikes in the middle of their work.
    let start = scenario.duration / 4 + scenario.duration / 120
    let end = start + scenario.duration / 2
    let span = "from \(start.short) to \(end.short)"
    let hasRelay = scenario.policy.publication == .outbox
    return ServiceName.allCases.filter { hasRelay || $0 != .outboxRelay }.flatMap { service in
      [(ScheduledFault.Kind.pause, "pauses"), (.crash, "crashes")].map { kind, verb in
        Variant(description: "\(service.rawValue) \(verb) \(span)") { scenario in
          scenario.faults = [
            ScheduledFault(at: start, duration: end - start, kind: kind, service: service)
          ]
        }
      }
    }
  }

  private var instances: [Variant] {
    [2, 3].map { count in
      Variant(description: "\(count) stream-consumers") { $0.consumers = count }
    }
  }

  private var batches: [Variant] {
    [1, 7, 5000].filter { $0 != scenario.policy.batchLimit }.map { limit in
      Variant(description: "polls of \(limit) records at most") { $0.policy.batchLimit = limit }
    }
  }

  private var ticks: [Variant] {
    [Duration.seconds(1), .seconds(7)].filter { $0 != scenario.policy.relayInterval }.map { every in
      Variant(description: "a relay every \(every.short)") {
        $0.policy.relayInterval = every
      }
    }
  }
}
