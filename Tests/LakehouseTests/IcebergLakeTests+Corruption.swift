import Ports
import Testing

@testable import Lakehouse

extension IcebergLakeTests {
  /// A file of the table, and how it is damaged.
  enum Damage: String, CaseIterable, Sendable {
    case missingData, cutData, missingDeletes, missingManifest, cutManifest, emptyManifest
    case missingList, cutList, magicOfList, magicOfManifest, missingMetadata, cutMetadata
    case futureMetadata

    /// Whether the damage is found by whoever reads the table's rows.
    var isOfMetadata: Bool {
      switch self {
      case .missingMetadata, .cutMetadata, .futureMetadata: true
      default: false
      }
    }
  }

  /// The location of the file.
  private static func location(
    _ damage: Damage, _ lake: IcebergLake
  ) async throws(PortError) -> String {
    let state = try await lake.reader.load(Row.table, "test")
    let live = try await lake.live()
    return switch damage {
    case .missingData, .cutData: live.data[0].file.path
    case .missingDeletes: live.positionDeletes[0].file.path
    case .missingManifest, .cutManifest, .emptyManifest, .magicOfManifest:
      try await lake.currentManifests()[0].path
    case .missingList, .cutList, .magicOfList: state.metadata.currentSnapshot?.manifestList ?? ""
    case .missingMetadata, .cutMetadata, .futureMetadata: state.file
    }
  }

  /// The bytes after the damage; nil for none.
  private static func bytes(_ damage: Damage, _ bytes: [UInt8]) -> [UInt8]? {
    switch damage {
    case .missingData, .missingDeletes, .missingManifest, .missingList, .missingMetadata:
      return nil
    case .cutData, .cutManifest, .cutList, .cutMetadata: return Array(bytes.dropLast(20))
    case .emptyManifest:
      // Cut where the only block begins, after the first marker.
      let sync = bytes.suffix(16)
      let marker = bytes.indices.first { bytes[$0...].starts(with: sync) } ?? 0
      return Array(bytes[..<(marker + 16)])
    case .magicOfList, .magicOfManifest: return Array("PAR1".utf8) + bytes.dropFirst(4)
    case .futureMetadata:
      var text = String(decoding: bytes, as: UTF8.self)
      if let range = text.firstRange(of: "\"format-version\":2") {
        text.replaceSubrange(range, with: "\"format-version\":3")
      }
      return Array(text.utf8)
    }
  }

  @Test(
    "A damaged or missing file is named, and nothing is committed", arguments: Damage.allCases)
  func damage(damage: Damage) throws {
    try simulate { world in
      try await world.lake().prepare(
        .append(1, ["a", "b"]), .append(2, ["c", "d"]), .delete(3, ["a"]))
      let location = try await Self.location(damage, world.lake())
      let key = world.key(location)
      let intact = try await world.objects.get(key)
      try await world.objects.delete(key)
      if let bytes = Self.bytes(damage, intact) { try await world.objects.put(key, bytes) }
      let pointer = try await world.catalog.location(of: Row.table)
      let keys = try await world.keys()

      let scan = await failure { try await world.lake().scan(Row.table, snapshot: nil) }
      let filters = [TableChange.RowFilter(["key": ["b", "c"]])]
      let change = TableChange(
        id: 4, committedAt: Row.at(4), removal: .rows(filters), append: Row.batch(["x"]))
      let commit = await failure {
        try await world.lake().commit(change, to: Row.table, expecting: 3)
      }
      let compaction = await failure {
        try await world.lake().compact(Row.table, id: 5, at: Row.at(5))
      }
      for (name, error) in [("scan", scan), ("commit", commit), ("compact", compaction)] {
        #expect(error?.code == .corrupt, "\(name): \(error as Any)")
        #expect(error?.hint.contains(location) == true, "\(name): \(error as Any)")
        #expect(error?.isRetryable != true)
      }
      let after = try await world.catalog.location(of: Row.table)
      #expect(after == pointer)
      let added = try await world.keys().subtracting(keys)
      #expect(added.allSatisfy { !$0.hasSuffix(".json") })
      try await world.objects.put(key, intact)
      let rows = try await world.lake().keys()
      #expect(rows == ["b", "c", "d"])
    }
  }

