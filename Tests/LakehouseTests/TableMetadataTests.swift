import Moderation
import Testing

@testable import Lakehouse

@Suite("Table metadata comes back as it was written")
struct TableMetadataTests {
  @Test("Metadata of any shape is the same after writing and reading", arguments: 0..<60)
  func roundTrip(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let metadata = Self.metadata(&dice)
    let bytes = metadata.encoded()
    let again = try TableMetadata(reading: bytes, file: "f")
    #expect(again == metadata)
    #expect(again.encoded() == bytes)
  }

  @Test("Cut off at any byte, metadata is an error that names the file")
  func truncated() {
    var dice = Dice(seed: 3)
    let bytes = Self.metadata(&dice).encoded()
    for length in bytes.indices {
      let error = #expect(throws: LakehouseError.self) {
        _ = try TableMetadata(reading: Array(bytes[..<length]), file: "cut.json")
      }
      #expect(error?.file == "cut.json", "\(length) bytes")
    }
  }

  /// A gzip file (RFC 1952) as Java writes it.
  private static func zipped(_ bytes: [UInt8]) throws -> [UInt8] {
    var checksum = UInt32.max
    for byte in bytes {
      checksum ^= UInt32(byte)
      for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    let trailer = [~checksum, UInt32(bytes.count)].flatMap { word in
      withUnsafeBytes(of: word.littleEndian) { Array($0) }
    }
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0] + (try Deflate.deflated(bytes)) + trailer
  }

  @Test("Zipped metadata is read as what it holds, and a damaged one is refused")
  func zipped() throws {
    var dice = Dice(seed: 4)
    let metadata = Self.metadata(&dice)
    var bytes = try Self.zipped(metadata.encoded())
    #expect(try TableMetadata(reading: bytes, file: "v1.gz.metadata.json") == metadata)
    bytes[bytes.count - 8] ^= 1
    for damaged in [bytes, Array(bytes.prefix(30)), [0x1F, 0x8B]] {
      let error = #expect(throws: LakehouseError.self) {
        _ = try TableMetadata(reading: damaged, file: "v1.gz.metadata.json")
      }
      #expect(error?.file == "v1.gz.metadata.json")
    }
  }

  @Test("Fields that the program doesn't interpret are kept")
  func unknownFields() throws {
    var dice = Dice(seed: 5)
    var tree = try #require(JSONTree(parsing: Self.metadata(&dice).encoded()).object)
    tree["statistics"] = .list([.object(["snapshot-id": .integer(1), "x": .null])])
    tree["vendor"] = .object(["a": .list([.number(0.25), .boolean(false)]), "é\"\n": .text("\t")])
    var bytes: [UInt8] = []
    JSONTree.object(tree).append(to: &bytes)
    let metadata = try TableMetadata(reading: bytes, file: "f")
    let again = try #require(JSONTree(parsing: metadata.encoded()).object)
    #expect(again == tree)
  }

  /// As other engines write it: no lists of schemas or specs, and -1 for no snapshot.
  static let versionOne = """
    {
      "format-version": 1, "table-uuid": "d20125c8-7284-442c-9aea-15fee620737c",
      "location": "s3://bucket/test/location", "last-updated-ms": 1602638573874,
      "last-column-id": 3,
      "schema": {
        "type": "struct",
        "fields": [
          {"id": 1, "name": "x", "required": true, "type": "long"},
          {"id": 2, "name": "y", "required": true, "type": "long", "doc": "comment"},
          {"id": 3, "name": "z", "required": false, "type": "string"}
        ]
      },
      "partition-spec": [
        {"name": "x", "transform": "identity", "source-id": 1, "field-id": 1000}
      ],
      "properties": {"a": "b"}, "current-snapshot-id": -1, "snapshots": []
    }
    """

  @Test("Version 1 is read, and written as version 2")
  func readsVersionOne() throws {
    let metadata = try TableMetadata(reading: Array(Self.versionOne.utf8), file: "f")
    #expect(metadata.schema.fields.map(\.name) == ["x", "y", "z"])
    #expect(metadata.schema.fields.map(\.isRequired) == [true, true, false])
    #expect(metadata.schema.fields[1].doc == "comment")
    #expect(metadata.lastSequenceNumber == 0)
    #expect(metadata.currentSnapshotID == nil)
    #expect(metadata.properties == ["a": "b"])
    let again = try TableMetadata(reading: metadata.encoded(), file: "f")
    #expect(again == metadata)
    let version = try JSONTree(parsing: metadata.encoded()).object?["format-version"]
    #expect(version == .integer(2))
  }

  @Test("The one partition spec of version 1 is the table's spec")
  func versionOneSpec() throws {
    let metadata = try TableMetadata(reading: Array(Self.versionOne.utf8), file: "f")
    let field = PartitionSpec.Field(
      sourceID: 1, fieldID: 1000, name: "x", transform: .identity)
    #expect(metadata.spec.fields == [field])
    #expect(metadata.specs.map(\.fields) == [[field]])
  }

  @Test("Version 1 without an id gets one that version 2 can be read with")
  func versionOneID() throws {
    let text = Self.versionOne.replacing(
      "\"table-uuid\": \"d20125c8-7284-442c-9aea-15fee620737c\",", with: "")
    let metadata = try TableMetadata(reading: Array(text.utf8), file: "f")
    #expect(metadata.uuid.utf8.count == 36)
    let same = try TableMetadata(reading: Array(text.utf8), file: "g")
    #expect(same.uuid == metadata.uuid)
    let again = try TableMetadata(reading: metadata.encoded(), file: "f")
    #expect(again == metadata)
  }

  @Test("Another version is refused, and named", arguments: [0, 3, 4, -1])
  func versions(version: Int64) throws {
    var dice = Dice(seed: 1)
    var tree = try #require(JSONTree(parsing: Self.metadata(&dice).encoded()).object)
    tree["format-version"] = .integer(version)
    var bytes: [UInt8] = []
    JSONTree.object(tree).append(to: &bytes)
    let error = #expect(throws: LakehouseError.self) {
      _ = try TableMetadata(reading: bytes, file: "v.json")
    }
    #expect(error?.file == "v.json")
    #expect(error?.field == "format-version")
    #expect(error?.reason.contains("\(version)") == true)
  }

  @Test("What isn't JSON is an error", arguments: ["", "[]", "3", "\"x\"", "{", "PAR1", "null"])
  func notJSON(text: String) {
    let error = #expect(throws: LakehouseError.self) {
      _ = try TableMetadata(reading: Array(text.utf8), file: "n.json")
    }
    #expect(error?.file == "n.json")
  }

  @Test("Metadata that is cut off is refused at its end")
  func cutOff() {
    var dice = Dice(seed: 5)
    let bytes = Array(Self.metadata(&dice).encoded().dropLast())
    let error = #expect(throws: LakehouseError.self) {
      _ = try TableMetadata(reading: bytes, file: "n.json")
    }
    #expect(error?.reason.contains("(byte \(bytes.count))") == true, "\(error as Any)")
  }

  @Test("The snapshot of an instant is the last that was current by then")
  func instants() {
    var metadata = TableMetadata(
      uuid: "u", location: "l", schema: IcebergSchema(id: 0, fields: []), spec: PartitionSpec(),
      createdAtMilliseconds: 0)
    for (id, time) in [(1, 10), (2, 20), (3, 20), (4, 30)] as [(Int64, Int64)] {
      let snapshot = IcebergSnapshot(
        id: id, parent: id > 1 ? id - 1 : nil, sequenceNumber: id, timestampMilliseconds: time,
        manifestList: "m\(id)", summary: [:], schemaID: nil)
      metadata = metadata.committing(snapshot, previousFile: "f\(id)")
    }
    let found = ([9, 10, 19, 20, 29, 30, 1 << 50] as [Int64]).map {
      metadata.snapshot(asOf: EventTime(microseconds: $0 * 1000))?.id
    }
    #expect(found == [nil, 1, 1, 3, 3, 4, 4])
    #expect(metadata.ancestors(of: 3).map(\.id) == [3, 2, 1])
  }
}

