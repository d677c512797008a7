import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization
import Testing

@testable import Harness

@Suite("Injected ports")
struct InjectionTests {
  /// What a run's checkers say that doesn't hold, by name.
  private func red(_ options: RunOptions) throws -> [String] {
    let run = try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    return Judgement(run).checkers.filter { !$0.holds }.map(\.what)
  }

  /// Options in which a component's inserts of scores are lost.
  private func losingScores(of component: String) -> RunOptions {
    var options = RunOptions()
    options.isTraced = false
    options.injection = { environment, ports in
      guard environment.component == component else { return ports }
      var ports = ports
      ports.store = BrokenStore(base: ports.store) { mutation in
        if case .insertModeration = mutation { true } else { false }
      }
      return ports
    }
    return options
  }

  @Test("A defect in one component's port turns a checker red that is green without it")
  func defect() throws {
    #expect(try red(losingScores(of: "risk-scorer")) == ["EveryRequestScoredOnce"])
    #expect(try red(losingScores(of: "nobody")).isEmpty)
  }

  @Test("Each component is asked for at each of its starts, by name")
  func components() throws {
    let starts = Mutex<[String: Int]>([:])
    var options = RunOptions()
    options.injection = { environment, ports in
      starts.withLock { $0[environment.component, default: 0] += 1 }
      return ports
    }
    var scenario = try ScenarioTexts.parsedTiny()
    scenario.faults = [
      ScheduledFault(
        at: .seconds(60), duration: .seconds(5), kind: .crash, service: .streamConsumer)
    ]
    _ = try ScenarioRun(scenario, options: options).run()
    let seen = starts.withLock { $0 }
    let jobs = Set(scenario.jobs.map(\.job.rawValue))
    #expect(
      jobs.union(["intake", "outbox-relay", "anchor-scheduler", "risk-scorer"]).isSubset(
        of: seen.keys))
    #expect(seen["stream-consumer"] == 2, "a crash is followed by another start")
    #expect(seen["risk-scorer"] == 1)
  }

  @Test("What is injected lies behind the gate: a call that fails there doesn't reach it")
  func behindTheGate() throws {
    let reached = Mutex(0)
    var options = losingScores(of: "nobody")
    options.plan = { operation in
      guard operation.component == "risk-scorer", operation.name == "ApplicationStore.commit"
      else { return .pass }
      return .failBefore(
        PortError(.invalid, port: "ApplicationStore", operation: "commit", hint: "a test"))
    }
    options.injection = { environment, ports in
      guard environment.component == "risk-scorer" else { return ports }
      var ports = ports
      ports.store = BrokenStore(base: ports.store) { _ in
        reached.withLock { $0 += 1 }
        return false
      }
      return ports
    }
    options.settlingLimit = .seconds(10)
    #expect(throws: RunFailure.self) {
      try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    }
    #expect(reached.withLock { $0 } == 0)
  }
}
