import Moderation
import Ports
import Testing

extension LakeConformance {
  @Test("8. A commit that was done before is reported as done", arguments: Adapters.lakes)
  func repeated(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      let first = try await lake.commit(.append(1, ["a"]), to: Self.table, expecting: nil)
      let second = try await lake.commit(.append(2, ["b"]), to: Self.table, expecting: 1)
      let again = try await lake.commit(.append(1, ["a"]), to: Self.table, expecting: nil)
      #expect(again == first)
      #expect(try await lake.snapshots(of: Self.table) == [first, second])
      let other = await code {
        try await lake.commit(.append(1, ["c"]), to: Self.table, expecting: 2)
      }
      #expect(other == .invalid, "the same id on another parent is another commit")
      #expect(try await lake.images(Self.table) == ["a", "b"])
    }
  }

  @Test(
    "9. Expiry drops old snapshots but not the current one, and no row of the others",
    arguments: Adapters.lakes)
  func expiry(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      for (id, parent) in [(1, nil), (2, 1), (3, 2)] as [(SnapshotID, SnapshotID?)] {
        var change = TableChange.append(id, ["\(id)"])
        change.committedAt = Sample.at(10 * id)
        _ = try await lake.commit(change, to: Self.table, expecting: parent)
      }
      let report = try await lake.expire(Self.table, olderThan: Sample.at(20))
      #expect(report.expiredSnapshots == [1])
      #expect(await code { try await lake.scan(Self.table, snapshot: 1) } == .notFound)
      #expect(try await lake.scan(Self.table, snapshot: 2).strings("image_id") == ["1", "2"])
      let all = try await lake.expire(Self.table, olderThan: Sample.at(1000))
      #expect(all.expiredSnapshots == [2])
      #expect(try await lake.snapshots(of: Self.table).map(\.id) == [3])
      #expect(try await lake.images(Self.table) == ["1", "2", "3"])
    }
  }

  @Test(
    "11. A text is found in every stored row until it is deleted, compacted and expired",
    arguments: Adapters.lakes)
  func remains(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      _ = try await lake.commit(.append(1, ["a", "b", "a"]), to: Self.table, expecting: nil)
      #expect(try await lake.remains(of: "a", in: Self.table).values.reduce(0, +) == 2)
      #expect(try await lake.remains(of: "c", in: Self.table).isEmpty)
      let deletion = TableChange(
        id: 2, committedAt: Sample.at(10), removal: .rows([.init(["image_id": ["a"]])]))
      _ = try await lake.commit(deletion, to: Self.table, expecting: 1)
      #expect(try await !lake.remains(of: "a", in: Self.table).isEmpty, "an old snapshot has it")
      _ = try await lake.compact(Self.table, id: 3, at: Sample.at(20))
      _ = try await lake.expire(Self.table, olderThan: Sample.at(1000))
      #expect(try await lake.remains(of: "a", in: Self.table).isEmpty)
      #expect(try await lake.remains(of: "b", in: Self.table).values.reduce(0, +) == 1)
      let nowhere = TableName("moderation", "nowhere")
      #expect(await code { try await lake.remains(of: "a", in: nowhere) } == .notFound)
    }
  }

  @Test(
    "10. Compaction changes no row and keeps the notes of the snapshot before",
    arguments: Adapters.lakes)
  func compaction(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      _ = try await lake.commit(.append(1, ["a", "b"]), to: Self.table, expecting: nil)
      var change = TableChange.append(2, ["c"])
      change.summary = ["offsets": "3,4"]
      _ = try await lake.commit(change, to: Self.table, expecting: 1)
      let report = try await lake.compact(Self.table, id: 3, at: Sample.at(60))
      #expect(report.rewrittenFiles == 2 && report.writtenFiles == 1)
      let last = try await lake.snapshots(of: Self.table).last
      #expect(last?.id == 3 && last?.parent == 2 && last?.operation == "replace")
      #expect(last?.summary == ["offsets": "3,4"] && last?.rowCount == 3)
      #expect(try await lake.images(Self.table) == ["a", "b", "c"])
      let nothing = try await lake.compact(Self.table, id: 4, at: Sample.at(61))
      #expect(nothing.rewrittenFiles == 0, "one piece is as compact as it gets")
      #expect(try await lake.snapshots(of: Self.table).count == 3)
    }
  }
}