extension TableMetadataTests {
  /// Metadata with several of everything.
  static func metadata(_ dice: inout Dice) -> TableMetadata {
    let schemas = (0...dice.below(3)).map { schema($0, &dice) }
    var metadata = TableMetadata(
      uuid: "uuid-\(dice.next())", location: text(&dice), schema: schemas[0],
      spec: PartitionSpec(), createdAtMilliseconds: Int64(dice.below(1 << 40)))
    metadata.schemas = schemas
    metadata.currentSchemaID = dice.pick(schemas).id
    metadata.lastColumnID = 100
    metadata.specs = (0...dice.below(3)).map { spec($0, &dice) }
    metadata.defaultSpecID = dice.pick(metadata.specs).id
    metadata.lastPartitionID = 1100
    metadata.properties = [text(&dice): text(&dice), "k": "v"]
    metadata.lastSequenceNumber = Int64(dice.below(1000))
    for id in 0..<Int64(dice.below(5)) { metadata.snapshots.append(snapshot(id, &dice)) }
    if let current = metadata.snapshots.last {
      metadata.currentSnapshotID = current.id
      metadata.references["main"] = SnapshotReference(snapshot: current.id, isBranch: true)
    }
    for snapshot in metadata.snapshots {
      metadata.snapshotLog.append(
        .init(timestampMilliseconds: snapshot.timestampMilliseconds, snapshot: snapshot.id))
      metadata.previousFiles.append(
        .init(timestampMilliseconds: snapshot.timestampMilliseconds, file: text(&dice)))
      var reference = SnapshotReference(snapshot: snapshot.id, isBranch: dice.below(2) == 0)
      reference.rest["max-ref-age-ms"] = .integer(Int64(dice.below(1000)))
      metadata.references[text(&dice) + "\(snapshot.id)"] = reference
    }
    metadata.rest["unknown"] = .object([
      "list": .list([.null, .boolean(true), .number(1.5), .text(text(&dice)), .integer(.max)]),
      "none": .null, "empty": .object([:]),
    ])
    return metadata
  }

