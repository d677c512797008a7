import InMemoryBackends
import Ports
import Synchronization
import Testing

@testable import Lakehouse

@Suite("A call that fails anywhere can be made again")
struct CommitFaultTests {
  /// Each kind of operation, on top of three snapshots.
  enum Kind: String, CaseIterable, Sendable {
    case createTable, append, overwrite, deleteRows, deleteAndAppend, compact, expire, addColumn,
      tag

    /// The snapshots that it adds.
    var added: [SnapshotID] {
      switch self {
      case .append, .overwrite, .deleteRows, .deleteAndAppend, .compact: [50]
      case .createTable, .expire, .addColumn, .tag: []
      }
    }

    /// Carries it out; all files are read anew.
    func run(_ lake: IcebergLake) async throws(PortError) {
      switch self {
      case .createTable: try await lake.createTable(CommitFaultTests.fresh, schema: Row.schema)
      case .append: try await commit(.append(50, ["x", "a"]), lake)
      case .overwrite: try await commit(.overwrite(50, ["x"]), lake)
      case .deleteRows: try await commit(.delete(50, ["b", "d"]), lake)
      case .deleteAndAppend: try await commit(.delete(50, ["b"], append: ["b", "x"]), lake)
      case .compact: _ = try await lake.compact(Row.table, id: 50, at: Row.at(50))
      case .expire: _ = try await lake.expire(Row.table, olderThan: Row.at(99))
      case .addColumn:
        try await lake.evolve(Row.table, .add("new", type: "long"))
      case .tag: try await lake.tag("kept", 20, of: Row.table)
      }
    }

    private func commit(_ change: TableChange, _ lake: IcebergLake) async throws(PortError) {
      let snapshot = try await lake.commit(change, to: Row.table, expecting: 40)
      guard snapshot.id == 50, snapshot.parent == 40 else {
        throw PortError(.invalid, port: "Lake", operation: "test", hint: "\(snapshot)")
      }
    }
  }

  /// A kind of operation, and how one of its port operations fails.
  struct Case: Sendable, CustomTestStringConvertible {
    var kind: Kind
    var fault: PortWatch.Fault
    var testDescription: String { "\(kind.rawValue), \(fault)" }
  }

  static let fresh = TableName("fresh", "table")
  static let cases = Kind.allCases.flatMap { kind in
    PortWatch.Fault.allCases.map { Case(kind: kind, fault: $0) }
  }

  /// What a reader without a cache sees.
  struct View: Hashable, Sendable {
    var rows: [String]
    var columns: [String]
    var history: [SnapshotID]
    var tables: [TableName]

    init(_ world: LakeWorld) async throws(PortError) {
      let lake = world.lake()
      let batch = try await lake.scan(Row.table, snapshot: nil)
      rows = Row.texts(batch)
      columns = batch.schema.fields.map(\.name)
      history = try await lake.history()
      tables = try await lake.tables()
    }
  }

  /// A world with three snapshots, to be copied.
  private static func base(_ time: any TimeSource) async throws(PortError) -> LakeWorld {
    let world = LakeWorld(time: time)
    try await world.lake().prepare(
      .append(20, ["a", "b"]), .delete(30, ["a"]), .append(40, ["d", "e"]))
    return world
  }

  /// What is seen before and after, and the port operations that lie between.
  private static func faultless(
    _ kind: Kind, _ base: LakeWorld
  ) async throws(PortError) -> (before: View, after: View, operations: [String]) {
    let world = try await base.copy()
    let watch = PortWatch()
    try await kind.run(world.lake(watch))
    return (try await View(base), try await View(world), watch.operations)
  }

  @Test("While it runs, readers see the old rows or the new ones", arguments: Kind.allCases)
  func readable(kind: Kind) throws {
    try simulate { world in
      let world = try await Self.base(world.time)
      let (before, after, operations) = try await Self.faultless(kind, world)
      #expect(operations.count > 2)
      #expect(after.history.filter { !before.history.contains($0) } == kind.added)
      let seen = Mutex<[View]>([])
      let watch = PortWatch(look: { () async throws(PortError) in
        let view = try await View(world)
        seen.withLock { $0.append(view) }
      })
      try await kind.run(world.lake(watch))
      let views = seen.withLock { $0 } + [try await View(world)]
      #expect(views.count == operations.count + 1)
      let switched = views.firstIndex(of: after) ?? views.count
      #expect(views[..<switched].allSatisfy { $0 == before })
      #expect(views[switched...].allSatisfy { $0 == after })
    }
  }

  @Test(
    "A fault at any port operation leaves old or new rows, and a retry the new", arguments: cases)
  func faults(test: Case) throws {
    try simulate { world in
      let base = try await Self.base(world.time)
      let (before, after, operations) = try await Self.faultless(test.kind, base)
      for index in operations.indices {
        // A read that was carried out and is told not to have been is one that wasn't.
        let isRead = ["get ", "list ", "location "].contains { operations[index].hasPrefix($0) }
        if isRead && test.fault == .afterUnavailable { continue }
        let world = try await base.copy()
        let watch = PortWatch(fault: (index, test.fault))
        let lake = world.lake(watch)
        let error = await failure { try await test.kind.run(lake) }
        let place = "operation \(index), \(watch.operations[index])"
        #expect(error?.isRetryable ?? true, "\(place): \(error as Any)")
        let between = try await View(world)
        #expect(between == before || between == after, "between, \(place)")
        if error == nil {
          #expect(between == after, "reported as done, \(place)")
        } else {
          // By the same process, which has read some files, or by another after a crash.
          let isSameProcess = (index % 2 == 0) == (test.fault == .afterUnknown)
          let retrier = isSameProcess ? lake : world.lake()
          let again = await failure { try await test.kind.run(retrier) }
          #expect(again == nil, "tried again after \(place)")
          let final = try await View(world)
          #expect(final == after, "\(place)")
        }
        if test.fault == .afterUnknown { try await Self.checkFiles(world, place) }
      }
    }
  }

  /// Every snapshot can be scanned, and removing orphans leaves it so.
  private static func checkFiles(_ world: LakeWorld, _ place: String) async throws {
    var rows: [SnapshotID: [String]] = [:]
    let before = world.lake()
    for id in try await before.history() { rows[id] = try await before.rows(id) }
    _ = try await before.removeOrphans(Row.table)
    let after = world.lake()
    for (id, expected) in rows {
      let left = try await after.rows(id)
      #expect(left == expected, "snapshot \(id), \(place)")
    }
  }

  @Test(
    "Expiry that failed and was made again has removed what it should",
    arguments: PortWatch.Fault.allCases)
  func expiryRemoves(fault: PortWatch.Fault) throws {
    try simulate { world in
      let base = try await Self.base(world.time)
      let reference = try await base.copy()
      let watch = PortWatch()
      try await Kind.expire.run(reference.lake(watch))
      let expected = try await reference.keys().filter { !$0.hasSuffix(".json") }
      for index in watch.operations.indices {
        let world = try await base.copy()
        _ = await failure {
          try await Kind.expire.run(world.lake(PortWatch(fault: (index, fault))))
        }
        try await Kind.expire.run(world.lake())
        let keys = try await world.keys().filter { !$0.hasSuffix(".json") }
        #expect(keys == expected, "operation \(index), \(watch.operations[index])")
      }
    }
  }
}
