extension AvroFile {
  /// The file that `bytes` hold, read by its own schema. Throws at anything malformed, and at a
  /// file that would cost more than `limits`. A file cut exactly between two blocks is a shorter
  /// file.
  init(reading bytes: [UInt8], limits: AvroLimits = AvroLimits()) throws(AvroError) {
    let reader = try AvroFileReader(bytes, limits: limits)
    self.init(schema: reader.schema, metadata: reader.metadata)
    records = try reader.records()
  }
}

/// The header of a file, and the way to its records.
private struct AvroFileReader {
  let schema: AvroSchema
  let metadata: [String: [UInt8]]
  private let bytes: [UInt8]
  private let limits: AvroLimits
  private let codec: AvroFile.Codec
  private let sync: ArraySlice<UInt8>
  private let body: Range<Int>

  init(_ bytes: [UInt8], limits: AvroLimits) throws(AvroError) {
    guard bytes.starts(with: AvroFile.magic) else {
      throw AvroError("not an Avro file: it doesn't start with 'Obj' and 1")
    }
    let range = AvroFile.magic.count..<bytes.count
    var decoder = AvroDecoder(bytes, range: range, allowance: bytes.count + 1)
    var metadata: [String: [UInt8]] = [:]
    do {
      for case (let key, .bytes(let value)) in try decoder.map(.bytes) { metadata[key] = value }
      sync = try decoder.raw(AvroFile.syncLength)
    } catch { throw error.inside("header") }
    body = decoder.offset..<bytes.count
    codec = try Self.codec(metadata.removeValue(forKey: AvroFile.codecKey))
    guard let text = metadata.removeValue(forKey: AvroFile.schemaKey) else {
      throw AvroError("the header lacks 'avro.schema'")
    }
    do { schema = try Self.schema(text) } catch { throw error.inside("avro.schema") }
    self.metadata = metadata
    self.bytes = bytes
    self.limits = limits
  }

  /// Schemas that were read before, by their texts: a table's manifests share one.
  private static let schemas = Memo<SchemaText, AvroSchema>(limit: 256)
  /// The longest text that is kept, in bytes.
  private static let longestKept = 65_536

  private static func schema(_ bytes: [UInt8]) throws(AvroError) -> AvroSchema {
    guard bytes.count <= longestKept else { return try AvroSchema(json: bytes) }
    return try schemas.value(for: SchemaText(bytes: bytes)) { () throws(AvroError) in
      try AvroSchema(json: bytes)
    }
  }

  /// A text byte for byte: as a string it would equal one that spells an accent otherwise.
  private struct SchemaText: Hashable {
    let bytes: [UInt8]

    func hash(into hasher: inout Hasher) {
      bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
  }

  private static func codec(_ name: [UInt8]?) throws(AvroError) -> AvroFile.Codec {
    let name = name.map { String(decoding: $0, as: UTF8.self) } ?? "null"
    guard let codec = AvroFile.Codec(rawValue: name) else {
      throw AvroError("the codec '\(name)' isn't supported: only null and deflate are")
        .inside("avro.codec")
    }
    return codec
  }

  /// Every block's records, in order.
  func records() throws(AvroError) -> [AvroValue] {
    var records: [AvroValue] = []
    var frames = AvroDecoder(bytes, range: body, allowance: 0)
    var bytesLeft = limits.fileBytes
    var values = Allowance(limits)
    while frames.remaining > 0 {
      let start = frames.offset
      let count = try frames.long()
      guard count >= 0 else { throw AvroError("a block of \(count) records", offset: start) }
      let size = try frames.byteString().count
      let data = frames.offset - size..<frames.offset
      guard try frames.raw(AvroFile.syncLength).elementsEqual(sync) else {
        throw AvroError(
          "the block isn't followed by the file's sync marker", offset: frames.offset - 16)
      }
      let limit = min(limits.blockBytes, bytesLeft)
      switch codec {
      case .null:
        guard size <= limit else {
          throw AvroError("a block of \(size) bytes, more than the \(limit) left", offset: start)
        }
        bytesLeft -= size
        try append(count, of: bytes, data, to: &records, &values)
      case .deflate:
        do {
          let inflated = try Deflate.inflated(bytes[data], limit: limit)
          bytesLeft -= inflated.count
          try append(count, of: inflated, inflated.indices, to: &records, &values)
        } catch {
          let reason = "\(error.reason) (byte \(error.offset) of the inflated block)"
          throw AvroError(reason, path: error.path, offset: data.lowerBound)
        }
      }
    }
    return records
  }

  /// One block's records.
  private func append(
    _ count: Int64, of bytes: [UInt8], _ range: Range<Int>, to records: inout [AvroValue],
    _ values: inout Allowance
  ) throws(AvroError) {
    values.grant(bytes: range.count)
    var decoder = AvroDecoder(bytes, range: range, allowance: values.count)
    guard count <= Int64(values.count) else {
      throw decoder.failure("\(count) records in a block of \(range.count) bytes")
    }
    for _ in 0..<count { records.append(try decoder.value(schema)) }
    guard decoder.remaining == 0 else {
      throw decoder.failure("\(decoder.remaining) bytes after the block's last record")
    }
    values.count = decoder.allowance
  }

  /// How many values the rest of a file may hold: it grows with the bytes seen, up to a limit.
  private struct Allowance {
    var count: Int
    private var ungranted: Int

    init(_ limits: AvroLimits) {
      count = min(limits.values, AvroLimits.freeValues)
      ungranted = limits.values - count
    }

    mutating func grant(bytes: Int) {
      let grant = min(ungranted, bytes * AvroLimits.valuesPerByte)
      ungranted -= grant
      count += grant
    }
  }
}
