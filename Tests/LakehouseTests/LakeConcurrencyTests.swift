import InMemoryBackends
import Ports
import Simulation
import Synchronization
import Testing

@testable import Lakehouse

@Suite("Writers at the same time lose and double nothing")
struct LakeConcurrencyTests {
  /// Appends on top of whatever is current, until it succeeds.
  private static func append(
    _ id: SnapshotID, _ keys: [String], _ world: LakeWorld
  ) async throws(PortError) {
    let lake = world.lake(PortWatch(yields: true))
    for _ in 0..<20 {
      let parent = try await lake.history().last
      if parent == id { return }
      do throws(PortError) {
        _ = try await lake.commit(.append(id, keys), to: Row.table, expecting: parent)
        return
      } catch {
        guard error.code == .conflict else { throw error }
      }
    }
    Issue.record("20 conflicts in a row")
  }

  /// Runs both at the same time; gives the first's error or the second's.
  private static func both(
    _ first: @escaping @Sendable () async throws(PortError) -> Void,
    _ second: @escaping @Sendable () async throws(PortError) -> Void
  ) async -> [PortError] {
    await withTaskGroup(of: PortError?.self) { group in
      for body in [first, second] {
        group.addTask { await failure { try await body() } }
      }
      var errors: [PortError] = []
      for await error in group { if let error { errors.append(error) } }
      return errors
    }
  }

  /// Checks that each snapshot has the rows of the appends up to it, once.
  private static func check(_ world: LakeWorld, _ appended: [SnapshotID: [String]]) async throws {
    var expected: [String] = []
    let lake = world.lake()
    for snapshot in try await lake.snapshots(of: Row.table) {
      expected += appended[snapshot.id] ?? []
      let keys = try await lake.keys(snapshot.id)
      #expect(keys.sorted() == expected.sorted(), "snapshot \(snapshot.id)")
      #expect(snapshot.rowCount == expected.count, "snapshot \(snapshot.id)")
    }
    let keys = try await lake.keys()
    #expect(keys.sorted() == appended.values.flatMap { $0 }.sorted())
  }

