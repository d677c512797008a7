import Moderation
import Ports
import Testing

@testable import Lakehouse

extension IcebergLakeTests {
  @Test("The snapshot as of an instant is the one that was current then")
  func timeTravel() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(10, ["a"]), .append(20, ["b"]), .delete(30, ["a"]))
      let cases: [(Int64, SnapshotID?)] = [
        (9, nil), (10, 10), (19, 10), (20, 20), (29, 20), (30, 30), (99, 30),
      ]
      for (seconds, expected) in cases {
        let found = try await world.lake().view(of: Row.table, asOf: Row.at(seconds))?.snapshot?.id
        #expect(found == expected, "\(seconds) s")
      }
      let old = try await world.lake().keys(20)
      #expect(old == ["a", "b"])
    }
  }

  @Test("A commit isn't there a microsecond before its instant")
  func timeTravelInMicroseconds() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]))
      let instant = EventTime(microseconds: Row.start + 2_000_500)
      let change = TableChange(id: 2, committedAt: instant, append: Row.batch(["b"]))
      _ = try await lake.commit(change, to: Row.table, expecting: 1)
      let before = EventTime(microseconds: instant.microseconds - 1)
      let found = try await lake.view(of: Row.table, asOf: before)?.snapshot?.id
      #expect(found == 1)
      let then = try await lake.view(of: Row.table, asOf: instant)?.snapshot?.id
      #expect(then == 2)
    }
  }

  @Test("Expiry looks at the microsecond of a commit")
  func expiryInMicroseconds() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]))
      let first = EventTime(microseconds: Row.start + 2_000_500)
      let second = EventTime(microseconds: first.microseconds + 1)
      for (id, instant) in [(2, first), (3, second)] as [(SnapshotID, EventTime)] {
        let change = TableChange(id: id, committedAt: instant, append: Row.batch(["b"]))
        _ = try await lake.commit(change, to: Row.table, expecting: id - 1)
      }
      try await lake.tag("last", 3, of: Row.table)
      let report = try await lake.expire(Row.table, olderThan: second)
      #expect(report.expiredSnapshots == [1, 2])
    }
  }

  @Test("Expiry removes exactly the files that no remaining snapshot reaches")
  func expiry() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a", "b"]), .append(2, ["c", "d"]), .delete(3, ["c"]), .delete(4, ["a", "b"]),
        .append(5, ["e"]), .delete(6, ["e", "d"]), .append(7, ["f", "c"]))
      var rows: [SnapshotID: [String]] = [:]
      for id in 1...7 as ClosedRange<SnapshotID> { rows[id] = try await lake.rows(id) }
      for (seconds, keep, gone) in [
        (3, 1, [1, 2]), (3, 1, []), (6, 3, [3, 4]), (99, 1, [5, 6]), (99, 1, []),
      ] as [(Int64, Int, [SnapshotID])] {
        let before = try await world.lake().metadata(of: Row.table)
        let reached = try await world.lake().reachable(before, in: world)
        let keysBefore = try await world.keys()
        let report = try await world.lake().expire(
          Row.table, olderThan: Row.at(seconds), keep: keep)
        #expect(report.expiredSnapshots == gone)
        let after = try await world.lake().metadata(of: Row.table)
        let stays = try await world.lake().reachable(after, in: world)
        let removed = keysBefore.subtracting(try await world.keys())
        #expect(removed == reached.subtracting(stays), "older than \(seconds) s")
        #expect(Set(report.deletedFiles) == removed)
        for id in try await world.lake().history() {
          let left = try await world.lake().rows(id)
          #expect(left == rows[id], "snapshot \(id)")
        }
      }
      let error = await failure { try await world.lake().scan(Row.table, snapshot: 3) }
      #expect(error?.code == .notFound)
      let last = try await world.lake().history()
      #expect(last == [7])
    }
  }

  @Test("What was deleted is gone from every file after expiry and compaction")
  func erased() throws {
    try simulate { world in
      let lake = world.lake()
      let secret = "a-secret-that-must-go"
      try await lake.prepare(.append(1, [secret, "b"]), .append(2, ["c"]), .delete(3, [secret]))
      _ = try await lake.compact(Row.table, id: 4, at: Row.at(4))
      _ = try await lake.expire(Row.table, olderThan: Row.at(99))
      _ = try await lake.removeOrphans(Row.table)
      for key in try await world.keys() where key.hasSuffix(".parquet") {
        let file = DataFile(path: "memory://lake/\(key)", recordCount: 1, fileSize: 1)
        let parquet = try await lake.reader.files.parquet(file)
        let keys = try parquet.batch(
          0, [.init(id: 1, name: "k", isRequired: true, type: .named("string"))])
        #expect(!keys.strings("k").contains(secret), "\(key)")
      }
      let keys = try await world.lake().keys()
      #expect(keys == ["b", "c"])
    }
  }

  @Test("A tagged snapshot outlives expiry with its rows")
  func tags() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .overwrite(2, ["b"]), .overwrite(3, ["c"]))
      try await lake.tag("training", 1, of: Row.table)
      let report = try await world.lake().expire(Row.table, olderThan: Row.at(99))
      #expect(report.expiredSnapshots == [2])
      let tagged = try await world.lake().view(of: Row.table, named: "training")?.snapshot?.id
      #expect(tagged == 1)
      let keys = try await world.lake().keys(1)
      #expect(keys == ["a"])
      let nobody = try await world.lake().view(of: Row.table, named: "nobody")?.snapshot?.id
      #expect(nobody == nil)
      let error = await failure { try await lake.tag("late", 2, of: Row.table) }
      #expect(error?.code == .notFound)
    }
  }

  @Test("A branch begins where it is told to, keeps its snapshot, and doesn't move with commits")
  func branches() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]))
      try await lake.branch("trial", 1, of: Row.table)
      _ = try await lake.commit(.append(3, ["c"]), to: Row.table, expecting: 2)
      _ = try await world.lake().expire(Row.table, olderThan: Row.at(99))
      let references = try await world.lake().metadata(of: Row.table).references
      #expect(references.mapValues(\.snapshot) == ["main": 3, "trial": 1])
      #expect(references["trial"]?.isBranch == true)
      #expect(try await world.lake().keys(1) == ["a"])
    }
  }

  @Test("A name moves only when it may be replaced, and keeps its kind")
  func namesMove() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]))
      try await lake.tag("model", 1, of: Row.table)
      // Said again, as after a lost reply, it is as it was.
      try await lake.tag("model", 1, of: Row.table)
      let taken = await failure { try await lake.tag("model", 2, of: Row.table) }
      #expect(taken?.hint.contains("'model' names snapshot 1 already") == true)
      try await lake.tag("model", 2, of: Row.table, replacing: true)
      #expect(try await lake.metadata(of: Row.table).references["model"]?.snapshot == 2)
      let kind = await failure {
        try await lake.branch("model", 2, of: Row.table, replacing: true)
      }
      #expect(kind?.hint.contains("'model' is a tag already") == true)
      let main = await failure {
        try await lake.branch("main", 1, of: Row.table, replacing: true)
      }
      #expect(main?.hint.contains("main moves with commits only") == true)
    }
  }

  @Test("What only a removed name reached goes with the next expiry")
  func namesGo() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .overwrite(2, ["b"]))
      try await lake.tag("model", 1, of: Row.table)
      let before = try await lake.expire(Row.table, olderThan: Row.at(99))
      #expect(before.expiredSnapshots == [])
      try await lake.removeReference("model", of: Row.table)
      let after = try await world.lake().expire(Row.table, olderThan: Row.at(99))
      #expect(after.expiredSnapshots == [1])
      for name in ["model", "main"] {
        let error = await failure { try await lake.removeReference(name, of: Row.table) }
        #expect(error?.code == .invalid)
      }
    }
  }

  @Test("Commits go on after expiry, and a commit tried again isn't doubled")
  func afterExpiry() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]), .delete(3, ["a"]))
      _ = try await lake.expire(Row.table, olderThan: Row.at(99))
      let early = await failure {
        try await world.lake().commit(.append(2, ["b"]), to: Row.table, expecting: 1)
      }
      #expect(early?.code == .conflict)
      _ = try await world.lake().commit(.append(3, []), to: Row.table, expecting: 2)
      _ = try await world.lake().commit(.append(4, ["d"]), to: Row.table, expecting: 3)
      let keys = try await world.lake().keys()
      #expect(keys == ["b", "d"])
    }
  }

  @Test("Orphans are the keys under the table's folder that its metadata doesn't reach")
  func orphans() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b"]), .delete(2, ["a"]), .append(3, ["c"]))
      let kept = try await world.keys()
      let orphans = [
        "moderation/events/data/crashed.parquet", "moderation/events/metadata/crashed.avro",
        "moderation/events/é",
      ]
      let others = ["moderation/events2/data/x", "moderation/eventsx", "elsewhere"]
      for key in orphans + others { try await world.objects.put(key, [1]) }
      let first = try await world.lake().removeOrphans(Row.table) { $0.hasSuffix(".avro") }
      #expect(Set(first.deletedFiles) == [orphans[0], orphans[2]])
      let second = try await world.lake().removeOrphans(Row.table)
      #expect(second.deletedFiles == [orphans[1]])
      let keys = try await world.keys()
      #expect(keys == kept.union(others))
      for id in 1...3 as ClosedRange<SnapshotID> { _ = try await world.lake().rows(id) }
    }
  }

  @Test("Statistics that the metadata names aren't orphans")
  func statistics() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]))
      let key = "moderation/events/metadata/1-stats.puffin"
      try await world.objects.put(key, [1])
      try await lake.edit { metadata in
        metadata.rest["statistics"] = .list([
          .object([
            "snapshot-id": .integer(1), "statistics-path": .text("memory://lake/\(key)"),
            "file-size-in-bytes": .integer(1), "file-footer-size-in-bytes": .integer(1),
            "blob-metadata": .list([]),
          ])
        ])
      }
      let report = try await world.lake().removeOrphans(Row.table)
      #expect(report.deletedFiles.isEmpty)
    }
  }

  @Test("After more than 100 commits the manifests are merged, and the rows stay")
  func mergedManifests() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.createTable(Row.table, schema: Row.schema)
      var keys: [String] = []
      var most = 0
      for id in 1...215 as ClosedRange<SnapshotID> {
        _ = try await lake.commit(
          .append(id, ["k\(id)"]), to: Row.table, expecting: id > 1 ? id - 1 : nil)
        keys.append("k\(id)")
        most = max(most, try await lake.currentManifests().count)
      }
      #expect(most <= 102)
      let found = try await world.lake().keys()
      #expect(found == keys)
      let early = try await world.lake().keys(99)
      #expect(early == Array(keys.prefix(99)))
      _ = try await world.lake().commit(.delete(216, ["k7"]), to: Row.table, expecting: 215)
      let left = try await world.lake().keys()
      #expect(left == keys.filter { $0 != "k7" })
    }
  }

  @Test("After more than 100 deletes the manifests of delete files are merged too")
  func mergedDeleteManifests() throws {
    try simulate { world in
      let lake = world.lake()
      let keys = (0...110).map { "k\($0)" }
      try await lake.prepare(.append(1, keys))
      for id in 2...110 as ClosedRange<SnapshotID> {
        _ = try await lake.commit(.delete(id, ["k\(id)"]), to: Row.table, expecting: id - 1)
      }
      let manifests = try await lake.currentManifests().count
      #expect(manifests <= 102)
      let found = try await world.lake().keys()
      #expect(found == ["k0", "k1"])
    }
  }

  @Test(
    "The log of metadata files is as long as the table's property says", arguments: [false, true])
  func metadataLog(deletes: Bool) throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare()
      try await lake.edit { metadata in
        metadata.properties["write.metadata.previous-versions-max"] = "3"
        if deletes { metadata.properties["write.metadata.delete-after-commit.enabled"] = "true" }
      }
      for id in 1...6 as ClosedRange<SnapshotID> {
        _ = try await lake.commit(
          .append(id, ["k\(id)"]), to: Row.table, expecting: id > 1 ? id - 1 : nil)
      }
      let metadata = try await world.lake().metadata(of: Row.table)
      #expect(metadata.previousFiles.count == 3)
      let files = try await world.keys().filter { $0.hasSuffix(".metadata.json") }
      #expect(files.count == (deletes ? 4 : 8))
      #expect(files.isSuperset(of: metadata.previousFiles.map { world.key($0.file) }))
      let keys = try await world.lake().keys()
      #expect(keys.count == 6)
    }
  }
}
