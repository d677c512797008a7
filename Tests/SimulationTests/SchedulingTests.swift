import Ports
import Simulation
import Testing

@Suite("Scheduling")
struct SchedulingTests {
  /// The order in which a seed runs so many ready tasks.
  private static func order(_ scheduling: Scheduling, tasks: Int) throws -> [Int] {
    let journal = Journal<Int>()
    try simulate(scheduling) { _ in
      await withTaskGroup { group in
        for index in 0..<tasks { group.addTask { journal.note(index) } }
      }
    }
    return journal.entries
  }

  @Test("The same seed runs ready tasks in the same order", arguments: [0, 1, 2, .max] as [UInt64])
  func sameSeed(seed: UInt64) throws {
    let first = try Self.order(.seeded(seed), tasks: 50)
    #expect(try Self.order(.seeded(seed), tasks: 50) == first)
    #expect(first.sorted() == Array(0..<50), "each runs once")
    #expect(first != Array(0..<50))
  }

  @Test("Other seeds give other orders")
  func otherSeeds() throws {
    let orders = try (0..<20).map { try Self.order(.seeded($0), tasks: 5) }
    #expect(Set(orders).count >= 10)
  }

  @Test("Enough seeds reach every order of three tasks")
  func allOrders() throws {
    let orders = try (0..<100).map { try Self.order(.seeded($0), tasks: 3) }
    #expect(Set(orders).count == 6)
  }

  @Test("Enough seeds reach every interleaving at the awaits of two tasks")
  func allInterleavings() throws {
    let journals = try (0..<200 as Range<UInt64>).map { seed -> String in
      let journal = Journal<String>()
      try simulate(.seeded(seed)) { _ in
        await withTaskGroup { group in
          for name in ["a", "b"] {
            group.addTask {
              for _ in 0..<3 {
                journal.note(name)
                await Task.yield()
              }
            }
          }
        }
      }
      return journal.entries.joined()
    }
    #expect(Set(journals).count == 20, "3 of 6 places for the steps of a")
  }

  @Test("Seeded scheduling doesn't touch the order of timers", arguments: 0..<10 as Range<UInt64>)
  func timers(seed: UInt64) throws {
    try simulate(.seeded(seed)) { clock in
      let journal = Journal<Int>()
      await withTaskGroup { group in
        for second in 1...9 {
          group.addTask {
            await clock.sleep(until: at(second))
            journal.note(second)
          }
        }
      }
      #expect(journal.entries == Array(1...9))
    }
  }

  @Test("First come, first served has no seed")
  func fifo() throws {
    #expect(try Self.order(.fifo, tasks: 3000) == Array(0..<3000))
  }
}
