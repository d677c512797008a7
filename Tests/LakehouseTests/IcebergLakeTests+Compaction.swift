import Ports
import Testing

@testable import Lakehouse

extension IcebergLakeTests {
  @Test("Compaction keeps rows, makes one file and removes delete files")
  func compaction() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a", "b"]), .append(2, ["c", "d"]), .delete(3, ["a", "d"]), .append(4, ["e"]))
      let before = try await lake.rows()
      let report = try await lake.compact(Row.table, id: 5, at: Row.at(5))
      #expect(report.rewrittenFiles == 3)
      #expect(report.writtenFiles == 1)
      let live = try await world.lake().live()
      #expect(live.data.count == 1)
      #expect(live.positionDeletes.isEmpty)
      let after = try await world.lake().rows()
      #expect(after == before)
      let old = try await world.lake().rows(4)
      #expect(old == before)
      let snapshots = try await world.lake().snapshots(of: Row.table)
      #expect(snapshots.map(\.operation) == ["append", "append", "delete", "append", "replace"])
      #expect(snapshots.map(\.rowCount) == [2, 4, 2, 3, 3])
    }
  }

  @Test("Compacting a table that is compact does nothing", arguments: [false, true])
  func compactTwice(isPartitioned: Bool) throws {
    try simulate { world in
      let lake = world.lake()
      let partitions = isPartitioned ? [TableSchema.Partition("key", "truncate[1]")] : []
      try await lake.prepare(
        .append(1, ["a1", "b1"]), .append(2, ["a2", "b2"]), .delete(3, ["a1"]),
        schema: TableSchema(Row.fields, partitionedBy: partitions))
      let first = try await lake.compact(Row.table, id: 4, at: Row.at(4))
      #expect(first.writtenFiles == 1, "partition a has one file already")
      let second = try await lake.compact(Row.table, id: 5, at: Row.at(5))
      #expect(second == MaintenanceReport())
      let history = try await lake.history()
      #expect(history == [1, 2, 3, 4])
    }
  }

  @Test("Compaction removes delete files that concern no row any more")
  func danglingDeletes() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b"]), .delete(2, ["a"]), .delete(3, ["b"]))
      _ = try await lake.compact(Row.table, id: 4, at: Row.at(4))
      let live = try await world.lake().live()
      #expect(live.data.isEmpty)
      #expect(live.positionDeletes.isEmpty)
      _ = try await lake.commit(
        .append(5, ["c"]), to: Row.table, expecting: try await lake.history().last)
      let snapshots = try await lake.snapshots(of: Row.table)
      #expect(snapshots.last?.rowCount == 1)
    }
  }

  @Test("Rows stay in the order of their commits when only some files are small")
  func compactionOrder() throws {
    try simulate { world in
      let lake = world.lake()
      let many = (0..<3000).map { "row number \($0 * 7919 % 3001)" }
      try await lake.prepare(.append(1, ["a"]), .append(2, many), .append(3, ["b"]))
      let before = try await lake.rows()
      let sizes = try await lake.live().data.map(\.file.fileSize)
      #expect(sizes[1] > 6000 && sizes[0] < 6000 && sizes[2] < 6000, "\(sizes)")
      _ = try await lake.compact(Row.table, id: 4, at: Row.at(4), targetBytes: 6000)
      let after = try await world.lake().rows()
      #expect(after.sorted() == before.sorted())
      #expect(after == before)
    }
  }

  @Test("Files of an older partitioning are divided as the table is now, once")
  func compactionOfOldSpec() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["aa", "b", "ab"]))
      try await lake.edit { metadata in
        metadata.specs.append(
          PartitionSpec(
            id: 1,
            fields: [.init(sourceID: 1, fieldID: 1000, name: "key", transform: .truncate(1))]))
        metadata.defaultSpecID = 1
      }
      let report = try await lake.compact(Row.table, id: 2, at: Row.at(2))
      #expect(report.rewrittenFiles == 1)
      let live = try await world.lake().live()
      #expect(
        live.data.map(\.file.place) == [
          .init(specID: 1, values: [.text("a")]), .init(specID: 1, values: [.text("b")]),
        ])
      #expect(try await world.lake().keys() == ["aa", "ab", "b"])
      let again = try await world.lake().compact(Row.table, id: 3, at: Row.at(3))
      #expect(again == MaintenanceReport())
    }
  }

  @Test("An empty table, and one with a single file, needn't be compacted")
  func nothingToCompact() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.createTable(Row.table, schema: Row.schema)
      let empty = try await lake.compact(Row.table, id: 9, at: Row.at(9))
      #expect(empty == MaintenanceReport())
      _ = try await lake.commit(.append(1, ["a"]), to: Row.table, expecting: nil)
      let single = try await lake.compact(Row.table, id: 9, at: Row.at(9))
      #expect(single == MaintenanceReport())
      let history = try await lake.history()
      #expect(history == [1])
    }
  }
}
