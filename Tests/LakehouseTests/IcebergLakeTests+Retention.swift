import Moderation
import Ports
import Testing

@testable import Lakehouse

extension IcebergLakeTests {
  /// What a branch or tag says of how long it is to be kept.
  private static func retention(
    least: Int64? = nil, snapshotAge: Int64? = nil, age: Int64? = nil
  ) -> [String: JSONTree] {
    var rest: [String: JSONTree] = [:]
    rest["min-snapshots-to-keep"] = least.map { .integer($0) }
    rest["max-snapshot-age-ms"] = snapshotAge.map { .integer($0) }
    rest["max-ref-age-ms"] = age.map { .integer($0) }
    return rest
  }

  @Test("A commit leaves what main says of its retention as it is")
  func retentionOfMain() throws {
    try simulate { world in
      let lake = world.lake()
      let rest = Self.retention(least: 2, snapshotAge: 3, age: 4)
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]))
      try await lake.edit { $0.references["main"]?.rest = rest }
      _ = try await lake.commit(.append(3, ["c"]), to: Row.table, expecting: 2)
      _ = try await lake.compact(Row.table, id: 4, at: Row.at(4))
      let main = try await world.lake().metadata(of: Row.table).references["main"]
      #expect(main?.snapshot == 4)
      #expect(main?.rest == rest)
    }
  }

  /// What main says, and what expiry then leaves of snapshots of 1 to 5 seconds when all are older
  /// than its instant and the clock shows 6.
  static let retentions: [(least: Int64?, snapshotAge: Int64?, left: [SnapshotID])] = [
    (nil, nil, [5]), (1, nil, [5]), (3, nil, [3, 4, 5]), (9, nil, [1, 2, 3, 4, 5]),
    (nil, 2000, [4, 5]), (nil, 0, [5]), (3, 2000, [3, 4, 5]), (2, 4000, [2, 3, 4, 5]),
    (-1, .min, [5]), (nil, .max, [1, 2, 3, 4, 5]),
  ]

  @Test("Expiry keeps as many snapshots, and as young ones, as a branch says", arguments: 0...9)
  func retentionOfBranches(index: Int) throws {
    try simulate { world in
      let (least, snapshotAge, left) = Self.retentions[index]
      let lake = world.lake()
      try await lake.prepare(
        .append(1, ["a"]), .append(2, ["b"]), .append(3, ["c"]), .append(4, ["d"]),
        .append(5, ["e"]))
      let rest = Self.retention(least: least, snapshotAge: snapshotAge)
      try await lake.edit { $0.references["main"]?.rest = rest }
      await world.time.sleep(for: .seconds(6))
      _ = try await world.lake().expire(Row.table, olderThan: Row.at(99))
      let history = try await world.lake().history()
      #expect(history == left)
    }
  }

  @Test("A branch's own age is instead of the instant: its younger snapshots go, too")
  func retentionShorterThanInstant() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]), .append(3, ["c"]))
      try await lake.edit { $0.references["main"]?.rest = Self.retention(snapshotAge: 1000) }
      await world.time.sleep(for: .seconds(3))
      let report = try await world.lake().expire(Row.table, olderThan: Row.at(0))
      #expect(report.expiredSnapshots == [1])
    }
  }

  @Test("Expiry drops a branch or tag that is older than it is to be kept, but never main")
  func retentionOfReferences() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]), .append(3, ["c"]))
      try await lake.edit { metadata in
        for (name, snapshot, isBranch, age) in [
          ("main", 3, true, 0), ("short", 1, false, 1), ("long", 2, false, 9_000_000),
          ("side", 1, true, 1),
        ] as [(String, SnapshotID, Bool, Int64)] {
          var reference = SnapshotReference(snapshot: snapshot, isBranch: isBranch)
          reference.rest = Self.retention(age: age)
          metadata.references[name] = reference
        }
      }
      await world.time.sleep(for: .seconds(60))
      let report = try await world.lake().expire(Row.table, olderThan: Row.at(99))
      #expect(report.expiredSnapshots == [1])
      let names = try await world.lake().metadata(of: Row.table).references.keys.sorted()
      #expect(names == ["long", "main"])
    }
  }

  @Test("A table that is to keep all its files isn't expired")
  func keptFiles() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]))
      try await lake.edit { $0.properties["gc.enabled"] = "false" }
      let error = await failure { try await lake.expire(Row.table, olderThan: Row.at(99)) }
      #expect(error?.code == .invalid)
      #expect(error?.hint.contains("gc.enabled") == true, "\(error as Any)")
      let history = try await world.lake().history()
      #expect(history == [1, 2])
    }
  }

  @Test("Statistics of expired snapshots go with their files, but for files that others name")
  func expiredStatistics() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]))
      func key(_ name: String) -> String { "moderation/events/metadata/\(name).puffin" }
      for name in ["one", "two", "both"] { try await world.objects.put(key(name), [1]) }
      func entries(_ files: [(Int64, String)]) -> JSONTree {
        .list(
          files.map { snapshot, name in
            .object([
              "snapshot-id": .integer(snapshot),
              "statistics-path": .text("memory://lake/\(key(name))"),
            ])
          })
      }
      try await lake.edit { metadata in
        metadata.rest["statistics"] = entries([(1, "one"), (2, "two")])
        metadata.rest["partition-statistics"] = entries([(1, "both"), (2, "both")])
      }
      let report = try await world.lake().expire(Row.table, olderThan: Row.at(99))
      #expect(report.expiredSnapshots == [1])
      let after = try await world.lake().metadata(of: Row.table).rest
      #expect(after["statistics"] == entries([(2, "two")]))
      #expect(after["partition-statistics"] == entries([(2, "both")]))
      let left = try await world.keys().filter { $0.hasSuffix(".puffin") }
      #expect(left == [key("two"), key("both")])
    }
  }
}
