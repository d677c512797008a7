import Glibc
import Moderation
import Ports
import Simulation
import Synchronization
import Testing

/// When every simulation of these tests starts: 2025-06-15T14:00:00Z.
let start = ProcessingTime(microseconds: 1_749_996_000_000_000)

/// So many seconds after the start.
func at(_ seconds: Int) -> ProcessingTime { start + .seconds(seconds) }

/// The calling thread.
var currentThread: UInt { UInt(pthread_self()) }

/// Runs a body on a virtual clock; an issue unless it finished.
func simulate(
  _ scheduling: Scheduling = .fifo, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: @escaping @Sendable (VirtualClock) async throws -> Void
) throws {
  let clock = VirtualClock(start: start)
  let executor = SimulationExecutor(clock: clock, scheduling: scheduling)
  let stop = executor.run(budget: 1_000_000) { () async -> Result<Void, any Error> in
    do { return .success(try await body(clock)) } catch { return .failure(error) }
  }
  guard case .finished(let result) = stop else {
    Issue.record("the simulation didn't finish: \(stop)", sourceLocation: sourceLocation)
    return
  }
  try result.get()
}

/// What happened, in order.
final class Journal<Entry: Sendable>: Sendable {
  private let stored = Mutex<[Entry]>([])

  /// All so far.
  var entries: [Entry] { stored.withLock { $0 } }

  /// Notes one more.
  func note(_ entry: Entry) { stored.withLock { $0.append(entry) } }
}

extension Stop {
  /// Who waits, when the run was deadlocked.
  var deadlocked: [String]? {
    if case .deadlocked(let waiting) = self { waiting } else { nil }
  }

  /// What was seen, when work left the executor.
  var escaped: [String]? {
    if case .escaped(let names) = self { names } else { nil }
  }

  /// The body's result, when the run finished.
  var finished: Value? {
    if case .finished(let value) = self { value } else { nil }
  }
}
