import Moderation
import Ports
import Simulation
import Testing

@Suite("SimulationExecutor")
struct SimulationExecutorTests {
  @Test("Ready tasks run in the order in which they became ready")
  func fifo() throws {
    try simulate { _ in
      let journal = Journal<String>()
      await withTaskGroup { group in
        for name in ["a", "b", "c"] {
          group.addTask {
            for round in 1...3 {
              journal.note("\(name)\(round)")
              await Task.yield()
            }
          }
        }
      }
      #expect(journal.entries == ["a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3", "c3"])
    }
  }

  @Test("Timers fire in the order of their instants, equal ones as they were set")
  func timers() throws {
    try simulate { clock in
      let journal = Journal<String>()
      await withTaskGroup { group in
        for (name, second) in [("a", 3), ("b", 1), ("c", 2), ("d", 1), ("e", 3), ("f", 1)] {
          group.addTask {
            await clock.sleep(for: .seconds(second))
            #expect(clock.now == at(second))
            journal.note(name)
          }
        }
      }
      #expect(journal.entries == ["b", "d", "f", "c", "a", "e"])
      #expect(clock.now == at(3))
    }
  }

  @Test("What a timer wakes runs before the next timer of the same instant")
  func oneTimerAtATime() throws {
    try simulate { clock in
      let journal = Journal<String>()
      await withTaskGroup { group in
        for name in ["a", "b"] {
          group.addTask {
            await clock.sleep(for: .seconds(1))
            for round in 1...2 {
              journal.note("\(name)\(round)")
              await Task.yield()
            }
          }
        }
      }
      #expect(journal.entries == ["a1", "a2", "b1", "b2"])
    }
  }

  @Test("Time stands still while anything is ready")
  func timeStandsStill() throws {
    try simulate { clock in
      let journal = Journal<String>()
      await withTaskGroup { group in
        group.addTask {
          await clock.sleep(for: .microseconds(1))
          journal.note("timer")
        }
        group.addTask {
          for _ in 0..<1000 { await Task.yield() }
          #expect(clock.now == start)
          journal.note("busy")
        }
      }
      #expect(journal.entries == ["busy", "timer"])
    }
  }

  @Test("Structured children, actors and streams run on the calling thread")
  func oneThread() throws {
    let caller = currentThread
    let threads = Journal<UInt>()
    try simulate { clock in
      threads.note(currentThread)
      async let child: Void = Self.visit(clock, threads)
      await withTaskGroup { group in
        for _ in 0..<3 { group.addTask { await Self.visit(clock, threads) } }
      }
      await withDiscardingTaskGroup { group in
        for _ in 0..<3 { group.addTask { await Self.visit(clock, threads) } }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await Self.visit(clock, threads) }
        try await group.waitForAll()
      }
      await child
      let counter = Counter()
      await withTaskGroup { group in
        for _ in 0..<3 { group.addTask { await counter.visit(clock, threads) } }
      }
      #expect(await counter.visits == 3)
      let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
      async let sum = stream.reduce(0) { sum, next in
        threads.note(currentThread)
        return sum + next
      }
      for number in 1...4 {
        await Self.visit(clock, threads)
        continuation.yield(number)
      }
      continuation.finish()
      #expect(await sum == 10)
      threads.note(currentThread)
    }
    #expect(threads.entries.count == 2 + 8 * 2 + 3 * 2 + 4 * 2 + 4)
    #expect(threads.entries.allSatisfy { $0 == caller })
  }

  @Test("Cancellation reaches children and wakes them on the calling thread, at once")
  func cancellation() throws {
    let caller = currentThread
    try simulate { clock in
      let threads = Journal<UInt>()
      await withTaskGroup { group in
        for seconds in [10, 20] {
          group.addTask {
            await withTaskCancellationHandler {
              await clock.sleep(for: .seconds(seconds))
              #expect(Task.isCancelled)
              threads.note(currentThread)
            } onCancel: {
              threads.note(currentThread)
            }
          }
        }
        await clock.sleep(for: .seconds(2))
        group.cancelAll()
      }
      #expect(threads.entries == Array(repeating: caller, count: 4))
      #expect(clock.now == at(2))
    }
  }

  @Test("A run gives the body's value and leaves the clock where it was")
  func value() {
    let clock = VirtualClock(start: start)
    let stop = SimulationExecutor(clock: clock).run {
      await clock.sleep(for: .seconds(5))
      return "done"
    }
    #expect(stop.finished == "done")
    #expect(clock.now == at(5))
  }

  @Test("A run does the same twice")
  func repeatable() throws {
    func journal() throws -> [String] {
      let journal = Journal<String>()
      try simulate { clock in
        await withTaskGroup { group in
          for name in 0..<20 {
            group.addTask {
              for round in 0..<5 {
                await clock.sleep(for: .milliseconds(name * 7 % 5 + round))
                journal.note("\(name) \(clock.now.microseconds)")
              }
            }
          }
        }
      }
      return journal.entries
    }
    #expect(try journal() == journal())
  }

  private static func visit(_ clock: VirtualClock, _ threads: Journal<UInt>) async {
    threads.note(currentThread)
    await clock.sleep(for: .milliseconds(1))
    threads.note(currentThread)
  }

  private actor Counter {
    private(set) var visits = 0

    func visit(_ clock: VirtualClock, _ threads: Journal<UInt>) async {
      visits += 1
      await SimulationExecutorTests.visit(clock, threads)
    }
  }
}
