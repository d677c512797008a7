import Foundation
import Synchronization

/// Threads for simulations, outside the pool on which tasks run: a simulation keeps its thread to
/// the end, and as many as the pool has threads would let nothing else run.
final class SimulationThreads: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  /// As many at a time as there are processors: more would only wait for each other.
  static let shared = SimulationThreads(limit: ProcessInfo.processInfo.activeProcessorCount)

  /// What a main thread has on Linux; recursion over nested values is what needs it.
  private static let stackBytes = 8 << 20

  private let state: Mutex<State>

  init(limit: Int) { state = Mutex(State(free: limit)) }

  /// Runs a body on a thread of its own, once it is its turn; first come, first served.
  func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await enter()
    let value = await withCheckedContinuation { continuation in
      let thread = Thread { continuation.resume(returning: body()) }
      thread.stackSize = Self.stackBytes
      thread.start()
    }
    leave()
    return value
  }

  private func enter() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.free > 0 else {
          state.waiting.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  private func leave() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
