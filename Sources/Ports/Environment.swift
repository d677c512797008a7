import Moderation

/// All that pipeline code may know of the world beside its ports: the time, ids, random numbers and
/// the trace. Passed through initialisers; there is no ambient one.
public struct Environment: Sendable {
  /// Who acts: the service's or job's name, as traces and error reports show it.
  public let component: String
  /// What time it is, and how to wait.
  public let time: any TimeSource
  /// Fresh ids.
  public let ids: any IDSource
  /// Where effects and decisions are recorded.
  public let trace: any Trace

  /// An environment for one component.
  public init(
    component: String, time: any TimeSource, ids: any IDSource, trace: any Trace
  ) {
    self.component = component
    self.time = time
    self.ids = ids
    self.trace = trace
  }

  /// The same world for another component.
  public func named(_ component: String) -> Environment {
    Environment(component: component, time: time, ids: ids, trace: trace)
  }

  /// The present.
  public var now: ProcessingTime { time.now }

  /// Records one effect or decision.
  public func record(_ event: StaticString, _ fields: @autoclosure () -> [TraceField]) {
    guard trace.isEnabled else { return }
    trace.record(at: time.now, component: component, event: event, fields: fields())
  }
}

/// A clock that can be waited on.
public protocol TimeSource: Sendable {
  /// The present.
  var now: ProcessingTime { get }

  /// Returns at `deadline`, or as soon as `signal` is notified, or at once when the task is
  /// cancelled.
  ///
  /// - Parameter reason: what the task waits for, as a deadlock report shows it.
  func wait(until deadline: ProcessingTime?, for signal: Signal?, reason: String) async

  /// Whether `deadline` is there without a wait: it has passed, or a simulation may move to it at
  /// once, since nobody else would act before.
  func reaches(_ deadline: ProcessingTime) -> Bool
}

extension TimeSource {
  /// Whether `deadline` has passed.
  public func reaches(_ deadline: ProcessingTime) -> Bool { deadline <= now }

  /// Returns at `deadline`, or at once when the task is cancelled.
  public func sleep(until deadline: ProcessingTime) async {
    await wait(until: deadline, for: nil, reason: "sleep")
  }

  /// Returns after `duration`, or at once when the task is cancelled.
  public func sleep(for duration: Duration) async {
    await wait(until: now + duration, for: nil, reason: "sleep")
  }
}

/// Where ids come from: a seeded generator in a simulation, the system's in a deployment.
public protocol IDSource: Sendable {
  /// 128 fresh random bits of the stream named `label`.
  func next(_ label: StaticString) -> (UInt64, UInt64)
}

extension IDSource {
  /// A fresh version-4 UUID.
  public func make<Entity>(_ entity: Entity.Type = Entity.self, label: StaticString) -> ID<Entity> {
    let (high, low) = next(label)
    return ID(randomBits: high, low)
  }
}

/// A record of what happened: one line per effect and decision.
public protocol Trace: Sendable {
  /// Whether anybody listens; when not, fields aren't even made.
  var isEnabled: Bool { get }

  /// Records one line.
  func record(
    at time: ProcessingTime, component: String, event: StaticString, fields: [TraceField])
}

/// A trace that nobody listens to.
public struct NoTrace: Trace {
  /// A trace that drops everything.
  public init() {}
  /// Nobody listens.
  public var isEnabled: Bool { false }
  /// Drops the line.
  public func record(
    at time: ProcessingTime, component: String, event: StaticString, fields: [TraceField]
  ) {}
}

/// One named value of a trace line.
public struct TraceField: Sendable {
  /// The values that a trace line holds.
  public enum Value: Sendable {
    case text(String)
    case integer(Int64)
    case number(Double)
    case time(EventTime)
    /// The two halves of an ``ID``.
    case id(UInt64, UInt64)
  }

  /// The key.
  public var name: StaticString
  /// The value.
  public var value: Value

  /// Text.
  public static func text(_ name: StaticString, _ value: String) -> Self {
    Self(name: name, value: .text(value))
  }

  /// An integer.
  public static func integer(_ name: StaticString, _ value: Int) -> Self {
    Self(name: name, value: .integer(Int64(value)))
  }

  /// A number.
  public static func number(_ name: StaticString, _ value: Double) -> Self {
    Self(name: name, value: .number(value))
  }

  /// An instant.
  public static func time(_ name: StaticString, _ value: EventTime) -> Self {
    Self(name: name, value: .time(value))
  }

  /// An id.
  public static func id<Entity>(_ name: StaticString, _ value: ID<Entity>) -> Self {
    Self(name: name, value: .id(value.high, value.low))
  }
}
