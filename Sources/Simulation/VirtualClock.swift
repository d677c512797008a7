import Glibc
import HeapModule
import Moderation
import Ports
import Synchronization

/// The clock of a simulation: it stands still until nothing is ready, then jumps to the earliest
/// timer. Timers due at the same instant fire in the order in which they were set.
public final class VirtualClock: TimeSource {
  private struct Timer: Comparable {
    var due: Int64
    var sequence: Int
    var parked: Parked

    static func < (a: Timer, b: Timer) -> Bool {
      a.due != b.due ? a.due < b.due : a.sequence < b.sequence
    }

    static func == (a: Timer, b: Timer) -> Bool { a.sequence == b.sequence }
  }

  private struct State {
    var sequence = 0
    var timers = Heap<Timer>()
    /// Waits without a deadline, by sequence, for the deadlock report.
    var open: [Int: Parked] = [:]
    var check: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  /// Written by the run's thread only; read at nearly every step.
  private let present: Atomic<Int64>
  /// The run's thread; 0 before the run.
  private let thread = Atomic<UInt>(0)
  /// How many jobs are ready to run now.
  let readyJobs = Atomic<Int>(0)
  /// How many more steps the run may take.
  let stepsLeft = Atomic<Int>(0)

  /// A clock that stands at `start`.
  public init(start: ProcessingTime) {
    present = Atomic(start.microseconds)
  }

  /// The present.
  public var now: ProcessingTime {
    let owner = thread.load(ordering: .relaxed)
    if owner != 0, owner != UInt(pthread_self()) { state.withLock { $0.check }?() }
    return ProcessingTime(microseconds: present.load(ordering: .relaxed))
  }

  /// Parks the calling task; see ``TimeSource/wait(until:for:reason:)``.
  public func wait(until deadline: ProcessingTime?, for signal: Signal?, reason: String) async {
    if Task.isCancelled { return }
    if let deadline, reaches(deadline) { return }
    let parked = Parked(name: Task.name ?? "unnamed task", reason: reason)
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        park(parked, until: deadline)
        let key = signal?.add { parked.wake() }
        parked.arm(continuation) { if let key { signal?.remove(key) } }
      }
    } onCancel: {
      parked.wake()
    }
    if deadline == nil { forget(parked) }
  }

  /// Who waits and for what, by name: timers first, in their order.
  public var waiting: [String] {
    state.withLock { state in
      let timed = state.timers.unordered.filter { !$0.parked.isAwake }.sorted()
      let open = state.open.sorted { $0.key < $1.key }.map(\.value).filter { !$0.isAwake }
      return timed.map { "\($0.parked.name): \($0.parked.reason)" }
        + open.map { "\($0.name): \($0.reason)" }
    }
  }

  /// Binds the clock to the run's thread.
  func bind(to thread: UInt) { self.thread.store(thread, ordering: .relaxed) }

  /// Sets what is called at a look at the clock from another thread.
  func guardThread(_ check: @escaping @Sendable () -> Void) {
    state.withLock { $0.check = check }
  }

  /// See ``TimeSource/reaches(_:)``: it saves the park and the wake-up, and a call that may
  /// suspend; the order of the run is the same.
  public func reaches(_ deadline: ProcessingTime) -> Bool {
    deadline <= now || jump(straightTo: deadline)
  }

  /// Moves to `deadline` when the caller would be the next to run anyway: nothing is ready, and
  /// every timer is later.
  private func jump(straightTo deadline: ProcessingTime) -> Bool {
    guard readyJobs.load(ordering: .relaxed) == 0, stepsLeft.load(ordering: .relaxed) > 0,
      thread.load(ordering: .relaxed) == UInt(pthread_self())
    else { return false }
    let isFirst = state.withLock { state in
      while let first = state.timers.min {
        if first.due > deadline.microseconds { return true }
        guard first.parked.isAwake else { return false }
        state.timers.removeMin()
      }
      return true
    }
    guard isFirst else { return false }
    stepsLeft.subtract(1, ordering: .relaxed)
    present.store(deadline.microseconds, ordering: .relaxed)
    return true
  }

  /// Jumps to the earliest timer that somebody still waits for and wakes it; false when there is
  /// none.
  func advanceToNextTimer() -> Bool {
    while let timer = popTimer() {
      if timer.parked.isAwake { continue }
      present.store(
        max(present.load(ordering: .relaxed), timer.due), ordering: .relaxed)
      timer.parked.wake()
      return true
    }
    return false
  }

  private func park(_ parked: Parked, until deadline: ProcessingTime?) {
    state.withLock { state in
      state.sequence += 1
      parked.setSequence(state.sequence)
      if let deadline {
        state.timers.insert(
          Timer(due: deadline.microseconds, sequence: state.sequence, parked: parked))
      } else {
        state.open[state.sequence] = parked
      }
    }
  }

  private func forget(_ parked: Parked) {
    state.withLock { $0.open[parked.sequence] = nil }
  }

  private func popTimer() -> Timer? { state.withLock { $0.timers.popMin() } }
}

/// One parked task: woken once, by its timer, its signal, or its cancellation.
private final class Parked: Sendable {
  private struct State {
    var continuation: UnsafeContinuation<Void, Never>?
    var cleanUp: (@Sendable () -> Void)?
    var isAwake = false
    var sequence = 0
  }

  let name: String
  let reason: String
  private let state = Mutex(State())

  init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }

  var isAwake: Bool { state.withLock { $0.isAwake } }

  var sequence: Int { state.withLock { $0.sequence } }

  func setSequence(_ sequence: Int) { state.withLock { $0.sequence = sequence } }

  func arm(
    _ continuation: UnsafeContinuation<Void, Never>, cleanUp: @escaping @Sendable () -> Void
  ) {
    let isAwake = state.withLock { state in
      if !state.isAwake {
        state.continuation = continuation
        state.cleanUp = cleanUp
      }
      return state.isAwake
    }
    if isAwake {
      cleanUp()
      continuation.resume()
    }
  }

  func wake() {
    let (continuation, cleanUp) = state.withLock { state in
      state.isAwake = true
      defer {
        state.continuation = nil
        state.cleanUp = nil
      }
      return (state.continuation, state.cleanUp)
    }
    cleanUp?()
    continuation?.resume()
  }
}
