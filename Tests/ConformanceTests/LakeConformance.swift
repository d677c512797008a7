import Moderation
import Ports
import Simulation
import Testing

/// Rules 1, 2, 5 and 6: tables and their history. The others are in `LakeConformance+Rows.swift`.
@Suite("Lake conformance")
struct LakeConformance {
  static let table = TableName("moderation", "training")
  static let schema = TableSchema([
    TableSchema.Field("image_id", .string), TableSchema.Field("views", .int64),
    TableSchema.Field("label", .boolean, isRequired: false),
    TableSchema.Field("decided_at", .timestamp), TableSchema.Field("risk", .double),
    TableSchema.Field("category", .string, isRequired: false),
  ])

  @Test(
    "1. Making a table again changes nothing; another schema is an error", arguments: Adapters.lakes
  )
  func createTable(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      _ = try await lake.commit(.append(1, ["a"]), to: Self.table, expecting: nil)
      try await lake.createTable(Self.table, schema: Self.schema)
      var optional = Self.schema
      optional.fields[0].isRequired = false
      var wider = Self.schema
      wider.fields.append(.init("more", .string, isRequired: false))
      var retyped = Self.schema
      retyped.fields[1].type = .double
      for other in [optional, wider, retyped, TableSchema([])] {
        let failed = await code { try await lake.createTable(Self.table, schema: other) }
        #expect(failed != nil)
      }
      // Whoever doesn't know of a column that may be null, or has others in front, fits.
      var narrower = Self.schema
      narrower.fields.removeLast()
      narrower.fields.swapAt(0, 1)
      try await lake.createTable(Self.table, schema: narrower)
      #expect(try await lake.images(Self.table) == ["a"])
      #expect(try await lake.scan(Self.table, snapshot: nil).schema == Self.schema)
    }
  }

  @Test("1. Tables are listed by name", arguments: Adapters.lakes)
  func tables(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      #expect(try await lake.tables().isEmpty)
      let names = [TableName("a", "x"), TableName("a", "y"), TableName("b", "a")]
      for name in names.reversed() { try await lake.createTable(name, schema: Self.schema) }
      #expect(try await lake.tables() == names)
    }
  }

  @Test("2. A commit makes one snapshot on top of the expected one", arguments: Adapters.lakes)
  func commits(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      let first = try await lake.commit(.append(7, ["a", "b"]), to: Self.table, expecting: nil)
      #expect(first.id == 7)
      #expect(first.parent == nil)
      #expect(first.rowCount == 2)
      let second = try await lake.commit(.append(3, ["c"]), to: Self.table, expecting: 7)
      #expect(second.parent == 7, "ids needn't grow")
      #expect(second.rowCount == 3)
      let empty = TableChange(id: 5, committedAt: Sample.at(5))
      let third = try await lake.commit(empty, to: Self.table, expecting: 3)
      #expect(third.rowCount == 3, "even an empty change is a snapshot")
      #expect(try await lake.snapshots(of: Self.table) == [first, second, third])
    }
  }

  @Test(
    "2. A commit that expects another snapshot is a conflict and changes nothing",
    arguments: Adapters.lakes)
  func conflicts(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      let early = await code {
        try await lake.commit(.append(1, ["x"]), to: Self.table, expecting: 9)
      }
      #expect(early == .conflict, "there is no snapshot yet")
      _ = try await lake.commit(.append(1, ["a"]), to: Self.table, expecting: nil)
      _ = try await lake.commit(.append(2, ["b"]), to: Self.table, expecting: 1)
      for stale in [nil, 1, 9] as [SnapshotID?] {
        let change = TableChange(
          id: 4, committedAt: Sample.start, removal: .everything, append: .rows(["x"]))
        let failed = await failure {
          try await lake.commit(change, to: Self.table, expecting: stale)
        }
        #expect(failed?.code == .conflict)
        #expect(failed?.isRetryable == true)
      }
      #expect(try await lake.images(Self.table) == ["a", "b"])
      #expect(try await lake.snapshots(of: Self.table).map(\.id) == [1, 2])
      _ = try await lake.commit(.append(4, ["c"]), to: Self.table, expecting: 2)
      #expect(try await lake.images(Self.table) == ["a", "b", "c"], "its id is still free")
    }
  }

  @Test("2. Of many writers one wins each snapshot, and no row is lost", arguments: Adapters.lakes)
  func race(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, environment in
      try await lake.createTable(Self.table, schema: Self.schema)
      await withTaskGroup { group in
        for writer in 1...4 as ClosedRange<Int64> {
          group.addTask {
            for attempt in 1...9 as ClosedRange<Int64> {
              let failed = await code {
                let current = try await lake.snapshots(of: Self.table).last?.id
                await environment.time.sleep(for: .seconds(1))
                let change = TableChange.append(writer * 10 + attempt, ["\(writer)"])
                _ = try await lake.commit(change, to: Self.table, expecting: current)
              }
              if failed == nil { return }
              #expect(failed == .conflict)
            }
          }
        }
      }
      #expect(try await lake.images(Self.table).sorted() == ["1", "2", "3", "4"])
      let history = try await lake.snapshots(of: Self.table)
      #expect(history.map(\.parent) == [nil] + history.dropLast().map(\.id))
    }
  }

  @Test("5. The history is oldest first, as committed", arguments: Adapters.lakes)
  func history(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      #expect(try await lake.snapshots(of: Self.table).isEmpty)
      let everything = TableChange.RowFilter(["image_id": ["a"]])
      let changes = [
        TableChange(
          id: 9, committedAt: Sample.at(9), append: .rows(["a"]),
          summary: ["offset": "3", "é": "\"quoted\"\n"]),
        TableChange(
          id: 4, committedAt: Sample.at(2).later(1), removal: .everything, append: .rows(["a"])),
        TableChange(id: 6, committedAt: Sample.at(3), removal: .rows([everything])),
      ]
      var parent: SnapshotID?
      for change in changes {
        _ = try await lake.commit(change, to: Self.table, expecting: parent)
        parent = change.id
      }
      let history = try await lake.snapshots(of: Self.table)
      #expect(history.map(\.id) == [9, 4, 6])
      #expect(history.map(\.committedAt) == changes.map(\.committedAt))
      #expect(history.map(\.summary) == changes.map(\.summary))
      #expect(history.map(\.operation) == ["append", "overwrite", "delete"])
      #expect(history.map(\.rowCount) == [1, 1, 0])
    }
  }

  @Test("6. A table or snapshot that doesn't exist throws", arguments: Adapters.lakes)
  func notFound(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      let nowhere = TableName("moderation", "nowhere")
      try await lake.createTable(Self.table, schema: Self.schema)
      #expect(await code { try await lake.scan(nowhere, snapshot: nil) } == .notFound)
      #expect(await code { try await lake.snapshots(of: nowhere) } == .notFound)
      #expect(
        await code { try await lake.commit(.append(1, ["a"]), to: nowhere, expecting: nil) }
          == .notFound)
      #expect(await code { try await lake.scan(Self.table, snapshot: 1) } == .notFound)
      _ = try await lake.commit(.append(1, ["a"]), to: Self.table, expecting: nil)
      #expect(await code { try await lake.scan(Self.table, snapshot: 2) } == .notFound)
    }
  }
}

extension TableChange {
  /// Appends rows of these images.
  static func append(_ id: SnapshotID, _ images: [String]) -> Self {
    TableChange(id: id, committedAt: Sample.start, append: .rows(images))
  }
}

extension RecordBatch {
  /// Rows of these images, their other columns by their numbers.
  static func rows(_ images: [String], categories: [String?]? = nil) -> Self {
    let numbers = images.indices.map { Int64($0) }
    return RecordBatch(
      schema: LakeConformance.schema,
      columns: [
        .strings(images), .integers(numbers),
        Column(.booleans(numbers.map { $0 == 1 }), validity: numbers.map { $0 != 2 }),
        .integers(numbers.map { Sample.at($0).microseconds }),
        Column(.doubles(numbers.map { Double($0) / 3 })),
        .strings(categories ?? images.map { _ in nil }),
      ])
  }
}

extension Lake {
  /// The images of a snapshot's rows, in their order.
  func images(_ table: TableName, _ snapshot: SnapshotID? = nil) async throws(PortError) -> [String]
  {
    try await scan(table, snapshot: snapshot).strings("image_id")
  }
}
