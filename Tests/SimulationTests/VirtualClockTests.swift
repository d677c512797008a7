import Moderation
import Ports
import Simulation
import Testing

@Suite("VirtualClock")
struct VirtualClockTests {
  @Test("A signal ends a wait before its deadline, and the timer left behind moves no time")
  func signalled() throws {
    let clock = VirtualClock(start: start)
    let stop = SimulationExecutor(clock: clock).run {
      let signal = Signal()
      await withTaskGroup { group in
        group.addTask {
          await clock.wait(until: at(100), for: signal, reason: "a signal")
          #expect(clock.now == at(3))
        }
        await clock.sleep(until: at(3))
        signal.notify()
      }
      #expect(clock.waiting.isEmpty)
      await clock.sleep(until: at(5))
      #expect(clock.now == at(5))
      await clock.wait(until: nil, for: signal, reason: "another")
    }
    #expect(stop.deadlocked == ["root: another"])
    #expect(clock.now == at(5), "not the stale timer's 100")
  }

  @Test("An instant is reached without a wait only when nobody would act before it")
  func reaches() throws {
    try simulate { clock in
      #expect(clock.reaches(at(3)), "nobody else is there")
      #expect(clock.now == at(3))
      #expect(clock.reaches(at(2)), "it has passed")
      #expect(clock.now == at(3))
      await withTaskGroup { group in
        group.addTask { await clock.sleep(until: at(5)) }
        #expect(!clock.reaches(at(4)), "the other task hasn't begun yet")
        await clock.sleep(until: at(4))
        #expect(!clock.reaches(at(5)), "the other task's turn comes first")
        #expect(!clock.reaches(at(6)))
        #expect(clock.now == at(4))
      }
      #expect(clock.reaches(at(6)))
    }
  }

  @Test("A deadline ends a wait whose signal doesn't come, and a later signal does nothing")
  func deadline() throws {
    try simulate { clock in
      let signal = Signal()
      await clock.wait(until: at(4), for: signal, reason: "a signal")
      #expect(clock.now == at(4))
      signal.notify()
      await clock.wait(until: at(6), for: signal, reason: "a signal")
      #expect(clock.now == at(6), "the signal wasn't kept for the next wait")
    }
  }

  @Test("A signal wakes all who wait, in the order of their waits")
  func wakesAll() throws {
    try simulate { clock in
      let signal = Signal()
      let journal = Journal<String>()
      await withTaskGroup { group in
        for (name, deadline) in [("a", nil), ("b", at(50)), ("c", nil)] {
          group.addTask {
            await clock.wait(until: deadline, for: signal, reason: "a signal")
            journal.note(name)
          }
        }
        await clock.sleep(until: at(1))
        signal.notify()
      }
      #expect(journal.entries == ["a", "b", "c"])
      #expect(clock.now == at(1))
    }
  }

  @Test("A wait for an instant that has come doesn't even yield", arguments: [-1, 0])
  func past(offset: Int) throws {
    try simulate { clock in
      let journal = Journal<String>()
      await withTaskGroup { group in
        group.addTask { journal.note("child") }
        await clock.sleep(until: at(offset))
        await clock.sleep(for: .seconds(offset))
        journal.note("root")
      }
      #expect(journal.entries == ["root", "child"])
      #expect(clock.now == start)
    }
  }

  @Test("Cancellation ends a wait at once, with a deadline or without")
  func cancelled() throws {
    try simulate { clock in
      let signal = Signal()
      await withTaskGroup { group in
        group.addTask { await clock.sleep(until: at(10)) }
        group.addTask { await clock.wait(until: nil, for: nil, reason: "cancellation") }
        group.addTask { await clock.wait(until: nil, for: signal, reason: "cancellation") }
        await clock.sleep(until: at(2))
        group.cancelAll()
      }
      #expect(clock.now == at(2))
      #expect(clock.waiting.isEmpty)
      signal.notify()
      await clock.sleep(until: at(3))
      #expect(clock.now == at(3))
    }
  }

  @Test("A task that is cancelled already doesn't wait")
  func cancelledBefore() throws {
    try simulate { clock in
      await withTaskGroup { group in
        group.addTask {
          await clock.sleep(until: at(2))
          #expect(clock.now == start)
          await clock.wait(until: nil, for: nil, reason: "cancellation")
        }
        group.cancelAll()
      }
      #expect(clock.now == start)
    }
  }

  @Test("Who waits is listed by instant, then who waits without one")
  func waiting() throws {
    try simulate { clock in
      await withTaskGroup { group in
        group.addTask(name: "open") { await clock.wait(until: nil, for: nil, reason: "a signal") }
        for second in [3, 1, 2] {
          group.addTask(name: "task \(second)") { await clock.sleep(until: at(second)) }
        }
        await clock.sleep(until: start + .milliseconds(1))
        #expect(
          clock.waiting == ["task 1: sleep", "task 2: sleep", "task 3: sleep", "open: a signal"])
        await clock.sleep(until: at(2))
        await Task.yield()
        #expect(clock.waiting == ["task 3: sleep", "open: a signal"])
        group.cancelAll()
      }
      #expect(clock.waiting.isEmpty)
    }
  }

  @Test("Time doesn't go back, whatever order timers are set in")
  func monotonic() throws {
    try simulate { clock in
      let journal = Journal<ProcessingTime>()
      await withTaskGroup { group in
        var random = SeededRandom(seed: 5)
        for _ in 0..<50 {
          let delays = (0..<10).map { _ in random.below(1000) }
          group.addTask {
            for delay in delays {
              let before = clock.now
              await clock.sleep(for: .milliseconds(delay))
              #expect(clock.now == before + .milliseconds(delay))
              journal.note(clock.now)
            }
          }
        }
      }
      #expect(journal.entries == journal.entries.sorted())
      #expect(journal.entries.count == 500)
    }
  }

  @Test(
    "A wait that would end next anyway doesn't overtake: earlier timers and equal ones come first")
  func jump() throws {
    for scheduling in [Scheduling.fifo, .seeded(1)] {
      try simulate(scheduling) { clock in
        let journal = Journal<String>()
        await withTaskGroup { group in
          group.addTask {
            await clock.sleep(until: at(5))
            journal.note("timer at 5, now \(clock.now == at(5))")
          }
          await clock.sleep(until: at(1))
          journal.note("1")
          await clock.sleep(until: at(5))
          journal.note("5")
          await clock.sleep(until: at(9))
          journal.note("9, now \(clock.now == at(9))")
        }
        #expect(journal.entries == ["1", "timer at 5, now true", "5", "9, now true"])
      }
    }
  }
}
