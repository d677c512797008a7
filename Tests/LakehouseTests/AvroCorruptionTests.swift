import Testing

@testable import Lakehouse

@Suite("Malformed Avro throws, and nothing else")
struct AvroCorruptionTests {
  private static let sync = AvroManifestFixture.sync

  /// Three small records with something of every kind that has a length.
  private static let small = AvroFile(
    schema: .record(
      named: "r",
      fields: [
        AvroField("s", .optional(.string), id: 1), AvroField("a", .array(.long)),
        AvroField("m", .map(.bytes)), AvroField("f", .fixed(name: "f", size: 3)),
      ]),
    records: (0..<3).map { index in
      .record([
        "s": .string("naïve \(index)"), "a": .array([.long(1), .long(-300)]),
        "m": .map(["k": .bytes([1, 2, 3])]), "f": .fixed([7, 8, 9]),
      ])
    })

  /// A file of one schema and one block of raw data, with any header.
  private static func file(
    _ schema: String, codec: String = "null", count: Int64, data: [UInt8]
  ) -> [UInt8] {
    var encoder = AvroEncoder()
    encoder.raw(AvroFile.magic)
    encoder.long(2)
    for text in ["avro.schema", schema, "avro.codec", codec] { encoder.string(text) }
    encoder.long(0)
    encoder.raw(sync)
    encoder.long(count)
    encoder.byteString(data)
    encoder.raw(sync)
    return encoder.bytes
  }

  @Test(
    "A file cut at any byte throws, but for the end of a block: a shorter file there",
    arguments: [AvroFile.Codec.null, .deflate])
  func truncation(codec: AvroFile.Codec) throws {
    var file = AvroFile(schema: Self.small.schema)
    let header = try file.encoded(codec: codec, sync: Self.sync)
    var bytes = header
    for block in 0..<3 {
      file.records = [Self.small.records[block]]
      bytes += try file.encoded(codec: codec, sync: Self.sync).dropFirst(header.count)
    }
    let records = try AvroFile(reading: bytes).records
    var shorter: [Int] = []
    for length in bytes.indices {
      if let read = try? AvroFile(reading: Array(bytes[..<length])) {
        #expect(read.records.elementsEqual(records.prefix(read.records.count)))
        shorter.append(read.records.count)
      }
    }
    #expect(shorter == [0, 1, 2])
  }

