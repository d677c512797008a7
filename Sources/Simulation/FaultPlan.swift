import Moderation
import Ports
import Synchronization

/// The faults of one run: decides each port operation's fate, and counts what it hit.
///
/// Seeded draws come from a stream per fault, so that one fault more or less leaves the others'
/// draws as they are.
public final class FaultPlan: Sendable {
  private struct Progress {
    var matches = 0
    var hits = 0
    var random: SeededRandom
    let base: UInt64
  }

  private struct State {
    var faults: [Progress]
    /// Until when a component that crashed at a call is away.
    var down: [String: ProcessingTime] = [:]
  }

  /// The faults, in the scenario's order.
  public let faults: [ScheduledFault]
  private let start: ProcessingTime
  private let end: ProcessingTime
  private let state: Mutex<State>
  private let api: Set<String>
  private let services: Set<String>
  /// What others do right before a call that ``ScheduledFault/Kind/rebalance`` strikes.
  private let interruption: @Sendable (ScheduledFault) async -> Void

  /// A plan.
  ///
  /// - Parameters:
  ///   - start: the run's start, to which the faults' times are relative.
  ///   - end: when a fault without a duration is over.
  ///   - services: the components that somebody outside starts and ends.
  ///   - api: the components that refuse while they are away, and whose callers live on.
  ///   - interruption: what others do right before a call that a rebalance strikes.
  public init(
    _ faults: [ScheduledFault], start: ProcessingTime, end: ProcessingTime, streams: RandomStreams,
    services: Set<String>, api: Set<String>,
    interruption: @escaping @Sendable (ScheduledFault) async -> Void = { _ in }
  ) {
    self.faults = faults
    self.start = start
    self.end = end
    self.services = services
    self.api = api
    self.interruption = interruption
    state = Mutex(
      State(
        faults: faults.indices.map { index in
          var random = streams.stream("fault-\(index)")
          let base = random.next()
          return Progress(random: random, base: base)
        }))
  }

  /// How often each fault hit something, in their order.
  public var hits: [Int] { state.withLock { $0.faults.map(\.hits) } }

  /// Notes a hit of a fault that strikes without a call.
  public func noteHit(_ index: Int) { state.withLock { $0.faults[index].hits += 1 } }

  /// When a fault begins.
  public func begin(of fault: ScheduledFault) -> ProcessingTime { start + fault.at }

  /// When a fault is over.
  public func end(of fault: ScheduledFault) -> ProcessingTime {
    fault.duration.map { start + fault.at + $0 } ?? max(end, start + fault.at)
  }

  /// Until when a component that crashed at a call is away; forgets it.
  public func takeDowntime(of component: String) -> ProcessingTime? {
    state.withLock { $0.down.removeValue(forKey: component) }
  }

  /// What happens to an operation: what the first fault that hits it says.
  public func verdict(of operation: PortOperation) -> Verdict {
    let (name, component) = (operation.name, operation.component)
    return state.withLock { state in
      if let until = state.down[component], operation.time < until {
        return gone(operation, isBefore: true)
      }
      for (index, fault) in faults.enumerated()
      where isOn(fault, at: operation.time) && fault.concerns(component)
        && fault.concerns(call: name)
      {
        guard let verdict = verdict(of: operation, fault),
          strikes(fault, at: operation.time, &state.faults[index])
        else { continue }
        if fault.kind == .crash {
          state.down[component] =
            fault.target == nil
            ? end(of: fault) : operation.time + (fault.duration ?? .seconds(1))
        }
        return verdict
      }
      return .pass
    }
  }

  private func isOn(_ fault: ScheduledFault, at time: ProcessingTime) -> Bool {
    guard time >= begin(of: fault) else { return false }
    // A crash at a call waits for its call; its duration says how long the component is away.
    let waits = (fault.kind == .crash || fault.kind == .rebalance) && fault.target != nil
    if case .redeliver = fault.kind { return true }
    return waits || time < end(of: fault)
  }

  /// Whether the draw, the skipped calls and the limit let a fault strike this call.
  private func strikes(
    _ fault: ScheduledFault, at time: ProcessingTime, _ progress: inout Progress
  ) -> Bool {
    if let limit = fault.limit, progress.hits >= limit { return false }
    progress.matches += 1
    guard progress.matches > fault.skip else { return false }
    if fault.ratio < 1 {
      if let stability = fault.stability {
        let slot = (time.microseconds - begin(of: fault).microseconds) / stability.microseconds
        var held = SeededRandom(seed: progress.base &+ UInt64(bitPattern: slot))
        guard held.chance(fault.ratio) else { return false }
      } else {
        guard progress.random.chance(fault.ratio) else { return false }
      }
    }
    progress.hits += 1
    return true
  }

  /// What a fault does to a call that it strikes; nil when it doesn't strike calls of this kind.
  private func verdict(of operation: PortOperation, _ fault: ScheduledFault) -> Verdict? {
    let isPoll = operation.name == "EventConsumer.poll"
    let hint = "injected: \(fault.kind.name)"
    switch fault.kind {
    case .pause:
      return .delay(.microseconds(end(of: fault).microseconds - operation.time.microseconds))
    case .slow(let by): return .delay(by)
    case .error, .partition: return .failBefore(Self.error(.unavailable, operation, hint))
    case .conflict: return .failBefore(Self.error(.conflict, operation, hint))
    case .lostReply: return .failAfter(Self.error(.unknownOutcome, operation, hint))
    // A poll moves the member's position; nobody repeats it beneath the caller.
    case .duplicate: return isPoll ? nil : .duplicate
    case .crash:
      // Services that crash at an instant are ended from outside, whatever they are doing.
      guard fault.target != nil || !isService(operation.component) else { return nil }
      return gone(operation, isBefore: fault.strikesBefore || fault.target == nil)
    case .rebalance:
      guard fault.target != nil else { return nil }
      return .interrupted { [interruption] in await interruption(fault) }
    case .redeliver(let last): return isPoll ? .redeliver(last: last) : nil
    case .reorder: return isPoll ? .reorder(seed: UInt64(operation.index)) : nil
    case .evict, .skew: return nil
    }
  }

  private static func error(
    _ code: PortError.Code, _ operation: PortOperation, _ hint: String
  ) -> PortError {
    let parts = operation.name.split(separator: ".", maxSplits: 1).map(String.init)
    return PortError(code, port: parts[0], operation: parts.last ?? "", hint: hint)
  }

  /// The end of a component at a call. The API's callers live on and see that nobody answers.
  private func gone(_ operation: PortOperation, isBefore: Bool) -> Verdict {
    guard api.contains(operation.component) else { return isBefore ? .crashBefore : .crashAfter }
    let error = Self.error(.unavailable, operation, "\(operation.component) is down")
    return isBefore ? .failBefore(error) : .failAfter(error)
  }

  private func isService(_ component: String) -> Bool {
    services.contains { component == $0 || component.hasPrefix($0 + "-") }
  }

  /// How wrong a component's clock goes at an instant.
  public func skew(of component: String, at time: ProcessingTime) -> Duration {
    var total = Duration.zero
    for (index, fault) in faults.enumerated() {
      guard case .skew(let by) = fault.kind, fault.concerns(component), isOn(fault, at: time) else {
        continue
      }
      state.withLock { $0.faults[index].hits = 1 }
      total += by
    }
    return total
  }

  /// Whether a component's clock ever goes wrong.
  public func skews(_ component: String) -> Bool {
    faults.contains { fault in
      if case .skew = fault.kind { fault.concerns(component) } else { false }
    }
  }
}
