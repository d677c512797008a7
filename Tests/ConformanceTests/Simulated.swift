import Moderation
import Ports
import Simulation
import Testing

/// Runs a test's body inside a simulation, on a virtual clock and with seeded ids, and records an
/// issue unless the run finished.
func simulate(
  sourceLocation: SourceLocation = #_sourceLocation,
  _ body: @escaping @Sendable (Environment) async throws -> Void
) throws {
  let clock = VirtualClock(start: ProcessingTime(microseconds: Sample.start.microseconds))
  let environment = Environment(
    component: "test", time: clock, ids: SeededIDs(streams: RandomStreams(seed: 1)),
    trace: NoTrace())
  let stop = SimulationExecutor(clock: clock).run(budget: 1_000_000) {
    () async -> Result<Void, any Error> in
    do { return .success(try await body(environment)) } catch { return .failure(error) }
  }
  guard case .finished(let result) = stop else {
    Issue.record("the simulation didn't finish: \(stop)", sourceLocation: sourceLocation)
    return
  }
  try result.get()
}

/// Runs a test's body against a fresh, empty instance of an adapter.
func simulate<Port: Sendable>(
  _ adapter: Adapter<Port>, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: @escaping @Sendable (Port, Environment) async throws -> Void
) throws {
  let folder = TemporaryFolder()
  try simulate(sourceLocation: sourceLocation) { environment in
    try await body(try await adapter.make(environment.time, folder), environment)
  }
}

/// The code of the error that an operation throws; nil when it succeeds.
func code<Value>(_ operation: () async throws -> Value) async -> PortError.Code? {
  await failure(operation)?.code
}

/// The port's error that an operation throws; nil when it succeeds.
func failure<Value>(_ operation: () async throws -> Value) async -> PortError? {
  do {
    _ = try await operation()
    return nil
  } catch let error as PortError {
    return error
  } catch {
    Issue.record("not a PortError: \(error)")
    return nil
  }
}

/// The fixed points that the tests count from.
enum Sample {
  /// 2025-06-15T14:00:00Z, when every simulation starts.
  static let start = EventTime(microseconds: 1_749_996_000_000_000)

  /// So many seconds after the start.
  static func at(_ seconds: Int64) -> EventTime {
    EventTime(microseconds: start.microseconds + seconds * 1_000_000)
  }
}

extension EventTime {
  /// So many microseconds later.
  func later(_ microseconds: Int64) -> EventTime {
    EventTime(microseconds: self.microseconds + microseconds)
  }
}

extension ID {
  /// A version-4 id; ids are ordered as their numbers below 4096 are.
  static func number(_ number: UInt64) -> Self { ID(randomBits: number, number) }
}
