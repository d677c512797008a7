import Testing

@testable import Lakehouse

@Suite("Avro files come back as they were written")
struct AvroRoundTripTests {
  @Test(
    "A long is a zig-zag varint, as the specification's table has it",
    arguments: [
      (0, [0x00]), (-1, [0x01]), (1, [0x02]), (-2, [0x03]), (2, [0x04]), (-64, [0x7F]),
      (64, [0x80, 0x01]), (8192, [0x80, 0x80, 0x01]), (-65, [0x81, 0x01]),
      (Int64.max, [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
      (Int64.min, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
    ] as [(Int64, [UInt8])])
  func varint(value: Int64, bytes: [UInt8]) throws {
    var encoder = AvroEncoder()
    encoder.long(value)
    #expect(encoder.bytes == bytes)
    var decoder = AvroDecoder(bytes, range: bytes.indices, allowance: 1)
    #expect(try decoder.long() == value)
    #expect(decoder.remaining == 0)
  }

  @Test(
    "The specification's examples encode to its bytes",
    arguments: [
      (.string("foo"), .string, [0x06, 0x66, 0x6F, 0x6F]),
      (.array([.long(3), .long(27)]), .array(.long), [0x04, 0x06, 0x36, 0x00]),
      (.string("a"), .union([.null, .string]), [0x02, 0x02, 0x61]),
      (.null, .union([.null, .string]), [0x00]),
      (
        .record(["b": .string("foo"), "a": .long(27)]),
        .record(named: "test", fields: [AvroField("a", .long), AvroField("b", .string)]),
        [0x36, 0x06, 0x66, 0x6F, 0x6F]
      ),
    ] as [(AvroValue, AvroSchema, [UInt8])])
  func example(value: AvroValue, schema: AvroSchema, bytes: [UInt8]) throws {
    var encoder = AvroEncoder()
    try encoder.value(value, schema)
    #expect(encoder.bytes == bytes)
  }

  @Test("An array's runs may carry their size behind a negative count")
  func negativeCounts() throws {
    let bytes: [UInt8] = [0x03, 0x04, 0x06, 0x36, 0x02, 0x02, 0x00]
    var decoder = AvroDecoder(bytes, range: bytes.indices, allowance: 10)
    #expect(try decoder.value(.array(.long)) == .array([.long(3), .long(27), .long(1)]))
    #expect(decoder.remaining == 0)
  }

  @Test("Any records of any schema come back equal, with either codec", arguments: 0..<300)
  func generated(seed: Int) throws {
    var generator = AvroGenerator(seed: UInt64(seed))
    let file = generator.file()
    let sync = generator.bytes(16)
    for codec in [AvroFile.Codec.null, .deflate] {
      let bytes = try file.encoded(codec: codec, sync: sync)
      let read = try AvroFile(reading: bytes)
      #expect(read == file)
      #expect(try read.encoded(codec: codec, sync: sync) == bytes)
    }
  }

  @Test("A schema's text gives the schema back, and the same text", arguments: 0..<300)
  func schemaText(seed: Int) throws {
    var generator = AvroGenerator(seed: UInt64(seed))
    let schema = generator.file(maximum: 0).schema
    let parsed = try AvroSchema(json: schema.json)
    #expect(parsed == schema)
    #expect(parsed.json == schema.json)
  }

  @Test("Schemas are told apart byte by byte, though Unicode calls their texts the same")
  func schemaBytes() throws {
    let field = AvroField("f", .long, documentation: "a\u{2002}b")
    let schema = AvroSchema.record(AvroRecordSchema(name: "r", fields: [field]))
    let bytes = try AvroFile(schema: schema, metadata: [:], records: [])
      .encoded(codec: .null, sync: AvroManifestFixture.sync)
    // An en quad is an en space, and has as many bytes.
    var other = bytes
    let place = try #require(bytes.firstRange(of: Array("\u{2002}".utf8)))
    other.replaceSubrange(place, with: Array("\u{2000}".utf8))
    for file in [bytes, other] {
      let text = try AvroFile(reading: file).schema.json
      #expect(file.firstRange(of: Array(text.utf8)) != nil)
    }
  }

  @Test("A manifest of several blocks comes back, by name and by field id")
  func manifest() throws {
    let bytes = try AvroManifestFixture.manifest(2500).encoded(sync: AvroManifestFixture.sync)
    let read = try AvroFile(reading: bytes)
    #expect(read.records.count == 2500)
    #expect(read.schema == AvroManifestFixture.schema)
    #expect(read.metadata["format-version"] == Array("2".utf8))
    guard case .record(let entry) = read.records[1234],
      case .record(let file) = entry[fieldID: 2]
    else { return #expect(Bool(false), "the entry isn't a record of records") }
    #expect(entry["status"] == .int(1))
    #expect(entry["sequence_number"] == .null)
    #expect(file[fieldID: 103] == .long(123_400))
    #expect(file["no such field"] == nil)
  }

  @Test("A block holds at most a thousand records")
  func blocks() throws {
    let records = [AvroValue](repeating: .long(1), count: 1001)
    let bytes = try AvroFile(schema: .long, records: records)
      .encoded(codec: .null, sync: AvroManifestFixture.sync)
    let oneBlock = try AvroFile(schema: .long, records: Array(records.dropLast()))
      .encoded(codec: .null, sync: AvroManifestFixture.sync)
    #expect(bytes.starts(with: oneBlock))
    #expect(bytes.count == oneBlock.count + 1 + 1 + 1 + 16)
  }

  @Test("A union takes the first branch that fits to the leaves")
  func branches() throws {
    let first = AvroSchema.record(named: "a", fields: [AvroField("x", .long)])
    let second = AvroSchema.record(named: "b", fields: [AvroField("x", .string)])
    var encoder = AvroEncoder()
    try encoder.value(.record(["x": .string("")]), .union([first, second]))
    #expect(encoder.bytes == [0x02, 0x00])
  }

  @Test(
    "A value of another type than the schema's is refused at its path",
    arguments: [
      (.record(["a": .record(["b": .long(1)])]), "a.b"), (.record([:]), "a"),
      (.record(["a": .null]), "a"), (.record(["a": .record(["b": .array([.int(1)])])]), "a.b[0]"),
      (.record(["a": .record(["b": .array([]), "c": .null])]), "a.c"),
    ] as [(AvroValue, String)])
  func misfit(value: AvroValue, path: String) {
    let inner = AvroSchema.record(named: "i", fields: [AvroField("b", .array(.string))])
    let schema = AvroSchema.record(named: "o", fields: [AvroField("a", inner)])
    let error = #expect(throws: AvroError.self) {
      try AvroFile(schema: schema, records: [value]).encoded(sync: AvroManifestFixture.sync)
    }
    #expect(error?.path == path)
  }
}
