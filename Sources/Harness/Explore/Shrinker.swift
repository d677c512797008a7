import Moderation
import Pipeline
import Ports
import Simulation

/// A finding, made small.
public struct ShrunkScenario: Sendable {
  /// The smallest scenario that was found to violate the same.
  public var scenario: Scenario
  /// What it violates.
  public var violation: Violation
  /// How many runs it took.
  public var runs: Int

  /// Traffic, actions, jobs and faults together.
  public var actionCount: Int { scenario.actionCount }
}

/// Makes a scenario small that violates something: leaves out what isn't needed, lowers numbers,
/// merges targets and shortens time, until no single step of these keeps the violation.
public struct Shrinker {
  private let explorer: Explorer
  private let budget: Int
  private let progress: (Int, Int) -> Void
  private var best: Scenario
  private var violation: Violation
  private var runs = 0

  /// Shrinks a scenario.
  ///
  /// - Parameters:
  ///   - budget: the most runs that it may take.
  ///   - progress: gets the number of runs and of the actions left.
  public static func shrink(
    _ scenario: Scenario, _ violation: Violation, by explorer: Explorer, budget: Int = 3000,
    progress: @escaping (Int, Int) -> Void = { _, _ in }
  ) -> ShrunkScenario {
    var shrinker = Shrinker(
      explorer: explorer, budget: budget, progress: progress, best: scenario, violation: violation)
    shrinker.script()
    var before: Int
    repeat {
      before = shrinker.size
      shrinker.round()
    } while shrinker.size < before && shrinker.runs < budget
    return ShrunkScenario(
      scenario: shrinker.best, violation: shrinker.violation, runs: shrinker.runs)
  }

  /// What every round brings down.
  private var size: Int { best.yaml().utf8.count }

  /// Random traffic can only be left out as a whole: it is written out first.
  private mutating func script() {
    if let scripted = explorer.scripted(best) { accept(scripted) }
  }

  private mutating func round() {
    thin(\.faults)
    thin(\.traffic)
    thin(\.jobs)
    thin(\.actions)
    settings()
    for index in best.faults.indices { lower(fault: index) }
    merge()
    for index in best.traffic.indices where index < best.traffic.count { lower(step: index) }
    time()
  }

  /// Takes a candidate when it violates the same.
  @discardableResult
  private mutating func accept(_ candidate: Scenario) -> Bool {
    guard runs < budget else { return false }
    let candidate = candidate.consistent
    runs += 1
    guard let found = explorer.violation(of: candidate), found.checker == violation.checker else {
      return false
    }
    best = candidate
    violation = found
    progress(runs, best.actionCount)
    return true
  }

  private mutating func accept(_ change: (inout Scenario) -> Void) -> Bool {
    var candidate = best
    change(&candidate)
    return accept(candidate)
  }

  /// Leaves out stretches of a list, long ones first.
  private mutating func thin<Entry>(_ list: WritableKeyPath<Scenario, [Entry]>) {
    var length = best[keyPath: list].count
    while length >= 1 {
      var start = 0
      while start < best[keyPath: list].count {
        let end = min(start + length, best[keyPath: list].count)
        if !accept({ $0[keyPath: list].removeSubrange(start..<end) }) { start += length }
      }
      length /= 2
    }
  }

  /// Lowers a number as far as the violation stays, by halves.
  private mutating func lower(
    _ value: Int64, to least: Int64, _ set: (inout Scenario, Int64) -> Void
  ) {
    var (low, high) = (least, value)
    guard high > low else { return }
    if accept({ set(&$0, low) }) { return }
    while high - low > max(1, high / 16) {
      let middle = low + (high - low) / 2
      if accept({ set(&$0, middle) }) { high = middle } else { low = middle }
    }
  }

  private mutating func settings() {
    if best.schedule != nil { _ = accept { $0.schedule = nil } }
    if best.consumers != 1 { _ = accept { $0.consumers = 1 } }
    let usual = PipelinePolicy(heuristic: best.policy.heuristic)
    if best.policy.batchLimit != usual.batchLimit {
      _ = accept { $0.policy.batchLimit = usual.batchLimit }
    }
    if best.policy.relayInterval != usual.relayInterval {
      _ = accept {
        $0.policy.relayInterval = usual.relayInterval
        $0.policy.pollWait = usual.pollWait
      }
    }
    if best.policy.partitions != 1 { _ = accept { $0.policy.partitions = 1 } }
    if best.policy.triggers != usual.triggers {
      _ = accept { $0.policy.triggers = usual.triggers }
    }
    if best.policy.triggers.anchors.count > 1 {
      for anchor in best.policy.triggers.anchors {
        _ = accept { $0.policy.triggers.anchors.removeAll { $0 == anchor } }
      }
    }
    for share in [\Population.testAccounts, \.minors, \.nearBirthday]
    where best.population[keyPath: share] > 0 {
      _ = accept { $0.population[keyPath: share] = 0 }
    }
    lower(Int64(best.population.images), to: 0) { $0.population.images = Int($1) }
    lower(Int64(best.population.users), to: 1) { $0.population.users = Int($1) }
  }