  @Test(
    "A flipped byte throws or reads as something else",
    arguments: [AvroFile.Codec.null, .deflate])
  func flips(codec: AvroFile.Codec) throws {
    let bytes = try Self.small.encoded(codec: codec, sync: Self.sync)
    var generator = AvroGenerator(seed: 7)
    var refused = 0
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= UInt8(1 + generator.below(255))
      do { _ = try AvroFile(reading: damaged) } catch { refused += 1 }
    }
    #expect(refused > bytes.count / 4)
  }

  @Test("Random damage to generated files never traps", arguments: 0..<100)
  func damage(seed: Int) throws {
    var generator = AvroGenerator(seed: UInt64(seed) &* 7919)
    let bytes = try generator.file(maximum: 8).encoded(codec: .null, sync: Self.sync)
    for _ in 0..<50 {
      var damaged = bytes
      for _ in 0..<(1 + generator.below(4)) {
        damaged[generator.below(damaged.count)] = UInt8(generator.below(256))
      }
      _ = try? AvroFile(reading: damaged)
    }
  }

  private static let huge: [UInt8] = [0xFE] + [UInt8](repeating: 0xFF, count: 8) + [0x01]
  private static let lowest: [UInt8] = [0xFF] + [UInt8](repeating: 0xFF, count: 8) + [0x01]

  @Test(
    "Each kind of damage is named",
    arguments: [
      (#""long""#, 1, [UInt8](repeating: 0x80, count: 11), "a varint of more than 64 bits"),
      (#""long""#, 1, [0x80], "the data ends in a varint"),
      (#""long""#, 1, [0x02, 0x02], "1 bytes after the block's last record"),
      (#""long""#, -1, [0x02], "a block of -1 records"),
      (#""null""#, Int64.max, [], "9223372036854775807 records in a block of 0 bytes"),
      (#""null""#, Int64.min, [], "a block of -9223372036854775808 records"),
      (#""int""#, 1, [0x80, 0x80, 0x80, 0x80, 0x10], "an int of more than 32 bits: 2147483648"),
      (#""string""#, 1, [0x01], "length -1 with 0 bytes left"),
      (#""bytes""#, 1, [0x08, 0x00], "length 4 with 1 bytes left"),
      (#""bytes""#, 1, huge, "length 9223372036854775807 with 0 bytes left"),
      (#""string""#, 1, [0x02, 0xFF], "invalid UTF-8"),
      (#""boolean""#, 1, [0x02], "a boolean of byte 2"),
      (#"["null","int"]"#, 1, [0x04], "index 2 of 2 branches or symbols"),
      (#"["null","int"]"#, 1, [0x01], "index -1 of 2 branches or symbols"),
      (#"{"type":"array","items":"null"}"#, 1, huge, "a count of 9223372036854775807 items"),
      (#"{"type":"array","items":"null"}"#, 1, lowest, "a count of -9223372036854775808 items"),
      (#"{"type":"array","items":"int"}"#, 1, [0x01, 0x04, 0x02, 0x00], "items that end at"),
      (#"{"type":"map","values":"int"}"#, 1, [0x01, 0x01], "items of -1 bytes with 0 left"),
      (#"{"type":"fixed","name":"f","size":9223372036854775807}"#, 1, [0], "bytes with 1 left"),
    ] as [(String, Int64, [UInt8], String)])
  func named(schema: String, count: Int64, data: [UInt8], reason: String) {
    let error = #expect(throws: AvroError.self) {
      try AvroFile(reading: Self.file(schema, count: count, data: data))
    }
    #expect(error?.reason.contains(reason) == true, "\(error?.description ?? "no error")")
  }

  @Test("The path leads to the field at fault")
  func path() throws {
    let inner =
      #"{"type":"record","name":"i","fields":[{"name":"b","type":{"type":"array","#
      + #""items":"string"}}]}"#
    let schema = #"{"type":"record","name":"o","fields":[{"name":"a","type":\#(inner)}]}"#
    let error = #expect(throws: AvroError.self) {
      try AvroFile(reading: Self.file(schema, count: 1, data: [0x04, 0x00, 0x02, 0xFF, 0x00]))
    }
    #expect(error?.path == "a.b[1]")
    #expect(error?.reason == "invalid UTF-8")
  }

  @Test(
    "A codec or magic other than ours is named",
    arguments: [
      (file(#""int""#, codec: "snappy", count: 0, data: []), "'snappy' isn't supported"),
      (file(#""int""#, codec: "deflate", count: 1, data: [0xFF, 0xFF]), "zlib can't inflate"),
      (file(#""int""#, codec: "deflate", count: 0, data: []), "0 bytes can't be a deflated block"),
      ([0x50, 0x41, 0x52, 0x31], "not an Avro file"), ([], "not an Avro file"),
    ] as [([UInt8], String)])
  func header(bytes: [UInt8], reason: String) {
    let error = #expect(throws: AvroError.self) { try AvroFile(reading: bytes) }
    #expect(error?.reason.contains(reason) == true, "\(error?.description ?? "no error")")
  }

  @Test("A wrong sync marker after a block throws")
  func marker() throws {
    var bytes = Self.file(#""int""#, count: 1, data: [0x02])
    bytes[bytes.count - 1] ^= 1
    let error = #expect(throws: AvroError.self) { try AvroFile(reading: bytes) }
    #expect(error?.offset == bytes.count - 16)
  }

  @Test("A block that inflates past its limit throws")
  func bomb() throws {
    let bytes = try Deflate.deflated([UInt8](repeating: 0, count: 1 << 20))
    #expect(bytes.count < 2000)
    let error = #expect(throws: AvroError.self) {
      try Deflate.inflated(bytes[...], limit: 100_000)
    }
    #expect(error?.reason == "a block inflates to more than 100000 bytes")
    #expect(try Deflate.inflated(bytes[...], limit: 1 << 20).count == 1 << 20)
  }

  @Test("Items that take no bytes are limited all the same")
  func emptyItems() throws {
    let data: [UInt8] = [0x80, 0x80, 0x80, 0x08, 0x00]
    let error = #expect(throws: AvroError.self) {
      try AvroFile(
        reading: Self.file(#"{"type":"array","items":"null"}"#, count: 1, data: data))
    }
    #expect(error?.reason.hasPrefix("a count of 8388608 items") == true)
  }
}
