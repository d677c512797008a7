import Moderation
import Pipeline
import Ports
import Simulation

/// Starts the services, ends them at crashes, and starts fresh instances when those are over.
struct Supervisor: Sendable {
  let scenario: Scenario
  let platform: Platform

  /// A crash at an instant.
  private struct Crash {
    var fault: Int
    var at: ProcessingTime
    var until: ProcessingTime
  }

  /// Adds every instance of every service to a group.
  func start(isRelayed: Bool, in group: inout TaskGroup<Void>) {
    for name in ServiceName.allCases {
      if name == .outboxRelay && !isRelayed { continue }
      let instances = name == .streamConsumer ? scenario.consumers : 1
      for instance in 1...instances {
        group.addTask(name: Platform.component(name, instance)) {
          await supervise(name, instance)
        }
      }
    }
  }

  private func supervise(_ name: ServiceName, _ instance: Int) async {
    let environment = platform.environment("supervisor")
    let component = Platform.component(name, instance)
    let faults = platform.faults
    let crashesAtCalls = faults.faults.contains {
      $0.kind == .crash && !$0.isTimed && $0.concerns(component)
    }
    var crashes = crashes(of: component)
    while crashesAtCalls || !crashes.isEmpty {
      let next = crashes.first
      await withTaskGroup(of: Void.self) { group in
        group.addTask(name: component) { await platform.service(name, instance: instance).run() }
        await environment.time.wait(
          until: next?.at, for: platform.crashes.signal(of: component), reason: "a crash")
        group.cancelAll()
      }
      if Task.isCancelled { return }
      var until = environment.now
      if let downtime = faults.takeDowntime(of: component) {
        until = downtime
      } else if let next {
        faults.noteHit(next.fault)
        until = next.until
        crashes.removeFirst()
      }
      environment.record("crashed", [.text("service", component)])
      platform.collector.noteCrash()
      await environment.time.sleep(until: until)
      if Task.isCancelled { return }
      environment.record("restarted", [.text("service", component)])
    }
    await platform.service(name, instance: instance).run()
  }

  /// The crashes of a component at instants, in their order.
  private func crashes(of component: String) -> [Crash] {
    let plan = platform.faults
    return plan.faults.enumerated().filter { _, fault in
      fault.kind == .crash && fault.isTimed && fault.concerns(component)
    }.map { index, fault in
      Crash(fault: index, at: plan.begin(of: fault), until: plan.end(of: fault))
    }.sorted { ($0.at, $0.fault) < ($1.at, $1.fault) }
  }
}