  private mutating func lower(fault index: Int) {
    let fault = best.faults[index]
    if fault.skip > 0 { lower(Int64(fault.skip), to: 0) { $0.faults[index].skip = Int($1) } }
    if fault.stability != nil { _ = accept { $0.faults[index].stability = nil } }
    if fault.ratio < 1 { _ = accept { $0.faults[index].ratio = 1 } }
    if fault.limit != 1, fault.target != nil {
      switch fault.kind {
      case .error, .lostReply, .conflict, .duplicate, .slow:
        _ = accept { $0.faults[index].limit = 1 }
      default: break
      }
    }
    if let duration = fault.duration {
      lower(duration.microseconds / 1_000_000, to: 1) { $0.faults[index].duration = .seconds($1) }
    }
    switch fault.kind {
    case .redeliver(last: let last):
      lower(Int64(last), to: 1) { $0.faults[index].kind = .redeliver(last: Int($1)) }
    case .evict(back: let back):
      lower(back.microseconds / 1_000_000, to: 0) {
        $0.faults[index].kind = .evict(back: .seconds($1))
      }
    case .slow(by: let by):
      lower(by.microseconds / 1_000_000, to: 1) {
        $0.faults[index].kind = .slow(by: .seconds($1))
      }
    default: break
    }
  }

  /// Brings everything to one image and one user, and repeated steps into one.
  private mutating func merge() {
    for name in best.imageNames.dropFirst() {
      guard let first = best.imageNames.first else { break }
      _ = accept { $0.rename(image: name, to: first) }
    }
    let users = Set(best.traffic.compactMap(\.actor)).sorted()
    if users.count > 1, let first = users.first {
      for name in users.dropFirst() { _ = accept { $0.rename(user: name, to: first) } }
    }
    _ = accept { scenario in
      for index in scenario.traffic.indices { scenario.traffic[index].actor = nil }
    }
    for index in best.traffic.indices.reversed() where index < best.traffic.count {
      guard case .engagement(let step) = best.traffic[index],
        let earlier = best.traffic[..<index].firstIndex(where: { $0.repeats(step) })
      else { continue }
      _ = accept { scenario in
        guard case .engagement(var kept) = scenario.traffic[earlier] else { return }
        kept.times += step.times
        scenario.traffic[earlier] = .engagement(kept)
        scenario.traffic.remove(at: index)
      }
    }
  }

  private mutating func lower(step index: Int) {
    switch best.traffic[index] {
    case .engagement(let step):
      if step.times > 1 {
        lower(Int64(step.times), to: 1) { scenario, times in
          var fewer = step
          fewer.times = Int(times)
          scenario.traffic[index] = .engagement(fewer)
        }
      }
    case .burst(let burst):
      for count in [\TrafficEntry.Burst.views, \.comments, \.flags] where burst[keyPath: count] > 0
      {
        lower(Int64(burst[keyPath: count]), to: 0) { scenario, number in
          guard case .burst(var fewer) = scenario.traffic[index] else { return }
          fewer[keyPath: count] = Int(number)
          scenario.traffic[index] = .burst(fewer)
        }
      }
    case .duplicates(let step):
      lower(Int64(step.last), to: 1) {
        $0.traffic[index] = .duplicates(.init(at: step.at, last: Int($1)))
      }
    default: break
    }
  }

  /// Whole seconds, everything earlier, and an end soon after the last.
  private mutating func time() {
    _ = accept { scenario in
      scenario.mapTimes { .seconds(($0.microseconds + 500_000) / 1_000_000) }
    }
    for divisor in [4, 2] as [Int64] {
      while accept({ scenario in
        scenario.mapTimes { .seconds($0.microseconds / 1_000_000 / divisor) }
        scenario.duration = .seconds(
          max(1, scenario.duration.microseconds / 1_000_000 / divisor))
        scenario.policy.horizon = scenario.end
      }) {}
    }
    lower(best.duration.microseconds / 1_000_000, to: 1) { scenario, seconds in
      scenario.duration = .seconds(seconds)
      scenario.policy.horizon = scenario.end
    }
  }
}
