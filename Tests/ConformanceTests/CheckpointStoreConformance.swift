import Ports
import Testing

@Suite("CheckpointStore conformance")
struct CheckpointStoreConformance {
  private static let first = Checkpoint(offsets: [TopicPartition("views", 0): 3])
  private static let second = Checkpoint(
    offsets: [
      TopicPartition("views", 0): 5, TopicPartition("views", 1): 0,
      TopicPartition("flags", 0): .max,
    ], completeThrough: Sample.at(5).later(1))

  @Test("1. A name never saved loads as nil", arguments: Adapters.checkpointStores)
  func unknown(adapter: Adapter<any CheckpointStore>) throws {
    try simulate(adapter) { store, _ in
      #expect(try await store.load("job") == nil)
      try await store.save(Self.first, as: "job", expecting: nil)
      #expect(try await store.load("other") == nil)
      #expect(try await store.load("Job") == nil)
    }
  }

  @Test("2. A load gives what was saved last, whole", arguments: Adapters.checkpointStores)
  func savedLast(adapter: Adapter<any CheckpointStore>) throws {
    try simulate(adapter) { store, _ in
      let checkpoints = [Self.second, Self.first, Checkpoint(offsets: [:]), Self.second]
      var last: Checkpoint?
      for checkpoint in checkpoints {
        try await store.save(checkpoint, as: "job", expecting: last)
        #expect(try await store.load("job") == checkpoint)
        last = checkpoint
      }
    }
  }

  @Test(
    "3. A save that expects another value is a conflict and changes nothing",
    arguments: Adapters.checkpointStores)
  func conflict(adapter: Adapter<any CheckpointStore>) throws {
    try simulate(adapter) { store, _ in
      func save(expecting expected: Checkpoint?) async -> PortError.Code? {
        await code { try await store.save(Self.second, as: "job", expecting: expected) }
      }
      #expect(await save(expecting: Self.first) == .conflict, "nothing is stored yet")
      #expect(await save(expecting: Checkpoint(offsets: [:])) == .conflict, "empty isn't nil")
      #expect(try await store.load("job") == nil)
      try await store.save(Self.first, as: "job", expecting: nil)
      #expect(await save(expecting: nil) == .conflict)
      #expect(await save(expecting: Self.second) == .conflict)
      #expect(try await store.load("job") == Self.first)
      let later = Checkpoint(offsets: Self.first.offsets, completeThrough: Sample.start)
      #expect(await save(expecting: later) == .conflict, "offsets alone aren't the value")
      #expect(await save(expecting: Self.first) == nil)
      #expect(try await store.load("job") == Self.second)
    }
  }

  @Test(
    "3. Of two runs that load the same checkpoint one saves", arguments: Adapters.checkpointStores)
  func race(adapter: Adapter<any CheckpointStore>) throws {
    try simulate(adapter) { store, environment in
      let codes = await withTaskGroup(of: PortError.Code?.self) { group in
        for offset in 1...3 as ClosedRange<Int64> {
          group.addTask {
            await code {
              let loaded = try await store.load("job")
              await environment.time.sleep(for: .seconds(1))
              let mine = Checkpoint(offsets: [TopicPartition("t", 0): offset])
              try await store.save(mine, as: "job", expecting: loaded)
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(codes.filter { $0 == nil }.count == 1)
      #expect(codes.filter { $0 == .conflict }.count == 2)
    }
  }
}
