/// Why Avro bytes can't be read, or a value can't be written.
struct AvroError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was wrong, with the value seen.
  var reason: String
  /// The field at fault from the record's root, like `data_file.lower_bounds[3].value`; for a
  /// schema, the types and fields that lead there. Empty for the file itself.
  var path: String
  /// The byte of the input where it went wrong: of the file, or of the schema's text. In a deflated
  /// block it is the block's first byte, and the reason names the byte of the inflated block. When
  /// writing it is the number of bytes written before.
  var offset: Int

  /// An error at one byte, with no path yet.
  init(_ reason: String, path: String = "", offset: Int = 0) {
    self.reason = reason
    self.path = path
    self.offset = offset
  }

  /// The same error seen from the record, array or map that contains the value at fault: `step` is
  /// a field's name, or an index or key in brackets.
  func inside(_ step: String) -> AvroError {
    let joint = path.isEmpty || path.hasPrefix("[") ? "" : "."
    return AvroError(reason, path: step + joint + path, offset: offset)
  }

  /// `avro: data_file.file_path: invalid UTF-8 (byte 1234)`.
  var description: String {
    "avro: \(path.isEmpty ? "" : path + ": ")\(reason) (byte \(offset))"
  }
}
