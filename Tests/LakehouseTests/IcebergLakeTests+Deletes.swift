import Ports
import Testing

@testable import Lakehouse

extension IcebergLakeTests {
  /// Commits files that another engine wrote.
  static func commit(
    _ files: [DataFile], _ id: SnapshotID, with lake: IcebergLake
  ) async throws(PortError) {
    let state = try await lake.reader.load(Row.table, "test")
    var change = SnapshotChange(id: id, committedAtMilliseconds: 0, operation: "delete")
    change.added = files
    var commit = SnapshotCommit(lake.reader, state, change)
    let metadata = try await commit.write()
    _ = try await lake.publish(metadata, of: state)
  }

  /// An equality-delete file for the rows of a key.
  static func equalityDelete(
    _ key: String, partition: [IcebergValue?] = [], specID: Int = 0, in world: LakeWorld
  ) async throws -> DataFile {
    let path = "moderation/events/data/\(key)-equality.parquet"
    let batch = RecordBatch(
      schema: TableSchema([.init("key", .string)]), columns: [.strings([key])])
    let bytes = try ParquetFile.encode(batch, fieldIDs: [1])
    try await world.objects.put(path, bytes)
    var file = DataFile(
      path: "memory://lake/\(path)", recordCount: 1, fileSize: Int64(bytes.count))
    file.content = .equalityDeletes
    file.equalityIDs = [1]
    file.place = DataFile.Place(specID: specID, values: partition)
    return file
  }

  /// A position-delete file for the first row of a data file.
  private static func positionDelete(
    _ path: String, _ place: DataFile.Place, in world: LakeWorld
  ) async throws -> DataFile {
    let key = "moderation/events/data/foreign-deletes.parquet"
    let batch = RecordBatch(
      schema: TableSchema([.init("file_path", .string), .init("pos", .int64)]),
      columns: [.strings([path]), .integers([0])])
    let bytes = try ParquetFile.encode(
      batch, fieldIDs: [Deletions.pathFieldID, Deletions.positionFieldID])
    try await world.objects.put(key, bytes)
    var file = DataFile(path: "memory://lake/\(key)", recordCount: 1, fileSize: Int64(bytes.count))
    file.content = .positionDeletes
    file.place = place
    return file
  }

  private static let byKind = TableSchema(Row.fields, partitionedBy: [.init("kind", "identity")])

  /// Two rows of key a in partitions x and y, and b in x.
  private static func byKindRows(_ lake: IcebergLake) async throws(PortError) {
    try await lake.prepare(
      TableChange(
        id: 1, committedAt: Row.at(1),
        append: Row.batch(["a", "b", "a"], kinds: ["x", "x", "y"])), schema: byKind)
  }

  @Test("An equality delete under a spec without dimensions concerns every partition")
  func globalEqualityDelete() throws {
    try simulate { world in
      let lake = world.lake()
      try await Self.byKindRows(lake)
      try await lake.edit { metadata in
        metadata.specs.append(PartitionSpec(id: 1))
        metadata.defaultSpecID = 1
      }
      let file = try await Self.equalityDelete("a", specID: 1, in: world)
      try await Self.commit([file], 2, with: lake)
      let keys = try await world.lake().keys()
      #expect(keys == ["b"])
      _ = try await world.lake().compact(Row.table, id: 3, at: Row.at(3))
      let live = try await world.lake().live()
      #expect(live.equalityDeletes.isEmpty)
      #expect(live.data.map(\.file.specID) == [1])
      let compacted = try await world.lake().keys()
      #expect(compacted == ["b"])
    }
  }

  @Test("Positions are deleted in the delete file's own partition, and not of later commits")
  func scopeOfPositions() throws {
    try simulate { world in
      let lake = world.lake()
      try await Self.byKindRows(lake)
      let data = try await lake.live().data.map(\.file)
      let x = DataFile.Place(specID: 0, values: [.text("x")])
      let y = DataFile.Place(specID: 0, values: [.text("y")])
      let later = try #require(data.first { $0.place == x })
      // The path is in x, the delete file in y.
      try await Self.commit(
        [try await Self.positionDelete(later.path, y, in: world)], 2, with: lake)
      let all = try await world.lake().keys()
      #expect(all == ["a", "b", "a"])
      // As if the rows had come after the delete: its sequence number is 2.
      try await Self.commit(
        [try await Self.positionDelete(later.path, x, in: world)], 3, with: lake)
      let without = try await world.lake().keys()
      #expect(without == ["b", "a"])
      var entry = try #require(try await lake.live().data.first { $0.file.path == later.path })
      entry.sequenceNumber = 4
      let live = try await lake.live()
      let deletions = try await Deletions(
        live, try await lake.metadata(of: Row.table), lake.reader.files)
      #expect(!deletions.concern(entry))
      entry.sequenceNumber = 3
      #expect(deletions.concern(entry))
    }
  }

