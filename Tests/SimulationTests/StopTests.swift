import Ports
import Simulation
import Testing

@Suite("Stop")
struct StopTests {
  @Test("A deadlock names who waits, and for what, in the order of their waits")
  func deadlock() {
    let clock = VirtualClock(start: start)
    let stop = SimulationExecutor(clock: clock).run {
      let signal = Signal()
      await withTaskGroup { group in
        group.addTask(name: "risk-scorer") {
          await clock.wait(until: nil, for: signal, reason: "records for g/m")
        }
        group.addTask(name: "relay") {
          await clock.sleep(for: .seconds(9))
          await clock.wait(until: nil, for: nil, reason: "the outbox")
        }
        group.addTask { await clock.wait(until: nil, for: nil, reason: "nothing") }
        group.addTask(name: "done") { await clock.sleep(for: .seconds(1)) }
      }
    }
    #expect(
      stop.deadlocked
        == ["risk-scorer: records for g/m", "unnamed task: nothing", "relay: the outbox"])
    #expect(clock.now == at(9), "timers were run out first")
  }

  @Test("The body's own wait is the root's")
  func deadlockedRoot() {
    let clock = VirtualClock(start: start)
    let stop = SimulationExecutor(clock: clock).run {
      await clock.wait(until: nil, for: Signal(), reason: "a signal nobody sends")
    }
    #expect(stop.deadlocked == ["root: a signal nobody sends"])
  }

  @Test("A task that waits for something else than the clock is a deadlock too")
  func deadlockElsewhere() {
    let stop = SimulationExecutor(clock: VirtualClock(start: start)).run {
      let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
      for await _ in stream {}
      continuation.finish()
    }
    #expect(stop.deadlocked == [])
  }

  @Test("A run over its budget stops and names who waits, timers first")
  func overBudget() throws {
    let clock = VirtualClock(start: start)
    let stop = SimulationExecutor(clock: clock).run(budget: 100) {
      await withTaskGroup { group in
        group.addTask(name: "open") { await clock.wait(until: nil, for: nil, reason: "a signal") }
        group.addTask(name: "late") { await clock.sleep(for: .seconds(2)) }
        group.addTask(name: "early") { await clock.sleep(for: .seconds(1)) }
        group.addTask(name: "busy") { while !Task.isCancelled { await Task.yield() } }
      }
    }
    guard case .budgetExceeded(let steps, let waiting) = stop else {
      Issue.record("not over its budget: \(stop)")
      return
    }
    #expect(steps == 100)
    #expect(waiting == ["early: sleep", "late: sleep", "open: a signal"])
  }

  @Test("A budget bounds a loop of sleeps, which no deadlock would end")
  func endlessSleeps() {
    let clock = VirtualClock(start: start)
    let stop = SimulationExecutor(clock: clock).run(budget: 1000) {
      while !Task.isCancelled { await clock.sleep(for: .seconds(1)) }
    }
    guard case .budgetExceeded = stop else {
      Issue.record("not over its budget: \(stop)")
      return
    }
    #expect(clock.now > at(100))
  }

  @Test("A budget of just enough steps finishes, one less doesn't")
  func exactBudget() {
    let finished = (0...60).map { budget -> Bool in
      let executor = SimulationExecutor(clock: VirtualClock(start: start))
      let stop = executor.run(budget: budget) {
        for _ in 0..<10 { await Task.yield() }
      }
      return stop.finished != nil
    }
    #expect(finished == finished.sorted { !$0 && $1 }, "more steps never hurt")
    #expect(finished.first == false)
    #expect(finished.last == true)
  }
}
