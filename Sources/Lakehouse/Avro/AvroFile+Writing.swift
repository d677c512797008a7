extension AvroFile {
  /// A block is closed once it holds so many bytes before its codec.
  private static let blockBytes = 65_536
  /// A block is closed once it holds so many records.
  private static let blockRecords = 1000

  /// The file's bytes: equal for equal files, codecs and markers (and, with `deflate`, the same
  /// build of zlib).
  ///
  /// `sync` is the marker of 16 bytes after each block; the caller picks it, since readers only
  /// need it to be unlikely in the data. Throws when a record isn't of the schema's type, or when
  /// the schema can't be spelled in JSON so that readers get it back.
  func encoded(codec: Codec = .deflate, sync: [UInt8]) throws(AvroError) -> [UInt8] {
    guard sync.count == Self.syncLength else {
      throw AvroError("a sync marker of \(sync.count) bytes, not \(Self.syncLength)")
    }
    var file = AvroEncoder()
    file.raw(Self.magic)
    try appendHeader(codec: codec, to: &file)
    file.raw(sync)
    var block = AvroEncoder()
    var count = 0
    for (index, record) in records.enumerated() {
      do { try block.value(record, schema) } catch {
        throw AvroError("record \(index): \(error.reason)", path: error.path, offset: error.offset)
      }
      count += 1
      let isFull = count == Self.blockRecords || block.bytes.count >= Self.blockBytes
      guard isFull || index == records.count - 1 else { continue }
      file.long(Int64(count))
      file.byteString(codec == .deflate ? try Deflate.deflated(block.bytes) : block.bytes)
      file.raw(sync)
      block.removeAll()
      count = 0
    }
    return file.bytes
  }

  /// The metadata as a map: schema and codec first, the rest by key.
  private func appendHeader(codec: Codec, to file: inout AvroEncoder) throws(AvroError) {
    file.long(Int64(metadata.count + 2))
    file.string(Self.schemaKey)
    file.string(try schemaText())
    file.string(Self.codecKey)
    file.string(codec.rawValue)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      guard key != Self.schemaKey, key != Self.codecKey else {
        throw AvroError("the metadata key '\(key)' is the format's own", path: "header")
      }
      file.string(key)
      file.byteString(value)
    }
    file.long(0)
  }

  /// Texts of schemas that were spelled before: many files share one.
  private static let spelled = Memo<AvroSchema, String>(limit: 256)

  /// The schema's JSON, once read back: a type defined twice, or a name missing, shows here and not
  /// in a reader.
  private func schemaText() throws(AvroError) -> String {
    try Self.spelled.value(for: schema, checkedText)
  }

  private func checkedText() throws(AvroError) -> String {
    let text = schema.json
    let parsed: AvroSchema
    do { parsed = try AvroSchema(json: text) } catch { throw error.inside("avro.schema") }
    guard parsed == schema else {
      throw AvroError("the schema can't be spelled in JSON: \(text)", path: "avro.schema")
    }
    return text
  }
}