  @Test(
    "A plain append to a damaged table commits nothing",
    arguments: [Damage.missingList, .cutList, .magicOfList, .futureMetadata])
  func appendToDamage(damage: Damage) throws {
    try simulate { world in
      try await world.lake().prepare(.append(1, ["a", "b"]), .delete(2, ["a"]))
      let location = try await Self.location(damage, world.lake())
      let intact = try await world.objects.get(world.key(location))
      try await world.objects.delete(world.key(location))
      if let bytes = Self.bytes(damage, intact) {
        try await world.objects.put(world.key(location), bytes)
      }
      let pointer = try await world.catalog.location(of: Row.table)
      let error = await failure {
        try await world.lake().commit(.append(3, ["c"]), to: Row.table, expecting: 2)
      }
      #expect(error?.code == .corrupt)
      #expect(error?.hint.contains(location) == true)
      let after = try await world.catalog.location(of: Row.table)
      #expect(after == pointer)
    }
  }

  @Test("A manifest list that is cut is an error, not a table with fewer rows")
  func cutLists() throws {
    try simulate { world in
      try await world.lake().prepare(.append(1, ["a"]), .append(2, ["b"]))
      let location = try await Self.location(.cutList, world.lake())
      let intact = try await world.objects.get(world.key(location))
      let sync = intact.suffix(16)
      let header = (intact.indices.first { intact[$0...].starts(with: sync) } ?? 0) + 16
      for length in [header] + stride(from: 0, to: intact.count, by: 9) {
        try await world.objects.put(world.key(location), Array(intact[..<length]))
        let error = await failure { try await world.lake().scan(Row.table, snapshot: nil) }
        #expect(error?.code == .corrupt, "\(length) of \(intact.count) bytes")
        #expect(error?.hint.contains(location) == true, "\(error as Any)")
        if length == header { #expect(error?.hint.contains("total-data-files") == true) }
      }
    }
  }

  @Test("Sums that another writer left out aren't missed, and aren't made up")
  func withoutSums() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]))
      try await lake.edit { metadata in
        let last = metadata.snapshots.removeLast()
        metadata.snapshots.append(
          IcebergSnapshot(
            id: last.id, parent: last.parent, sequenceNumber: last.sequenceNumber,
            timestampMilliseconds: last.timestampMilliseconds, manifestList: last.manifestList,
            summary: ["operation": "append"], schemaID: last.schemaID))
      }
      _ = try await world.lake().commit(.append(3, ["c"]), to: Row.table, expecting: 2)
      let keys = try await world.lake().keys()
      #expect(keys == ["a", "b", "c"])
      let summary = try await world.lake().metadata(of: Row.table).currentSnapshot?.summary ?? [:]
      #expect(summary["added-data-files"] == "1")
      #expect(summary.keys.filter { $0.hasPrefix("total-") }.isEmpty)
      let rows = try await world.lake().snapshots(of: Row.table).last?.rowCount
      #expect(rows == 3)
    }
  }

  @Test("Expiry drops a damaged old snapshot, and what it still finds of the others")
  func expiryOfDamage() throws {
    try simulate { world in
      try await world.lake().prepare(.append(1, ["a"]), .overwrite(2, ["b"]), .overwrite(3, ["c"]))
      let first = try await world.lake().metadata(of: Row.table).snapshots[0]
      let manifest = try await world.lake().reader.manifests(of: first)[0]
      try await world.objects.delete(world.key(manifest.path))
      let report = try await world.lake().expire(Row.table, olderThan: Row.at(99))
      #expect(report.expiredSnapshots == [1, 2])
      let history = try await world.lake().history()
      #expect(history == [3])
      let rows = try await world.lake().scan(Row.table, snapshot: nil).strings("key")
      #expect(rows == ["c"])
    }
  }

  @Test("A location outside the warehouse is an error that names it")
  func outside() throws {
    try simulate { world in
      try await world.lake().prepare(.append(1, ["a"]))
      let location = try await world.catalog.location(of: Row.table)
      for elsewhere in ["s3://other/metadata.json", "memory://lakeside/x.json", ""] {
        try await world.catalog.drop(Row.table)
        try await world.catalog.move(Row.table, from: nil, to: elsewhere)
        let error = await failure { try await world.lake().scan(Row.table, snapshot: nil) }
        #expect(error?.code == .corrupt)
        #expect(error?.hint.contains(elsewhere) == true)
      }
      try await world.catalog.drop(Row.table)
      try await world.catalog.move(Row.table, from: nil, to: location ?? "")
      let keys = try await world.lake().keys()
      #expect(keys == ["a"])
    }
  }
}
