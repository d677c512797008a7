/// An Avro object container file (spec 1.11, Object Container Files) in memory.
struct AvroFile: Hashable, Sendable {
  /// How a file's blocks are stored.
  enum Codec: String, Hashable, Sendable {
    /// As they are.
    case null
    /// Raw deflate.
    case deflate
  }

  /// The type of every record.
  var schema: AvroSchema
  /// The header's keys and values, without `avro.schema` and `avro.codec`.
  var metadata: [String: [UInt8]]
  /// The values, of the schema's type.
  var records: [AvroValue]

  /// A file to write.
  init(schema: AvroSchema, metadata: [String: [UInt8]] = [:], records: [AvroValue] = []) {
    self.schema = schema
    self.metadata = metadata
    self.records = records
  }

  /// `Obj` and the format's version.
  static let magic: [UInt8] = [0x4F, 0x62, 0x6A, 0x01]
  /// The length of the marker after the header and each block.
  static let syncLength = 16
  /// The header's key for the schema's JSON.
  static let schemaKey = "avro.schema"
  /// The header's key for the codec's name.
  static let codecKey = "avro.codec"
}