  @Test("Rows of a file of an older spec are deleted under that spec")
  func deletesOfOldSpec() throws {
    try simulate { world in
      let lake = world.lake()
      try await Self.byKindRows(lake)
      try await lake.edit { metadata in
        metadata.specs.append(
          PartitionSpec(
            id: 1, fields: [.init(sourceID: 1, fieldID: 1001, name: "key", transform: .identity)]))
        metadata.defaultSpecID = 1
      }
      _ = try await lake.commit(
        .delete(2, ["b"], append: ["c"]), to: Row.table, expecting: 1)
      let live = try await world.lake().live()
      #expect(
        live.positionDeletes.map(\.file.place) == [.init(specID: 0, values: [.text("x")])])
      #expect(live.data.map(\.file.specID).sorted() == [0, 0, 1])
      let keys = try await world.lake().keys()
      #expect(keys == ["a", "a", "c"])
    }
  }

  @Test("An equality delete holds for a snapshot that knew its column by another name")
  func equalityDeleteOfRenamed() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b"]))
      try await Self.commit([try await Self.equalityDelete("a", in: world)], 2, with: lake)
      try await lake.evolve(Row.table, .rename("key", to: "name"))
      let old = try await world.lake().keys(2)
      #expect(old == ["b"])
      let new = try await world.lake().scan(Row.table, snapshot: nil).strings("name")
      #expect(new == ["b"])
    }
  }

  @Test("Equality deletes of other engines hold for earlier rows, and compaction applies them")
  func equalityDeletes() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b", "c"]))
      let files = [
        try await Self.equalityDelete("a", in: world),
        try await Self.equalityDelete("c", in: world),
      ]
      try await Self.commit(files, 2, with: lake)
      _ = try await lake.commit(.append(3, ["a"]), to: Row.table, expecting: 2)
      let before = try await world.lake().keys()
      #expect(before == ["b", "a"])
      _ = try await world.lake().commit(
        TableChange(
          id: 4, committedAt: Row.at(4), removal: .rows([.init(["kind": ["nothing"]])])),
        to: Row.table, expecting: 3)
      _ = try await world.lake().compact(Row.table, id: 5, at: Row.at(5))
      let live = try await world.lake().live()
      #expect(live.equalityDeletes.isEmpty)
      let after = try await world.lake().keys()
      #expect(after == ["b", "a"])
    }
  }

  @Test("Rows are counted without those that equality deletes find")
  func rowCountOfEqualityDeletes() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b", "a", "c"]), .append(2, ["a", "d"]))
      try await Self.commit([try await Self.equalityDelete("a", in: world)], 3, with: lake)
      let counted = try await world.lake().rowCount(of: Row.table)
      #expect(counted == 3)
      let unknown = try await world.lake().metadata(of: Row.table).currentSnapshot?.rowCount
      #expect(unknown == nil)
      let snapshot = try await lake.commit(.append(4, ["a"]), to: Row.table, expecting: 3)
      #expect(snapshot.rowCount == 4)
      // As if somebody had noted what is wrong: compaction counts anew.
      try await Self.commit([try await Self.equalityDelete("d", in: world)], 5, with: lake)
      _ = try await lake.compact(Row.table, id: 6, at: Row.at(6))
      let compacted = try await world.lake().rowCount(of: Row.table)
      #expect(compacted == 3)
    }
  }

  @Test("An equality delete of a partition concerns no other one")
  func partitionedEqualityDelete() throws {
    try simulate { world in
      let lake = world.lake()
      var first = Row.batch(["a", "b", "a"], kinds: ["x", "x", "y"])
      first.schema = Row.schema
      try await lake.prepare(
        TableChange(id: 1, committedAt: Row.at(1), append: first),
        schema: TableSchema(Row.fields, partitionedBy: [.init("kind", "identity")]))
      let file = try await Self.equalityDelete("a", partition: [.text("x")], in: world)
      try await Self.commit([file], 2, with: lake)
      let rows = try await world.lake().scan(Row.table, snapshot: nil)
      #expect(rows.strings("kind") == ["x", "y"])
      #expect(rows.strings("key") == ["b", "a"])
    }
  }
}
