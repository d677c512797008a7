import Dispatch
import Foundation
import Ports
import Simulation
import Synchronization
import Testing

/// Work that leaves the executor.
///
/// This file does on purpose what `TidyTests` bans elsewhere (unstructured tasks, other executors,
/// a sleep on the real clock): the executor must notice each. No test depends on how fast another
/// thread is: a child task keeps the run busy, so it goes on until the escape shows itself.
@Suite("Escapes")
struct EscapeTests {
  @Test("A detached task that looks at the clock is named")
  func detached() async {
    let seen = await Self.escapes { clock, _ in
      await Task.detached(name: "stray") { _ = clock.now }.value
    }
    #expect(seen?.contains("task 'stray' used the clock from another thread") == true)
  }

  @Test("A detached task that waits on the clock is named")
  func detachedWait() async {
    let seen = await Self.escapes { clock, _ in
      await Task.detached(name: "stray") { await clock.sleep(until: at(1)) }.value
    }
    #expect(seen?.contains("task 'stray' used the clock from another thread") == true)
  }

  @Test("An unstructured task doesn't stay on the executor, and is named")
  func unstructured() async {
    let seen = await Self.escapes { clock, _ in
      await Task(name: "stray") { _ = clock.now }.value
    }
    #expect(seen?.contains("task 'stray' used the clock from another thread") == true)
  }

  @Test("A task without a name is called so")
  func unnamed() async {
    let seen = await Self.escapes { clock, _ in await Task { _ = clock.now }.value }
    #expect(seen?.contains("an unnamed task used the clock from another thread") == true)
  }

  @Test("A detached task that writes the trace is named")
  func trace() async {
    let trace = TraceRecorder()
    let seen = await Self.escapes(trace) { _, _ in
      await Task.detached(name: "stray") {
        trace.record(at: start, component: "stray", event: "line", fields: [])
      }.value
    }
    #expect(seen?.contains("task 'stray' wrote the trace from another thread") == true)
  }

  @Test("The result of a detached task comes from another thread, even if it touches nothing")
  func detachedResult() async {
    let seen = await Self.escapes { _, isParked in
      await Task.detached { Self.spin(until: isParked) }.value
    }
    #expect(seen?.allSatisfy(Self.isResumption) == true)
  }

  @Test("A sleep on the real clock ends on another thread")
  func realSleep() async {
    let seen = await Self.escapes { _, _ in
      while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
    }
    #expect(seen?.allSatisfy(Self.isResumption) == true)
  }

  @Test("A queue resumes from another thread")
  func queue() async {
    let seen = await Self.escapes { _, isParked in
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          Self.spin(until: isParked)
          continuation.resume()
        }
      }
    }
    #expect(seen?.allSatisfy(Self.isResumption) == true)
  }

  @Test("The main actor is another thread")
  func mainActor() async {
    let seen = await Self.escapes { clock, _ in await Self.onMain(clock) }
    #expect(seen?.contains("task 'root' used the clock from another thread") == true)
  }

  @Test("A global actor with an executor of its own is another thread")
  func customExecutor() async {
    let seen = await Self.escapes { _, _ in await Self.elsewhere() }
    #expect(seen?.allSatisfy(Self.isResumption) == true)
  }

  @Test("An escape is noticed while nothing is ready")
  func idle() async {
    let stop = await Self.runOnOwnThread { _ in
      let isParked = Flag()
      async let child: Void = isParked.raise()
      // A thread of its own, since the pool's may all be busy with other tests.
      await withCheckedContinuation { continuation in
        Thread.detachNewThread {
          Self.spin(until: isParked)
          continuation.resume()
        }
      }
      await child
    }
    #expect(stop.escaped?.allSatisfy(Self.isResumption) == true, "\(stop)")
  }

  @Test("An escape ends a run that has finished otherwise")
  func notAwaited() async {
    let stop = await Self.runOnOwnThread { clock in
      let isDone = Flag()
      Task.detached(name: "stray") {
        _ = clock.now
        isDone.raise()
      }
      Self.spin(until: isDone)
    }
    #expect(stop.escaped == ["task 'stray' used the clock from another thread"])
  }

  @MainActor private static func onMain(_ clock: VirtualClock) { _ = clock.now }

  @Elsewhere private static func elsewhere() {}

  /// Whether a line says that a task or job came back from elsewhere.
  @Sendable private static func isResumption(_ line: String) -> Bool {
    line.hasPrefix("a task was resumed from another thread (") && line.hasSuffix(")")
  }

  /// What a run saw leave; nil when it stopped for another reason.
  ///
  /// The body's flag is raised once the body is suspended for the first time.
  private static func escapes(
    _ trace: TraceRecorder? = nil,
    _ body: @escaping @Sendable (VirtualClock, Flag) async -> Void
  ) async -> [String]? {
    await runOnOwnThread(trace) { clock in
      await withTaskGroup { group in
        let isParked = Flag()
        group.addTask(name: "busy") {
          isParked.raise()
          while !Task.isCancelled { await Task.yield() }
        }
        await body(clock, isParked)
        group.cancelAll()
      }
    }.escaped
  }

  /// Runs a body on a thread of its own, so that the pool's threads are free for what escapes.
  private static func runOnOwnThread(
    _ trace: TraceRecorder? = nil, _ body: @escaping @Sendable (VirtualClock) async -> Void
  ) async -> Stop<Void> {
    let clock = VirtualClock(start: start)
    let executor = SimulationExecutor(clock: clock)
    // What escaped may come back after the run.
    kept.note(executor)
    trace?.guardThread { executor.noteIfForeign("wrote the trace") }
    return await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(returning: executor.run(budget: 50_000_000) { await body(clock) })
      }
    }
  }

  private static let kept = Journal<SimulationExecutor>()

  private static func spin(until flag: Flag) {
    while !flag.isRaised { sched_yield() }
  }
}

/// Something that has happened, for threads that wait for it.
private final class Flag: Sendable {
  private let value = Atomic(false)

  var isRaised: Bool { value.load(ordering: .acquiring) }

  func raise() { value.store(true, ordering: .releasing) }
}

/// An actor on a queue's thread.
@globalActor private actor Elsewhere {
  static let shared = Elsewhere()
  private let executor = QueueExecutor()

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
}

private final class QueueExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "elsewhere")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