  private static func schema(_ id: Int, _ dice: inout Dice) -> IcebergSchema {
    let types: [IcebergType] = [
      .named("long"), .named("decimal(9, 2)"), .named("timestamptz"), .named("fixed[16]"),
      .nested(#"{"element":"string","element-id":9,"element-required":true,"type":"list"}"#),
    ]
    let fields = (1...3 + dice.below(5)).map { number in
      IcebergField(
        id: number * 3 + id, name: "c\(number)" + text(&dice), isRequired: dice.below(2) == 0,
        type: dice.pick(types), doc: dice.below(3) == 0 ? text(&dice) : nil)
    }
    var schema = IcebergSchema(id: id * 2, fields: fields)
    if dice.below(2) == 0 { schema.identifierFieldIDs = [fields[0].id, fields[1].id] }
    return schema
  }

  private static func spec(_ id: Int, _ dice: inout Dice) -> PartitionSpec {
    let transforms: [Transform] = [
      .identity, .bucket(7), .truncate(3), .year, .month, .day, .hour, .void,
    ]
    return PartitionSpec(
      id: id,
      fields: (0..<dice.below(3)).map { number in
        .init(
          sourceID: 1 + dice.below(5), fieldID: 1000 + number, name: "p\(number)" + text(&dice),
          transform: dice.pick(transforms))
      })
  }

  private static func snapshot(_ id: Int64, _ dice: inout Dice) -> IcebergSnapshot {
    IcebergSnapshot(
      id: id * 1_000_000_007_000_003 + 1,
      parent: id > 0 ? (id - 1) * 1_000_000_007_000_003 + 1 : nil, sequenceNumber: id + 1,
      timestampMilliseconds: 1_700_000_000_000 + id, manifestList: text(&dice),
      summary: ["operation": "append", text(&dice): text(&dice)],
      schemaID: dice.below(2) == 0 ? 0 : nil)
  }

  private static func text(_ dice: inout Dice) -> String {
    let pieces = ["a", "/", "\"", "\\", "\n", "\u{1}", "é", "🧪", "\u{2028}", "<", "7"]
    return (0..<dice.below(7)).map { _ in dice.pick(pieces) }.joined()
  }
}
