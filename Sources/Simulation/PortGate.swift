import Moderation
import Ports
import Synchronization

/// What happens to one port operation.
public enum Verdict: Sendable {
  /// It is carried out.
  case pass
  /// It is carried out later.
  case delay(Duration)
  /// It isn't carried out, and the caller sees this error.
  case failBefore(PortError)
  /// It is carried out, but the reply is lost: the caller sees this error.
  case failAfter(PortError)
  /// It is carried out twice; the caller sees the second reply.
  case duplicate
  /// The component is gone before it is carried out.
  case crashBefore
  /// It is carried out, and then the component is gone.
  case crashAfter
  /// Others act first; then it is carried out.
  case interrupted(@Sendable () async -> Void)
  /// A poll brings the last records of the polls before once more; other operations pass.
  case redeliver(last: Int)
  /// A poll brings its records in another order across partitions; other operations pass.
  case reorder(seed: UInt64)
}

/// One port operation about to happen.
public struct PortOperation: Sendable {
  /// The component that calls.
  public var component: String
  /// `Port.method`.
  public var name: String { "\(staticName)" }
  /// How many operations of this run came before it.
  public var index: Int
  /// When.
  public var time: ProcessingTime

  fileprivate var staticName: StaticString
}

/// Stands before a component's ports: a scheduling point at each call, and the place of faults.
///
/// Under seeded scheduling every call yields before and after, so that interleavings at each port
/// operation are searched even though in-memory backends never suspend.
public struct PortGate: Sendable {
  /// Decides each operation's fate; shared by all gates of a run.
  public final class Plan: Sendable {
    private let count = Atomic(0)
    private let decide: (@Sendable (PortOperation) -> Verdict)?

    /// A plan; without a decision everything passes.
    public init(_ decide: (@Sendable (PortOperation) -> Verdict)? = nil) { self.decide = decide }

    /// How many operations there were.
    public var operations: Int { count.load(ordering: .relaxed) }

    fileprivate func verdict(
      _ component: String, _ name: StaticString, _ time: @autoclosure () -> ProcessingTime
    ) -> Verdict {
      let index = count.add(1, ordering: .relaxed).oldValue
      guard let decide else { return .pass }
      return decide(
        PortOperation(component: component, index: index, time: time(), staticName: name))
    }
  }

  private let plan: Plan
  private let environment: Environment
  /// The component's clock when it may be wrong; faults happen by the right one.
  private let skewed: SkewedTime?
  private let yields: Bool
  private let stopwatch: (@Sendable () -> UInt64)?
  private let lap: @Sendable (String, UInt64) -> Void
  /// Whether the component crashed at a call: it reaches nothing any more.
  private let isGone: Flag
  private let onCrash: @Sendable (String) -> Void

  /// The gate of one component, from its start to its end.
  ///
  /// - Parameter onCrash: gets the component's name when a verdict ended it.
  public init(
    plan: Plan, environment: Environment, yields: Bool,
    onCrash: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.plan = plan
    self.environment = environment
    skewed = environment.time as? SkewedTime
    self.yields = yields
    self.onCrash = onCrash
    isGone = Flag()
    stopwatch = nil
    lap = { _, _ in }
  }

  /// A gate that lets everything pass and measures it.
  ///
  /// - Parameters:
  ///   - stopwatch: a real clock, in nanoseconds.
  ///   - lap: gets each operation's name and how long it took, waiting included.
  public init(
    environment: Environment, stopwatch: @escaping @Sendable () -> UInt64,
    lap: @escaping @Sendable (String, UInt64) -> Void
  ) {
    plan = Plan()
    self.environment = environment
    skewed = environment.time as? SkewedTime
    yields = false
    onCrash = { _ in }
    isGone = Flag()
    self.stopwatch = stopwatch
    self.lap = lap
  }

  /// Carries out an operation, or not, as the plan says.
  ///
  /// Inlined, like ``decided(_:_:)``: called, each would be a frame of its own, as would `body`,
  /// and the way back from each asks the task for its executor.
  @inline(__always)
  func around<Value>(
    _ name: StaticString, _ body: () async throws(PortError) -> Value
  ) async throws(PortError) -> Value {
    if let stopwatch {
      let start = stopwatch()
      defer { lap("\(name)", stopwatch() - start) }
      return try await body()
    }
    return try await decided(name) { (_) async throws(PortError) in try await body() }
  }

  /// The same for operations that also heed the verdicts of polls.
  @inline(__always)
  func decided<Value>(
    _ name: StaticString, _ body: (Verdict) async throws(PortError) -> Value
  ) async throws(PortError) -> Value {
    if yields { await Task.yield() }
    try refuseIfEnded(name)
    let verdict = plan.verdict(
      environment.component, name, skewed?.base.now ?? environment.now)
    let value: Value
    if case .pass = verdict {
      value = try await body(verdict)
    } else {
      value = try await disturbed(name, verdict, body)
    }
    if yields { await Task.yield() }
    return value
  }

  @inline(never)
  private func disturbed<Value>(
    _ name: StaticString, _ verdict: Verdict, _ body: (Verdict) async throws(PortError) -> Value
  ) async throws(PortError) -> Value {
    switch verdict {
    case .pass: break
    case .delay(let duration):
      await environment.time.sleep(for: duration)
      try refuseIfEnded(name)
    case .failBefore(let error):
      note(name, "fail-before")
      throw error
    case .failAfter(let error):
      _ = try await body(verdict)
      note(name, "fail-after")
      throw error
    case .duplicate:
      note(name, "duplicate")
      _ = try await body(verdict)
    case .crashBefore:
      throw crash(name, "crash-before")
    case .crashAfter:
      _ = try await body(verdict)
      throw crash(name, "crash-after")
    case .interrupted(let action):
      note(name, "interrupted")
      await action()
    case .redeliver: note(name, "redeliver")
    case .reorder: break
    }
    return try await body(verdict)
  }

  private func note(_ name: StaticString, _ verdict: String) {
    environment.record("fault", [.text("operation", "\(name)"), .text("verdict", verdict)])
  }

  private func crash(_ name: StaticString, _ verdict: String) -> PortError {
    note(name, verdict)
    isGone.raise()
    onCrash(environment.component)
    return ended(name)
  }

  /// What the right clock shows when the component's shows `time`.
  func right(_ time: ProcessingTime) -> ProcessingTime { skewed?.right(time) ?? time }

  /// A component that was ended (a crash) reaches nothing any more.
  private func refuseIfEnded(_ name: StaticString) throws(PortError) {
    guard Task.isCancelled || isGone.isRaised else { return }
    throw ended(name)
  }

  private func ended(_ name: StaticString) -> PortError {
    let parts = "\(name)".split(separator: ".", maxSplits: 1).map(String.init)
    return PortError(
      .cancelled, port: parts[0], operation: parts.last ?? "",
      hint: "\(environment.component) was ended")
  }
}

/// Something that happened once.
private final class Flag: Sendable {
  private let value = Atomic(false)

  var isRaised: Bool { value.load(ordering: .relaxed) }

  func raise() { value.store(true, ordering: .relaxed) }
}
