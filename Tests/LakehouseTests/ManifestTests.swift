import Testing

@testable import Lakehouse

@Suite("Manifests and their lists come back as they were written")
struct ManifestTests {
  private static let sync = Array(1...16 as ClosedRange<UInt8>)

  /// A table partitioned in every way that there is.
  private static func table() -> TableMetadata {
    let types = ["long", "timestamptz", "string", "boolean", "double", "date"]
    let schema = IcebergSchema(
      id: 0,
      fields: types.enumerated().map { index, type in
        IcebergField(id: index + 1, name: "c\(index)", isRequired: false, type: .named(type))
      })
    let transforms: [(Int, Transform)] = [
      (1, .identity), (1, .bucket(8)), (2, .day), (2, .hour), (3, .truncate(2)), (4, .identity),
      (5, .identity), (6, .month), (3, .identity), (2, .identity), (6, .identity), (1, .void),
    ]
    let spec = PartitionSpec(
      id: 4,
      fields: transforms.enumerated().map { index, pair in
        .init(sourceID: pair.0, fieldID: 1000 + index, name: "p\(index)", transform: pair.1)
      })
    return TableMetadata(
      uuid: "u", location: "l", schema: schema, spec: spec, createdAtMilliseconds: 0)
  }

  private static func partition(_ dice: inout Dice) -> [IcebergValue?] {
    let values: [IcebergValue] = [
      .integer(.min), .integer(7), .integer(-3), .integer(-9), .text("é"), .boolean(true),
      .number(-2.5), .integer(574), .text(""), .integer(.max), .integer(17_486), .integer(0),
    ]
    return values.map { dice.below(4) == 0 ? nil : $0 }
  }

  private static func entry(_ dice: inout Dice) -> ManifestEntry {
    var file = DataFile(
      path: "memory://lake/é \(dice.next()).parquet", recordCount: Int64(dice.below(1000)),
      fileSize: Int64(dice.below(1 << 40)))
    file.content = dice.pick([.data, .positionDeletes, .equalityDeletes])
    file.partition = partition(&dice)
    for id in 1...6 where dice.below(2) == 0 {
      file.valueCounts[id] = Int64(dice.below(1 << 33))
      file.nullCounts[id] = Int64(dice.below(9))
      file.lowerBounds[id] = (0..<dice.below(9)).map { _ in UInt8(dice.below(256)) }
      file.upperBounds[id] = (0..<dice.below(9)).map { _ in UInt8(dice.below(256)) }
    }
    if file.content == .equalityDeletes { file.equalityIDs = [1, 3] }
    if file.content == .positionDeletes { file.referencedFile = "memory://lake/x" }
    func maybe(_ dice: inout Dice) -> Int64? {
      dice.below(3) == 0 ? nil : Int64(bitPattern: dice.next())
    }
    return ManifestEntry(
      status: dice.pick([.existing, .added, .deleted]), snapshotID: maybe(&dice),
      sequenceNumber: maybe(&dice), fileSequenceNumber: maybe(&dice), file: file)
  }

  @Test("Entries of all kinds come back", arguments: 0..<40)
  func entries(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let entries = (0..<dice.below(12)).map { _ in Self.entry(&dice) }
    let table = Self.table()
    let bytes = try Manifest.encode(
      entries, table, table.spec, holdsDeletes: false, sync: Self.sync)
    let again = try Manifest.decode(bytes, file: "m.avro", spec: table.spec)
    #expect(again == entries)
  }

  @Test("An unpartitioned table's entries come back")
  func unpartitioned() throws {
    var table = Self.table()
    table.specs = [PartitionSpec()]
    table.defaultSpecID = 0
    let file = DataFile(path: "memory://lake/a.parquet", recordCount: 1, fileSize: 2)
    let entry = ManifestEntry(status: .added, snapshotID: 5, file: file)
    let bytes = try Manifest.encode(
      [entry], table, table.spec, holdsDeletes: true, sync: Self.sync)
    let again = try Manifest.decode(bytes, file: "m.avro", spec: table.spec)
    #expect(again == [entry])
  }

  @Test("A manifest says what it is in its header")
  func header() throws {
    let table = Self.table()
    for (holdsDeletes, content) in [(false, "data"), (true, "deletes")] {
      let bytes = try Manifest.encode(
        [], table, table.spec, holdsDeletes: holdsDeletes, sync: Self.sync)
      let header = try AvroFile(reading: bytes).metadata
      #expect(header["content"] == Array(content.utf8))
      #expect(header["format-version"] == Array("2".utf8))
      #expect(header["partition-spec-id"] == Array("4".utf8))
      let schema = try JSONTree(parsing: header["schema"] ?? [])
      #expect(schema == table.schema.json)
    }
  }

