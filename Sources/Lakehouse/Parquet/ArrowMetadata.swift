/// A field's metadata in Arrow's C data interface: a count, then keys and values, each with its
/// length before it; all numbers are 32 bits in the machine's order.
enum ArrowMetadata {
  /// Where Arrow's Parquet writer and reader keep the field id.
  static let fieldIDKey = "PARQUET:field_id"

  /// One pair.
  static func encode(key: String, value: String) -> [UInt8] {
    var bytes: [UInt8] = []
    append(1, to: &bytes)
    for text in [key, value] {
      append(Int32(text.utf8.count), to: &bytes)
      bytes.append(contentsOf: text.utf8)
    }
    return bytes
  }

  /// The value of `key`, or nil. `metadata` comes from Arrow, so its lengths are right.
  static func value(of key: String, in metadata: UnsafePointer<CChar>?) -> String? {
    guard let metadata else { return nil }
    var position = UnsafeRawPointer(metadata)
    func number() -> Int {
      defer { position += MemoryLayout<Int32>.size }
      return Int(position.loadUnaligned(as: Int32.self))
    }
    func text() -> String {
      let count = number()
      defer { position += count }
      return String(decoding: UnsafeRawBufferPointer(start: position, count: count), as: UTF8.self)
    }
    for _ in 0..<number() {
      let found = text()
      let value = text()
      if found == key { return value }
    }
    return nil
  }

  private static func append(_ number: Int32, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
  }
}
