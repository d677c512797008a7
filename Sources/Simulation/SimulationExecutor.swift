import Glibc
import Ports
import Synchronization

/// How a run ended. Stopping is a value: a run that can't go on says why.
public enum Stop<Value: Sendable>: Sendable {
  /// The body returned.
  case finished(Value)
  /// Nothing is ready and nothing will become ready: who waits, and for what.
  case deadlocked(waiting: [String])
  /// The run took more steps than it was allowed.
  case budgetExceeded(steps: Int, waiting: [String])
  /// Work left the executor, so the run isn't deterministic: what was seen, by name.
  case escaped([String])
}

/// Which of the ready jobs runs next.
public enum Scheduling: Hashable, Sendable {
  /// In the order in which they became ready.
  case fifo
  /// A seeded choice among all that are ready: another seed, another interleaving.
  case seeded(UInt64)
}

/// Runs every task of a simulation on the calling thread, in one total order.
///
/// Ready jobs run first; when there are none, the clock moves to its earliest timer. Structured
/// children, actors and streams stay here. Work that leaves (a detached task, another executor, a
/// sleep on another clock) is noticed when it touches the run from another thread, and ends it with
/// ``Stop/escaped(_:)``.
public final class SimulationExecutor: TaskExecutor {
  private struct State {
    var ready: [UnownedJob] = []
    var head = 0
    var random: SeededRandom?
    var escapes: [String] = []
    var isRunning = false
  }

  private let state: Mutex<State>
  private let thread = Atomic<UInt>(0)
  /// The run's clock.
  public let clock: VirtualClock

  /// An executor over a clock.
  public init(clock: VirtualClock, scheduling: Scheduling = .fifo) {
    self.clock = clock
    var state = State()
    if case .seeded(let seed) = scheduling { state.random = SeededRandom(seed: seed) }
    self.state = Mutex(state)
    clock.guardThread { [weak self] in self?.noteIfForeign("used the clock") }
  }

  /// Takes a job that became ready.
  public func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    let isForeign = isForeignThread
    state.withLock { state in
      if isForeign && state.isRunning {
        state.escapes.append("a task was resumed from another thread (\(unowned))")
      }
      state.ready.append(unowned)
      clock.readyJobs.add(1, ordering: .relaxed)
    }
  }

  /// Runs `body` to its end, to a deadlock, or for `budget` steps.
  ///
  /// Blocks the calling thread, which becomes the simulation's.
  public func run<Value: Sendable>(
    budget: Int = .max, _ body: @escaping @Sendable () async -> Value
  ) -> Stop<Value> {
    thread.store(currentThread, ordering: .relaxed)
    clock.bind(to: currentThread)
    state.withLock { $0.isRunning = true }
    clock.stepsLeft.store(budget, ordering: .relaxed)
    defer { state.withLock { $0.isRunning = false } }
    let box = ResultBox<Value>()
    _ = Task(name: "root", executorPreference: self) { box.set(await body()) }
    while box.isEmpty {
      if let escapes = takeEscapes() { return .escaped(escapes) }
      if let job = next() {
        guard clock.stepsLeft.subtract(1, ordering: .relaxed).oldValue > 0 else {
          return .budgetExceeded(steps: budget, waiting: clock.waiting)
        }
        job.runSynchronously(on: asUnownedTaskExecutor())
      } else if !clock.advanceToNextTimer() {
        // A task that escaped may still be on its way back: give it a moment to show itself.
        for _ in 0..<100 where !hasNews { usleep(1000) }
        if let escapes = takeEscapes() { return .escaped(escapes) }
        if !hasNews { return .deadlocked(waiting: clock.waiting) }
      }
    }
    if let escapes = takeEscapes() { return .escaped(escapes) }
    return box.take().map { .finished($0) } ?? .deadlocked(waiting: clock.waiting)
  }

  /// Notes a use of the run from a thread that isn't the simulation's; free of cost otherwise.
  public func noteIfForeign(_ what: @autoclosure () -> String) {
    guard isForeignThread else { return }
    let name = Task.name.map { "task '\($0)'" } ?? "an unnamed task"
    let text = "\(name) \(what()) from another thread"
    state.withLock { state in
      if state.isRunning { state.escapes.append(text) }
    }
  }

  private var currentThread: UInt { UInt(pthread_self()) }

  private var isForeignThread: Bool {
    thread.load(ordering: .relaxed) != currentThread
  }

  private var hasNews: Bool {
    state.withLock { $0.head < $0.ready.count || !$0.escapes.isEmpty }
  }

  private func takeEscapes() -> [String]? {
    state.withLock { $0.escapes.isEmpty ? nil : $0.escapes }
  }

  private func next() -> UnownedJob? {
    state.withLock { state in
      let count = state.ready.count - state.head
      guard count > 0 else { return nil }
      if count > 1, let choice = state.random?.below(count) {
        state.ready.swapAt(state.head, state.head + choice)
      }
      let job = state.ready[state.head]
      state.head += 1
      clock.readyJobs.subtract(1, ordering: .relaxed)
      if state.head == state.ready.count {
        state.ready.removeAll(keepingCapacity: true)
        state.head = 0
      } else if state.head > 1024 {
        state.ready.removeFirst(state.head)
        state.head = 0
      }
      return job
    }
  }
}

/// Where the root task leaves its result.
private final class ResultBox<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)
  private let isSet = Atomic(false)

  var isEmpty: Bool { !isSet.load(ordering: .acquiring) }

  func set(_ new: Value) {
    value.withLock { $0 = new }
    isSet.store(true, ordering: .releasing)
  }

  func take() -> Value? { value.withLock { $0 } }
}
