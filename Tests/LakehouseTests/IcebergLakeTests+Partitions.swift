import Ports
import Testing

@testable import Lakehouse

extension IcebergLakeTests {
  /// Partitionings with how many files the rows of ``spread`` make.
  static let partitionings: [(partitions: [TableSchema.Partition], files: Int)] = [
    ([.init("key", "identity")], 5), ([.init("kind", "identity")], 3),
    ([.init("key", "truncate[1]")], 4), ([.init("at", "day")], 3), ([.init("at", "hour")], 4),
    ([.init("at", "month")], 2), ([.init("at", "year")], 2),
    ([.init("number", "truncate[100]")], 3),
    ([.init("key", "void")], 1), ([.init("at", "day"), .init("kind", "identity")], 5),
  ]

  /// Rows on three days, one of them before 1970.
  static let spread: RecordBatch = {
    let hour: Int64 = 3_600_000_000
    return RecordBatch(
      schema: Row.schema,
      columns: [
        .strings(["aa", "ab", "b", "c/d=é", "aa", ""]), .integers([-1, -100, 5, 99, 100, 7]),
        .integers([Row.start, Row.start + hour, Row.start, Row.start + 24 * hour, -1, Row.start]),
        .strings(["x", "x", nil, "y", "x", "y"]),
      ])
  }()

  @Test(
    "A partitioned table has the same rows, in a file per partition",
    arguments: partitionings.indices)
  func partitions(index: Int) throws {
    try simulate { world in
      let (partitions, files) = Self.partitionings[index]
      let lake = world.lake()
      try await lake.createTable(
        Row.table, schema: TableSchema(Row.fields, partitionedBy: partitions))
      let change = TableChange(id: 1, committedAt: Row.at(1), append: Self.spread)
      _ = try await lake.commit(change, to: Row.table, expecting: nil)
      let rows = try await world.lake().rows()
      #expect(rows.sorted() == Row.texts(Self.spread).sorted())
      let live = try await world.lake().live()
      #expect(live.data.count == files)
      #expect(Set(live.data.map(\.file.partition)).count == files)
    }
  }

  @Test("A manifest list says of each dimension whether it has null and NaN")
  func summaries() throws {
    try simulate { world in
      let lake = world.lake()
      let fields = Row.fields + [.init("share", .double, isRequired: false)]
      try await lake.createTable(
        Row.table,
        schema: TableSchema(
          fields,
          partitionedBy: [
            .init("at", "day"), .init("kind", "identity"), .init("share", "identity"),
          ]))
      var batch = Self.spread
      batch.schema = TableSchema(fields)
      batch.columns.append(.init(.doubles([1, 2, .nan, 2, 2, 2])))
      let change = TableChange(id: 1, committedAt: Row.at(1), append: batch)
      _ = try await lake.commit(change, to: Row.table, expecting: nil)
      let summaries = try await world.lake().currentManifests()[0].partitions
      #expect(summaries.map(\.containsNull) == [false, true, false])
      #expect(summaries.map(\.containsNaN) == [false, false, true])
    }
  }