  private static func manifest(_ dice: inout Dice) -> ManifestFile {
    var manifest = ManifestFile(
      path: "memory://lake/m é\(dice.next()).avro", length: Int64(dice.below(1 << 40)),
      specID: dice.below(5), holdsDeletes: dice.below(2) == 0,
      sequenceNumber: Int64(dice.below(99)), minSequenceNumber: Int64(dice.below(99)),
      addedSnapshotID: Int64(bitPattern: dice.next()))
    manifest.addedFiles = dice.below(9)
    manifest.existingFiles = dice.below(9)
    manifest.deletedFiles = dice.below(9)
    manifest.addedRows = Int64(dice.below(1 << 40))
    manifest.existingRows = Int64(dice.below(1 << 40))
    manifest.deletedRows = Int64(dice.below(1 << 40))
    for _ in 0..<dice.below(3) {
      manifest.partitions.append(
        .init(
          containsNull: dice.below(2) == 0, containsNaN: [nil, true, false][dice.below(3)],
          lower: dice.below(3) == 0 ? nil : [1, 2],
          upper: dice.below(3) == 0 ? nil : []))
    }
    return manifest
  }

  @Test("Lists come back", arguments: 0..<40)
  func lists(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let manifests = (0..<dice.below(9)).map { _ in Self.manifest(&dice) }
    let bytes = try ManifestList.encode(
      manifests, snapshot: 3, parent: seed % 2 == 0 ? nil : 2, sequenceNumber: 9, sync: Self.sync)
    let again = try ManifestList.decode(bytes, file: "l.avro")
    #expect(again == manifests)
  }

  @Test("A new entry inherits its manifest's snapshot and sequence numbers; others keep theirs")
  func inheritance() {
    let file = DataFile(path: "p", recordCount: 1, fileSize: 1)
    let manifest = ManifestFile(
      path: "m", length: 1, specID: 0, holdsDeletes: false, sequenceNumber: 6,
      minSequenceNumber: 2, addedSnapshotID: 60)
    let fresh = ManifestEntry(status: .added, file: file).inheriting(from: manifest)
    #expect(fresh.snapshotID == 60)
    #expect(fresh.sequenceNumber == 6)
    #expect(fresh.fileSequenceNumber == 6)
    for status in [.existing, .deleted, .added] as [ManifestEntry.Status] {
      let old = ManifestEntry(
        status: status, snapshotID: 20, sequenceNumber: 2, fileSequenceNumber: 3, file: file)
      #expect(old.inheriting(from: manifest) == old)
    }
    var first = manifest
    first.sequenceNumber = 0
    let old = ManifestEntry(status: .existing, snapshotID: 1, file: file).inheriting(from: first)
    #expect(old.sequenceNumber == 0, "version 1 has no sequence numbers")
  }

  /// Bytes of a manifest or a list, with how they are read.
  private static func files() throws -> [(bytes: [UInt8], read: ([UInt8]) throws -> Void)] {
    var dice = Dice(seed: 11)
    let table = table()
    let manifest = try Manifest.encode(
      [entry(&dice), entry(&dice)], table, table.spec, holdsDeletes: false, sync: sync)
    let list = try ManifestList.encode(
      [Self.manifest(&dice)], snapshot: 1, parent: nil, sequenceNumber: 1, sync: sync)
    return [
      (manifest, { _ = try Manifest.decode($0, file: "bad.avro", spec: table.spec) }),
      (list, { _ = try ManifestList.decode($0, file: "bad.avro") }),
    ]
  }

  @Test("Cut off in its header or a block, a file is an error that names it")
  func truncated() throws {
    for (bytes, read) in try Self.files() {
      // After the header's marker comes the only block: a file that ends there is an empty one.
      let header = try #require(
        bytes.indices.first { bytes[$0...].starts(with: Self.sync) }.map { $0 + 16 })
      for length in stride(from: 0, to: bytes.count, by: 3) where length != header {
        let error = #expect(throws: LakehouseError.self) { try read(Array(bytes[..<length])) }
        #expect(error?.file == "bad.avro", "\(length) bytes")
      }
    }
  }

  @Test("A changed byte makes another file or an error that names it, never a trap")
  func flipped() throws {
    for (bytes, read) in try Self.files() {
      for index in stride(from: 0, to: bytes.count, by: 5) {
        var changed = bytes
        changed[index] ^= 0x11
        do {
          try read(changed)
        } catch let error as LakehouseError {
          #expect(error.file == "bad.avro", "byte \(index)")
        }
      }
    }
  }

  @Test("A wrong or missing value names the file and the field")
  func fields() throws {
    let wrongStatus = AvroFile(
      schema: .record(
        named: "manifest_entry",
        fields: [AvroField("status", .int, id: 0), AvroField("snapshot_id", .long, id: 1)]),
      records: [.record(["status": .int(3), "snapshot_id": .long(1)])])
    let bytes = try wrongStatus.encoded(codec: .null, sync: Self.sync)
    let error = #expect(throws: LakehouseError.self) {
      _ = try Manifest.decode(bytes, file: "s.avro", spec: PartitionSpec())
    }
    #expect(error?.file == "s.avro")
    #expect(error?.field == "entry[0].status")
    let missing = #expect(throws: LakehouseError.self) {
      _ = try ManifestList.decode(bytes, file: "l.avro")
    }
    #expect(missing?.file == "l.avro")
    #expect(missing?.field == "manifest[0].manifest_path")
  }
}
