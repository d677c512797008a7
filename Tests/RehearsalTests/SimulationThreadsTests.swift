import Dispatch
import Foundation
import RehearsalHarness
import Synchronization
import Testing

/// Simulations block their threads, never those on which tests run.
///
/// The test is apart from most (`ci/unit.sh`): simulations that other suites run without the facade
/// do block the pool.
@Suite struct SimulationThreadsTests {
  @Test("Tasks go on while as many simulations as there are processors stand still")
  func poolIsFree() async throws {
    let count = ProcessInfo.processInfo.activeProcessorCount
    let begun = Atomic(0)
    let starved = Atomic(0)
    let gate = DispatchSemaphore(value: 0)
    var rehearsal = try Rehearsal(yaml: Soup.yaml)
    rehearsal.options.plan = { operation in
      guard operation.index == 0 else { return .pass }
      begun.add(1, ordering: .relaxed)
      if gate.wait(timeout: .now() + 20) == .timedOut { starved.add(1, ordering: .relaxed) }
      return .pass
    }
    try await withThrowingTaskGroup(of: Bool.self) { [rehearsal] group in
      for _ in 0..<count { group.addTask { try await rehearsal.run().passed } }
      while begun.load(ordering: .relaxed) < count { await Task.yield() }
      for _ in 0..<count { gate.signal() }
      for try await passed in group { #expect(passed) }
    }
    #expect(starved.load(ordering: .relaxed) == 0)
  }

  @Test("More runs than processors all get their turn")
  func everybodysTurn() async throws {
    let rehearsal = try Rehearsal(yaml: Soup.yaml)
    let seeds = 0..<UInt64(4 * ProcessInfo.processInfo.activeProcessorCount)
    let played = try await withThrowingTaskGroup(of: UInt64.self) { group in
      for seed in seeds { group.addTask { try await rehearsal.run(seed: seed).seed } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(played == Set(seeds))
  }
}
