import InMemoryBackends
import Moderation
import Ports
import Testing

@testable import Lakehouse

/// Rows and commits; the other topics are in extensions.
@Suite("Iceberg tables hold what was committed")
struct IcebergLakeTests {
  @Test("Deleting some rows of a file leaves a position-delete file about it")
  func deletesByPosition() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b", "c"]), .delete(2, ["b"]))
      let live = try await lake.live()
      #expect(live.data.map(\.file.recordCount) == [3])
      #expect(live.positionDeletes.map(\.file.recordCount) == [1])
      #expect(live.positionDeletes.map(\.file.referencedFile) == [live.data[0].file.path])
      let keys = try await world.lake().keys()
      #expect(keys == ["a", "c"])
      let snapshots = try await lake.snapshots(of: Row.table)
      #expect(snapshots.map(\.rowCount) == [3, 2])
    }
  }

  @Test("Deleting all rows of a file drops it whole")
  func dropsFiles() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a", "b"]), .append(2, ["c"]), .delete(3, ["a", "b", "x"]))
      let live = try await lake.live()
      #expect(live.data.count == 1)
      #expect(live.positionDeletes.isEmpty)
      let keys = try await world.lake().keys()
      #expect(keys == ["c"])
    }
  }

  @Test("Deletes of deletes add up, and the row count with them")
  func deletesOnDeletes() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a", "b", "c", "d"]), .delete(2, ["a"]), .delete(3, ["b"]),
        .delete(4, ["a", "b"]), .delete(5, ["c", "d"]), .append(6, ["e", "a"]))
      for (id, expected) in [
        (2, ["b", "c", "d"]), (3, ["c", "d"]), (4, ["c", "d"]), (5, []), (6, ["e", "a"]),
      ] as [(SnapshotID, [String])] {
        let keys = try await world.lake().keys(id)
        #expect(keys == expected, "snapshot \(id)")
      }
      let counts = try await lake.snapshots(of: Row.table).map(\.rowCount)
      #expect(counts == [4, 3, 2, 2, 0, 2])
      let live = try await lake.live()
      #expect(live.data.count == 1, "the file without rows went")
    }
  }

  @Test("A row appended with or after its deletion stays")
  func appendsAfterDeletes() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a", "b"]), .delete(2, ["a"], append: ["a", "c"]), .append(3, ["a"]),
        .delete(4, ["c"]))
      let keys = try await world.lake().keys()
      #expect(keys == ["b", "a", "a"])
    }
  }

  @Test("An overwrite drops data and delete files")
  func overwrites() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a", "b"]), .delete(2, ["a"]), .append(3, ["c"]), .overwrite(4, ["x", "y"]),
        .overwrite(5, []))
      let live = try await lake.live()
      #expect(live.data.isEmpty && live.positionDeletes.isEmpty)
      for (id, expected) in [
        (3, ["b", "c"]), (4, ["x", "y"]), (5, []),
      ] as [(SnapshotID, [String])] {
        let keys = try await world.lake().keys(id)
        #expect(keys == expected, "snapshot \(id)")
      }
      let counts = try await lake.snapshots(of: Row.table).map(\.rowCount)
      #expect(counts == [2, 1, 2, 2, 0])
    }
  }

  @Test("A commit tried again with the same id and parent is reported as done")
  func triedAgain() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]))
      let first = try await lake.commit(.append(2, ["b"]), to: Row.table, expecting: 1)
      for writer in [lake, world.lake()] {
        let again = try await writer.commit(.append(2, ["b"]), to: Row.table, expecting: 1)
        #expect(again == first)
      }
      _ = try await lake.commit(.append(3, ["c"]), to: Row.table, expecting: 2)
      let late = try await lake.commit(.append(2, ["b"]), to: Row.table, expecting: 1)
      #expect(late == first, "even below a later commit")
      let other = await failure {
        try await lake.commit(.append(2, ["b"]), to: Row.table, expecting: 3)
      }
      #expect(other?.code == .invalid)
      let keys = try await world.lake().keys()
      #expect(keys == ["a", "b", "c"])
    }
  }

  @Test("What the committer noted comes back whatever it is called")
  func notes() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.createTable(Row.table, schema: Row.schema)
      let notes = [
        "offsets": "0,17", "total-views": "3", "added-users": "4", "deleted-images": "x",
        "removed-flags": "", "operation-of": "ours", "é\"\n": "\u{1}",
      ]
      let change = TableChange(
        id: 1, committedAt: Row.at(1), append: Row.batch(["a"]), summary: notes)
      let committed = try await lake.commit(change, to: Row.table, expecting: nil)
      #expect(committed.summary == notes)
      let read = try await world.lake().snapshots(of: Row.table)
      #expect(read.map(\.summary) == [notes])
    }
  }

  @Test("Batches, one row group at a time, are the rows of a scan")
  func batches() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b", "c"]), .delete(2, ["b"]), .append(3, ["d"]))
      for snapshot in [nil, 1, 2, 3] as [SnapshotID?] {
        var rows: [String] = []
        try await lake.batches(Row.table, snapshot: snapshot) { batch throws(PortError) in
          rows += Row.texts(batch)
        }
        let expected = try await lake.rows(snapshot)
        #expect(rows == expected)
      }
    }
  }

  @Test("Tables of the same warehouse don't touch each other")
  func manyTables() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]))
      let others = [TableName("moderation", "events2"), TableName("other", "events")]
      for other in others {
        try await lake.createTable(other, schema: Row.schema)
        _ = try await lake.commit(.append(1, ["\(other)"]), to: other, expecting: nil)
      }
      _ = try await lake.removeOrphans(Row.table)
      for other in others {
        let rows = try await world.lake().scan(other, snapshot: nil).strings("key")
        #expect(rows == ["\(other)"])
      }
      let keys = try await world.lake().keys()
      #expect(keys == ["a"])
    }
  }

  @Test("Filters pass over files that can't hold a row")
  func pruning() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.createTable(Row.table, schema: Row.schema)
      for id in 1...10 as ClosedRange<SnapshotID> {
        let keys = ["k\(id)a", "k\(id)b", "k\(id)c"]
        _ = try await lake.commit(
          .append(id, keys), to: Row.table, expecting: id > 1 ? id - 1 : nil)
      }
      let cases: [(SnapshotID, Set<String>, Int)] = [
        (11, ["k3b"], 1), (12, ["k4a", "k7c"], 2), (13, ["a", "z"], 0), (14, [], 0),
      ]
      for (id, keys, reads) in cases {
        let watch = PortWatch()
        _ = try await world.lake(watch).commit(.delete(id, keys), to: Row.table, expecting: id - 1)
        let data = watch.operations.count {
          $0.hasPrefix("get ") && $0.contains("/data/") && !$0.contains("-deletes.")
        }
        #expect(data == reads, "\(keys)")
      }
      let count = try await world.lake().keys().count
      #expect(count == 27)
    }
  }

  @Test("Text that looks alike is told apart by its bytes, in one file or in two")
  func lookAlikes() throws {
    try simulate { world in
      let composed = "caf\u{E9}"
      let decomposed = "cafe\u{301}"
      for files in [[[composed, decomposed]], [[composed], [decomposed]]] {
        for lake in [world.lake(), InMemoryLake()] as [any Lake] {
          let table = TableName("moderation", "alike\(files.count)")
          try await lake.createTable(table, schema: Row.schema)
          var parent: SnapshotID?
          for keys in files {
            let id = (parent ?? 0) + 1
            _ = try await lake.commit(.append(id, keys), to: table, expecting: parent)
            parent = id
          }
          _ = try await lake.commit(.delete(9, [composed]), to: table, expecting: parent)
          let left = try await lake.scan(table, snapshot: nil).strings("key")
          #expect(left.map { Array($0.utf8) } == [Array(decomposed.utf8)], "\(files.count) files")
        }
      }
    }
  }

  @Test("An equality delete tells apart text that looks alike")
  func lookAlikeEqualityDelete() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["caf\u{E9}", "cafe\u{301}"]))
      let file = try await Self.equalityDelete("caf\u{E9}", in: world)
      try await Self.commit([file], 2, with: lake)
      let left = try await world.lake().keys()
      #expect(left.map { Array($0.utf8) } == [Array("cafe\u{301}".utf8)])
    }
  }
}
