/// What one file may cost at most, whatever its bytes claim.
struct AvroLimits: Hashable, Sendable {
  /// One block's data in bytes, inflated.
  var blockBytes = 64 << 20
  /// All blocks' data in bytes, inflated.
  var fileBytes = 256 << 20
  /// All values of a file, a record counting as one more than its fields.
  var values = 16 << 20

  /// Values a file may hold before its bytes are counted: room for those that take no byte.
  static let freeValues = 65_536
  /// Values each byte of data may hold: containers count too, so more than one.
  static let valuesPerByte = 8
  /// Levels of nesting in a schema with its named types resolved.
  static let schemaDepth = 128
  /// Types in a schema with its named types resolved.
  static let schemaNodes = 65_536
}