  @Test("An append and a compaction keep every row once", arguments: 1...8)
  func appendAndCompact(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      try await world.lake().prepare(.append(10, ["a", "b"]), .append(20, ["c"]))
      let errors = await Self.both(
        { () async throws(PortError) in try await Self.append(300, ["x", "y"], world) },
        { () async throws(PortError) in
          _ = try await world.lake(PortWatch(yields: true))
            .compact(Row.table, id: 50, at: Row.at(50))
        })
      #expect(errors.isEmpty)
      try await Self.check(world, [10: ["a", "b"], 20: ["c"], 300: ["x", "y"]])
    }
  }

  @Test("They do when their ids follow each other", arguments: 1...8)
  func appendAndCompactNextID(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      try await world.lake().prepare(.append(10, ["a", "b"]), .append(20, ["c"]))
      let errors = await Self.both(
        { () async throws(PortError) in try await Self.append(51, ["x", "y"], world) },
        { () async throws(PortError) in
          _ = try await world.lake(PortWatch(yields: true))
            .compact(Row.table, id: 50, at: Row.at(50))
        })
      #expect(errors.isEmpty)
      try await Self.check(world, [10: ["a", "b"], 20: ["c"], 51: ["x", "y"]])
    }
  }

  @Test("A compaction that stalls anywhere while its successor does the work keeps every row")
  func stalledCompaction() throws {
    try simulate { world in
      let reference = PortWatch()
      try await Self.compact(LakeWorld(time: world.time), reference)
      for (index, operation) in reference.operations.enumerated() {
        let world = LakeWorld(time: world.time)
        let looks = Mutex(0)
        let watch = PortWatch(look: { () async throws(PortError) in
          guard looks.withLock({ looks in (looks, looks += 1).0 }) == index else { return }
          try await Self.append(300, ["x", "y"], world)
          _ = try await world.lake().compact(Row.table, id: 50, at: Row.at(50))
        })
        let error = await failure { try await Self.compact(world, watch) }
        #expect(error == nil, "before operation \(index), \(operation)")
        let keys = try await world.lake().keys()
        #expect(
          keys.sorted() == ["a", "b", "c", "x", "y"], "before operation \(index), \(operation)")
      }
    }
  }

  /// Compacts two files into one, watched.
  private static func compact(_ world: LakeWorld, _ watch: PortWatch) async throws(PortError) {
    try await world.lake().prepare(.append(10, ["a", "b"]), .append(20, ["c"]))
    _ = try await world.lake(watch).compact(Row.table, id: 50, at: Row.at(50))
  }

  @Test("Two appends keep every row once", arguments: 1...8)
  func appends(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      try await world.lake().prepare(.append(10, ["a"]))
      let errors = await Self.both(
        { () async throws(PortError) in try await Self.append(100, ["x"], world) },
        { () async throws(PortError) in try await Self.append(200, ["y"], world) })
      #expect(errors.isEmpty)
      try await Self.check(world, [10: ["a"], 100: ["x"], 200: ["y"]])
    }
  }

  @Test("Of two commits with one id the one reported as done is the one there", arguments: 1...8)
  func sameID(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      try await world.lake().prepare(.append(10, ["a"]))
      @Sendable func commit(_ keys: [String]) async throws(PortError) {
        let lake = world.lake(PortWatch(yields: true))
        _ = try await lake.commit(.append(20, keys), to: Row.table, expecting: 10)
      }
      // The same job twice: an instance that was thought dead, and its successor.
      let errors = await Self.both(
        { () async throws(PortError) in try await commit(["x"]) },
        { () async throws(PortError) in try await commit(["x"]) })
      #expect(errors.isEmpty)
      try await Self.check(world, [10: ["a"], 20: ["x"]])
    }
  }

  @Test(
    "Two columns added at the same time are both there, with ids of their own", arguments: 1...8)
  func columns(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      try await world.lake().prepare(.append(10, ["a"]))
      @Sendable func add(_ name: String) async throws(PortError) {
        try await world.lake(PortWatch(yields: true))
          .evolve(Row.table, .add(name, type: "long"))
      }
      let errors = await Self.both(
        { () async throws(PortError) in try await add("one") },
        { () async throws(PortError) in try await add("two") })
      let fields = try await world.lake().metadata(of: Row.table).schema.fields
      #expect(fields.count + errors.count == 6)
      #expect(Set(fields.map(\.id)).count == fields.count)
      #expect(errors.allSatisfy { $0.isRetryable })
    }
  }

  @Test("Two tags set at the same time are both there", arguments: 1...8)
  func tags(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      try await world.lake().prepare(.append(10, ["a"]), .append(20, ["b"]))
      @Sendable func tag(_ name: String, _ id: SnapshotID) async throws(PortError) {
        try await world.lake(PortWatch(yields: true)).tag(name, id, of: Row.table)
      }
      let errors = await Self.both(
        { () async throws(PortError) in try await tag("one", 10) },
        { () async throws(PortError) in try await tag("two", 20) })
      #expect(errors.isEmpty)
      let one = try await world.lake().view(of: Row.table, named: "one")?.snapshot?.id
      let two = try await world.lake().view(of: Row.table, named: "two")?.snapshot?.id
      #expect(one == 10)
      #expect(two == 20)
    }
  }

  @Test("Of two tables of one name and other columns one is made", arguments: 1...8)
  func createTables(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      let other = TableSchema([.init("other", .string)])
      @Sendable func create(_ schema: TableSchema) async throws(PortError) {
        let lake = world.lake(PortWatch(yields: true))
        try await lake.createTable(Row.table, schema: schema)
        // It was told that the table is as it said.
        let fields = try await world.lake().scan(Row.table, snapshot: nil).schema.fields
        guard fields == schema.fields else {
          throw PortError(.corrupt, port: "Lake", operation: "test", hint: "another's columns")
        }
      }
      let errors = await Self.both(
        { () async throws(PortError) in try await create(Row.schema) },
        { () async throws(PortError) in try await create(other) })
      #expect(errors.map(\.code) == [.invalid])
    }
  }

  @Test("An expiry beside an append keeps every row", arguments: 1...8)
  func appendAndExpire(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      try await world.lake().prepare(
        .append(10, ["a", "b"]), .delete(20, ["a"]), .append(30, ["c"]))
      let errors = await Self.both(
        { () async throws(PortError) in try await Self.append(100, ["x"], world) },
        { () async throws(PortError) in
          _ = try await world.lake(PortWatch(yields: true))
            .expire(Row.table, olderThan: Row.at(99))
        })
      #expect(errors.isEmpty)
      let keys = try await world.lake().keys()
      #expect(keys == ["b", "c", "x"])
    }
  }

  @Test("A table dropped and made again has its own columns, for readers of the old one too")
  func madeAgain() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.createTable(Row.table, schema: Row.schema)
      _ = try await lake.scan(Row.table, snapshot: nil)
      try await world.catalog.drop(Row.table)
      let other = TableSchema([.init("other", .string)])
      try await world.lake().createTable(Row.table, schema: other)
      let fields = try await lake.scan(Row.table, snapshot: nil).schema.fields
      #expect(fields == other.fields)
    }
  }
}
