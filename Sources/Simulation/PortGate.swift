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
    private let count = Mutex(0)
    private let decide: @Sendable (PortOperation) -> Verdict

    /// A plan; by default everything passes.
    public init(_ decide: @escaping @Sendable (PortOperation) -> Verdict = { _ in .pass }) {
      self.decide = decide
    }

    /// How many operations there were.
    public var operations: Int { count.withLock { $0 } }

    fileprivate func verdict(
      _ component: String, _ name: StaticString, _ time: ProcessingTime
    ) -> Verdict {
      let index = count.withLock { count in
        defer { count += 1 }
        return count
      }
      return decide(
        PortOperation(component: component, index: index, time: time, staticName: name))
    }
  }

  private let plan: Plan
  private let environment: Environment
  private let yields: Bool
  private let stopwatch: (@Sendable () -> UInt64)?
  private let lap: @Sendable (String, UInt64) -> Void

  /// The gate of one component.
  public init(plan: Plan, environment: Environment, yields: Bool) {
    self.plan = plan
    self.environment = environment
    self.yields = yields
    stopwatch = nil
    lap = { _, _ in }
  }

  /// A gate that lets everything pass and measures it, for benchmarks.
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
    yields = false
    self.stopwatch = stopwatch
    self.lap = lap
  }

  /// Carries out an operation, or not, as the plan says.
  func around<Value>(
    _ name: StaticString, _ body: () async throws(PortError) -> Value
  ) async throws(PortError) -> Value {
    if let stopwatch {
      let start = stopwatch()
      let value = try await body()
      lap("\(name)", stopwatch() - start)
      return value
    }
    if yields { await Task.yield() }
    try refuseIfEnded(name)
    let verdict = plan.verdict(environment.component, name, environment.now)
    switch verdict {
    case .pass:
      break
    case .delay(let duration):
      await environment.time.sleep(for: duration)
      try refuseIfEnded(name)
    case .failBefore(let error):
      environment.record(
        "fault", [.text("operation", "\(name)"), .text("verdict", "fail-before")])
      throw error
    case .failAfter(let error):
      _ = try await body()
      environment.record("fault", [.text("operation", "\(name)"), .text("verdict", "fail-after")])
      throw error
    }
    let value = try await body()
    if yields { await Task.yield() }
    return value
  }

  /// A component that was ended (a crash) reaches nothing any more.
  private func refuseIfEnded(_ name: StaticString) throws(PortError) {
    guard Task.isCancelled else { return }
    let parts = "\(name)".split(separator: ".", maxSplits: 1).map(String.init)
    throw PortError(
      .cancelled, port: parts[0], operation: parts.last ?? "",
      hint: "\(environment.component) was ended")
  }
}
