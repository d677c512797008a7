import Moderation
import Ports
import Simulation

/// Runs a test's body inside a simulation, against a platform with empty backends, and gives what
/// it returns.
func simulate<Value: Sendable>(
  _ scheduling: Scheduling = .fifo,
  _ body: @escaping @Sendable (World) async throws -> Value
) throws -> Value {
  let clock = VirtualClock(start: ProcessingTime(microseconds: Sample.start.microseconds))
  let journal = Journal()
  let environment = Environment(
    component: "test", time: clock, ids: SeededIDs(streams: RandomStreams(seed: 1)),
    trace: journal)
  let stop = SimulationExecutor(clock: clock, scheduling: scheduling).run(budget: 2_000_000) {
    () async -> Result<Value, any Error> in
    do {
      return .success(try await body(try await World(environment, journal)))
    } catch {
      return .failure(error)
    }
  }
  guard case .finished(let result) = stop else { throw Unfinished(stop: "\(stop)") }
  return try result.get()
}

/// A simulation that stopped before its body returned.
struct Unfinished: Error {
  let stop: String
}

/// The port's error that an operation throws; nil when it succeeds.
func failure<Value>(_ operation: () async throws -> Value) async throws -> PortError? {
  do {
    _ = try await operation()
    return nil
  } catch let error as PortError {
    return error
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
  /// Whole seconds after the start.
  var sinceStart: Int64 { (microseconds - Sample.start.microseconds) / 1_000_000 }
}

extension ID {
  /// A version-4 id; ids are ordered as their numbers below 4096 are.
  static func number(_ number: UInt64) -> Self { ID(randomBits: number, number) }

  /// The number that the id was made of, for ids of small numbers.
  var number: UInt64 { low & 0xFFFF_FFFF }
}
