import Testing

@testable import Lakehouse

@Suite("Avro schemas are read as written")
struct AvroSchemaTests {
  @Test("Iceberg's attributes survive a reading and a printing")
  func attributes() throws {
    let schema = try AvroSchema(json: AvroManifestFixture.schema.json)
    #expect(schema == AvroManifestFixture.schema)
    let parts = [
      #"{"name":"snapshot_id","type":["null","long"],"default":null,"field-id":1}"#,
      #""logicalType":"map""#, #""element-id":133"#, #"{"type":"int","logicalType":"date"}"#,
    ]
    for part in parts { #expect(schema.json.contains(part), "\(part)") }
  }

  @Test("A name stands for the type defined before, within its namespace")
  func references() throws {
    let text = """
      {"type":"record","name":"r","namespace":"a.b","fields":[
        {"name":"x","type":{"type":"fixed","name":"f","size":2,"logicalType":"uuid"}},
        {"name":"y","type":"f"},{"name":"z","type":["null","a.b.f"]},
        {"name":"w","type":{"type":{"type":"map","values":"f","key-id":1,"value-id":2}}}]}
      """
    let fixed = AvroSchema.logical(AvroLogicalType("uuid"), .fixed(name: "a.b.f", size: 2))
    let record = try #require(AvroSchema(json: text).recordSchema)
    #expect(record.name == "a.b.r")
    let expected: [AvroSchema] = [
      fixed, fixed, .optional(fixed), .map(fixed, keyID: 1, valueID: 2),
    ]
    #expect(record.fields.map(\.schema) == expected)
  }

  @Test(
    "A schema that isn't one is refused",
    arguments: [
      ("", "JSON ends"), ("nul", "misspelt"), ("{", "key is missing"), ("7", "a schema is a name"),
      (#""int" 1"#, "text after"), (#""integer""#, "no type is named"), ("[]", "without branches"),
      (#"["int","int"]"#, "twice"), (#"["int",["null"]]"#, "directly in a union"),
      (#"{"type":"array"}"#, "without 'items'"), (#"{"name":"x"}"#, "without 'type'"),
      (#"{"type":"fixed","name":"x","size":-1}"#, "lacks a size"),
      (#"{"type":"fixed","name":"int","size":1}"#, "is taken"),
      (#"{"type":"enum","name":"x","symbols":["A","A"]}"#, "a symbol twice"),
      (#"{"type":"record","name":"x"}"#, "lacks its fields"),
      (
        #"{"type":"record","name":"x","fields":[{"name":"a","type":["null","x"]}]}"#,
        "contains itself"
      ), (#""\ud800""#, "surrogate"), (#""\q""#, "unknown escape"), (#""a"#, "isn't closed"),
      (String(repeating: "[", count: 100_000), "nests deeper"),
      (
        String(repeating: #"{"type":"#, count: 400) + "1" + String(repeating: "}", count: 400),
        "nests deeper"
      ),
    ])
  func refused(text: String, reason: String) {
    let error = #expect(throws: AvroError.self) { try AvroSchema(json: text) }
    #expect(error?.reason.contains(reason) == true, "\(error?.description ?? "no error")")
  }

  @Test("A short text that stands for a huge tree is refused")
  func doubling() {
    var fields = [#"{"name":"f0","type":{"type":"record","name":"r0","fields":[]}}"#]
    for level in 1..<60 {
      let pair = #"[{"name":"a","type":"r\#(level - 1)"},{"name":"b","type":"r\#(level - 1)"}]"#
      fields.append(
        #"{"name":"f\#(level)","type":{"type":"record","name":"r\#(level)","fields":\#(pair)}}"#)
    }
    let text = #"{"type":"record","name":"top","fields":[\#(fields.joined(separator: ","))]}"#
    let error = #expect(throws: AvroError.self) { try AvroSchema(json: text) }
    #expect(error?.reason.hasPrefix("the schema is too large") == true)
  }

  @Test("A type name with two meanings can't be written")
  func twoMeanings() {
    let schema = AvroSchema.record(
      named: "r",
      fields: [
        AvroField("a", .fixed(name: "f", size: 1)), AvroField("b", .fixed(name: "f", size: 2)),
      ])
    let error = #expect(throws: AvroError.self) {
      try AvroFile(schema: schema).encoded(sync: AvroManifestFixture.sync)
    }
    #expect(error?.path == "avro.schema.b")
  }

  @Test("A name without a namespace can't be referred to within one")
  func unspellable() throws {
    let plain = AvroSchema.fixed(name: "f", size: 1)
    let once = AvroSchema.record(named: "a.r", fields: [AvroField("x", plain)])
    let twice = AvroSchema.record(
      named: "a.r", fields: [AvroField("x", plain), AvroField("y", plain)])
    let bytes = try AvroFile(schema: once).encoded(sync: AvroManifestFixture.sync)
    #expect(try AvroFile(reading: bytes).schema == once)
    let error = #expect(throws: AvroError.self) {
      try AvroFile(schema: twice).encoded(sync: AvroManifestFixture.sync)
    }
    #expect(error?.description.contains("y: no type is named 'a.f'") == true)
  }
}
