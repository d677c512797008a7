import Moderation
import Ports
import Simulation
import Testing

/// Rule 12, and what rule 7 says of columns that a batch lacks.
extension LakeConformance {
  /// `created` rows, then `device` added, renamed to `client` and widened.
  private static func evolved(_ lake: any Lake) async throws {
    try await lake.createTable(table, schema: schema)
    _ = try await lake.commit(.append(1, ["a", "b"]), to: table, expecting: nil)
    try await lake.evolve(table, .add("device", type: "int"))
    try await lake.evolve(table, .rename("device", to: "client"))
    try await lake.evolve(table, .widen("client", to: "long"))
  }

  @Test(
    "12. A change of columns changes no row; old snapshots have their own columns",
    arguments: Adapters.lakes)
  func evolution(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await Self.evolved(lake)
      let rows = try await lake.scan(Self.table, snapshot: nil)
      let client = TableSchema.Field("client", .int64, isRequired: false)
      #expect(rows.schema.fields == Self.schema.fields + [client])
      #expect(rows.column("client")?.validity == [false, false])
      #expect(rows.strings("image_id") == ["a", "b"])
      #expect(try await lake.scan(Self.table, snapshot: 1).schema.fields == Self.schema.fields)
      #expect(try await lake.snapshots(of: Self.table).count == 1)
    }
  }

  @Test("7. Rows with and without the new column go on side by side", arguments: Adapters.lakes)
  func oldWriters(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await Self.evolved(lake)
      _ = try await lake.commit(.append(2, ["c"]), to: Self.table, expecting: 1)
      var batch = RecordBatch.rows(["d"])
      batch.schema.fields.append(.init("client", .int64, isRequired: false))
      batch.columns.append(.init(.integers([1 << 40])))
      let change = TableChange(id: 3, committedAt: Sample.at(9), append: batch)
      _ = try await lake.commit(change, to: Self.table, expecting: 2)
      let rows = try await lake.scan(Self.table, snapshot: nil)
      #expect(rows.strings("image_id") == ["a", "b", "c", "d"])
      #expect(rows.column("client")?.validity == [false, false, false, true])
      #expect(rows.integers("client").last == 1 << 40)
      // Deletion and compaction see files of both.
      let deletion = TableChange(
        id: 4, committedAt: Sample.at(10), removal: .rows([.init(["image_id": ["b", "d"]])]))
      _ = try await lake.commit(deletion, to: Self.table, expecting: 3)
      _ = try await lake.compact(Self.table, id: 5, at: Sample.at(11))
      #expect(try await lake.images(Self.table) == ["a", "c"])
      try await lake.createTable(Self.table, schema: Self.schema)
    }
  }

  @Test("12. A change that can't be made is invalid, and makes none", arguments: Adapters.lakes)
  func refusedEvolution(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await Self.evolved(lake)
      let columns = try await lake.scan(Self.table, snapshot: nil).schema
      for change in [
        .add("views", type: "long"), .add("x", type: "colour"), .rename("nobody", to: "x"),
        .rename("client", to: "views"), .widen("nobody", to: "long"), .widen("risk", to: "string"),
      ] as [SchemaChange] {
        #expect(await code { try await lake.evolve(Self.table, change) } == .invalid, "\(change)")
      }
      #expect(try await lake.scan(Self.table, snapshot: nil).schema == columns)
      let nowhere = TableName("moderation", "nowhere")
      #expect(
        await code { try await lake.evolve(nowhere, .add("x", type: "int")) } == .notFound)
    }
  }

  @Test(
    "7. A batch with a column that the table doesn't have, or no longer, is invalid",
    arguments: Adapters.lakes)
  func unknownColumns(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await Self.evolved(lake)
      try await lake.evolve(Self.table, .rename("views", to: "seen"))
      let failed = await code {
        try await lake.commit(.append(2, ["c"]), to: Self.table, expecting: 1)
      }
      #expect(failed == .invalid, "views is another column by now")
      #expect(try await lake.images(Self.table) == ["a", "b"])
    }
  }
}