  @Test("Files whose bounds say that they hold no such row aren't read")
  func selectedFiles() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]), .append(3, ["c"]))
      let live = try await lake.live()
      let at = try await lake.scan(Row.table, snapshot: nil).integers("at")
      // The rows of one file in the way: its value lies between the bounds.
      let watch = PortWatch()
      let rows = try await world.lake(watch).scan(
        Row.table, RowSelection(columns: ["key"], bounds: .init("at", at[1]...at[1])))
      #expect(rows.strings("key") == ["b"])
      let read = watch.operations.filter { $0.hasSuffix(".parquet") }
      #expect(read == ["get \(world.key(live.data[1].file.path))"])
    }
  }

  @Test("Every row lies in the file of its bucket")
  func buckets() throws {
    try simulate { world in
      let lake = world.lake()
      let keys = (0..<40).map { "key \($0)" }
      try await lake.prepare(
        .append(1, keys),
        schema: TableSchema(Row.fields, partitionedBy: [.init("key", "bucket[8]")]))
      let live = try await lake.live()
      var seen: [String] = []
      for entry in live.data {
        let parquet = try await lake.reader.files.parquet(entry.file)
        let batch = try parquet.batch(0, try await lake.metadata(of: Row.table).schema.fields)
        for key in batch.strings("key") {
          let bucket = try Transform.bucket(8).value(.text(key), of: .named("string"))
          #expect(entry.file.partition == [bucket])
          seen.append(key)
        }
      }
      #expect(seen.sorted() == keys.sorted())
    }
  }

  @Test("Values that look alike are partitions of their own")
  func alikePartitions() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["\u{E9}", "e\u{301}"]),
        schema: TableSchema(Row.fields, partitionedBy: [.init("key", "identity")]))
      let live = try await lake.live()
      #expect(live.data.count == 2)
    }
  }

  @Test("Deletes of a partitioned table leave one delete file per partition")
  func partitionedDeletes() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a1", "a2", "b1", "b2"]), .append(2, ["a3", "a4", "b3"]),
        .delete(3, ["a1", "a3", "b2", "b3"]),
        schema: TableSchema(Row.fields, partitionedBy: [.init("key", "truncate[1]")]))
      let live = try await lake.live()
      #expect(live.positionDeletes.map(\.file.partition) == [[.text("a")], [.text("b")]])
      #expect(live.positionDeletes.map(\.file.recordCount) == [2, 1])
      #expect(live.data.count == 3, "the file of b3 went whole")
      let keys = try await world.lake().keys()
      #expect(keys == ["a2", "b1", "a4"])
    }
  }

  @Test(
    "A partitioning that isn't defined makes no table",
    arguments: [
      ("key", "day"), ("number", "hour"), ("number", "zorder"), ("nobody", "identity"),
      ("at", "truncate[4]"), ("kind", "bucket[0]"),
    ])
  func undefinedPartitions(column: String, transform: String) throws {
    try simulate { world in
      let schema = TableSchema(Row.fields, partitionedBy: [.init(column, transform)])
      let error = await failure { try await world.lake().createTable(Row.table, schema: schema) }
      #expect(error?.code == .invalid)
      let tables = try await world.lake().tables()
      #expect(tables.isEmpty)
    }
  }

  @Test("One column may be a dimension twice")
  func sameColumnTwice() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a", "b"]),
        schema: TableSchema(
          Row.fields, partitionedBy: [.init("key", "bucket[2]"), .init("key", "bucket[3]")]))
      let keys = try await world.lake().keys()
      #expect(keys.sorted() == ["a", "b"])
      let names = try await world.lake().metadata(of: Row.table).spec.fields.map(\.name)
      #expect(names == ["key_bucket", "key_bucket_2"])
    }
  }

  @Test("A dimension has no other column's name, and is there once")
  func dimensionNames() throws {
    try simulate { world in
      let fields = Row.fields + [.init("at_day", .string, isRequired: false)]
      try await world.lake().createTable(
        Row.table, schema: TableSchema(fields, partitionedBy: [.init("at", "day")]))
      let names = try await world.lake().metadata(of: Row.table).spec.fields.map(\.name)
      #expect(names == ["at_day_2"])
      let twice = TableSchema(
        Row.fields, partitionedBy: [.init("key", "bucket[2]"), .init("key", "bucket[2]")])
      let error = await failure {
        try await world.lake().createTable(TableName("moderation", "twice"), schema: twice)
      }
      #expect(error?.code == .invalid)
      #expect(error?.hint.contains("key") == true)
    }
  }

  @Test("A dimension's name needn't be one that Avro allows")
  func oddNames() throws {
    try simulate { world in
      var fields = Row.fields
      fields[0].name = "the key (é)"
      let lake = world.lake()
      try await lake.createTable(
        Row.table, schema: TableSchema(fields, partitionedBy: [.init("the key (é)", "identity")]))
      var batch = Row.batch(["a", "b"])
      batch.schema = TableSchema(fields)
      let change = TableChange(id: 1, committedAt: Row.at(1), append: batch)
      _ = try await lake.commit(change, to: Row.table, expecting: nil)
      let keys = try await world.lake().scan(Row.table, snapshot: nil).strings("the key (é)")
      #expect(keys == ["a", "b"])
    }
  }

  @Test("Files that were divided by a column that is gone keep their values in new manifests")
  func droppedSource() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a", "b"]), .append(2, ["c"]),
        schema: TableSchema(Row.fields, partitionedBy: [.init("number", "identity")]))
      let partitions = try await lake.live().data.map(\.file.partition)
      try await lake.edit { metadata in
        metadata.specs.append(PartitionSpec(id: 1))
        metadata.defaultSpecID = 1
        var schema = metadata.schema
        schema.id = 1
        schema.fields.removeAll { $0.name == "number" }
        metadata.schemas.append(schema)
        metadata.currentSchemaID = 1
      }
      // The manifest of the first commit is written anew, with one file less.
      _ = try await world.lake().commit(.delete(3, ["a"]), to: Row.table, expecting: 2)
      let left = try await world.lake().live().data.map(\.file.partition)
      #expect(left == Array(partitions.dropFirst()))
      let bounds = try await world.lake().currentManifests().compactMap { $0.partitions.first }
      #expect(bounds.allSatisfy { $0.lower?.count == 8 })
      _ = try await world.lake().compact(Row.table, id: 4, at: Row.at(4))
      let keys = try await world.lake().keys()
      #expect(keys.sorted() == ["b", "c"])
    }
  }
}
