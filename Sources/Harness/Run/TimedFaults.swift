import Moderation
import Pipeline
import Ports
import Simulation

/// What faults do beside the calls of components: other members of consumer groups, and backends
/// that restart from an older save.
struct TimedFaults: Sendable {
  let platform: Platform

  private var plan: FaultPlan { platform.faults }
  private var time: any TimeSource { platform.time }

  /// Adds each fault that strikes at an instant to a group.
  func start(in group: inout TaskGroup<Void>) {
    for (index, fault) in plan.faults.enumerated() where fault.isTimed {
      switch fault.kind {
      case .rebalance:
        group.addTask(name: "fault \(index + 1)") { await rebalance(index, fault) }
      case .evict(let back):
        group.addTask(name: "fault \(index + 1)") { await evict(index, fault, back) }
      default: break
      }
    }
  }

  private func rebalance(_ index: Int, _ fault: ScheduledFault) async {
    await time.sleep(until: plan.begin(of: fault))
    if Task.isCancelled { return }
    let until = fault.duration == nil ? plan.begin(of: fault) : plan.end(of: fault)
    if await Self.join(platform.backends.log, fault, time, until: until) { plan.noteHit(index) }
  }

  private func evict(_ index: Int, _ fault: ScheduledFault, _ back: Duration) async {
    let at = plan.begin(of: fault)
    await time.sleep(until: ProcessingTime(microseconds: at.microseconds - back.microseconds))
    let watched = platform.backends.features as? WatchedFeatureStore
    guard let store = watched?.base as? any SaveAndRestore else { return }
    do throws(PortError) {
      let restore = try store.save()
      await time.sleep(until: at)
      if Task.isCancelled { return }
      try restore()
      platform.watch.see(.featuresLost)
      plan.noteHit(index)
    } catch {
      // A fault that didn't strike is told at the end; why, the trace has.
      platform.environment.record("evict-failed", [.text("error", "\(error)")])
    }
  }

  /// Another member joins a service's group, stays, and leaves; whether it got in.
  static func join(
    _ log: any EventLog, _ fault: ScheduledFault, _ time: any TimeSource, until: ProcessingTime
  ) async -> Bool {
    let isScorer = fault.component == ServiceName.riskScorer.rawValue
    do throws(PortError) {
      let member = try await log.join(
        isScorer ? RiskScorer.group : StreamConsumer.group, member: "other-member",
        topics: isScorer ? [Topic.moderationRequests] : Catalog.sourceTopics)
      _ = try await member.poll(limit: 1, until: time.now)
      while time.now < until, !Task.isCancelled {
        // Within its session, so that it isn't taken for gone.
        await time.sleep(until: min(until, time.now + .seconds(10)))
        _ = try await member.poll(limit: 1, until: time.now)
      }
      try await member.leave()
      return true
    } catch {
      return false
    }
  }
}
