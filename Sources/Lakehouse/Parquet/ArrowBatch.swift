import CParquet
import Ports

/// A record batch as Arrow's C structs, for the length of one call: numbers point into the Swift
/// arrays, strings and bitmaps are laid out once.
struct ArrowBatch {
  private let batch: RecordBatch
  private let fieldIDs: [Int]
  private let arena = ArrowArena()

  /// A batch that fits its schema, with one field id per column.
  init(_ batch: RecordBatch, fieldIDs: [Int]) {
    self.batch = batch
    self.fieldIDs = fieldIDs
  }

  /// Calls `body` with structs that mean nothing once it has returned. Throws before that when a
  /// string column is larger than 32-bit offsets reach.
  func withStructs<Result>(
    _ body: (UnsafeMutablePointer<ArrowSchema>, UnsafeMutablePointer<ArrowArray>) -> Result
  ) throws(ParquetError) -> Result {
    var layouts: [[UnsafeRawPointer?]] = []
    for (field, column) in zip(batch.schema.fields, batch.columns) {
      layouts.append(try owned(column, name: field.name))
    }
    return withBorrowed(layouts, from: 0) { layouts in
      let arrays = zip(batch.columns, layouts).map { column, buffers in
        arena.array(
          count: batch.count, nullCount: buffers[0] == nil ? 0 : -1, buffers: buffers)
      }
      return body(schema(), arena.array(count: batch.count, buffers: [nil], children: arrays))
    }
  }

  /// The buffers that the arena holds: validity first; numbers' values are still missing.
  private func owned(
    _ column: RecordBatch.Column, name: String
  ) throws(ParquetError) -> [UnsafeRawPointer?] {
    let validity = column.validity.map { UnsafeRawPointer(arena.bitmap($0)) }
    switch column.values {
    case .integers, .doubles: return [validity]
    case .booleans(let values): return [validity, UnsafeRawPointer(arena.bitmap(values))]
    case .strings(let values):
      let (offsets, bytes) = try strings(values, name: name)
      return [validity, offsets, bytes]
    }
  }

  private func strings(
    _ values: [String], name: String
  ) throws(ParquetError) -> (UnsafeRawPointer, UnsafeRawPointer) {
    let size = values.reduce(0) { $0 + $1.utf8.count }
    guard size <= Int32.max else {
      throw ParquetError(
        "\(size) bytes of text, more than \(Int32.max); write fewer rows at once", column: name)
    }
    let offsets = arena.allocate(Int32.self, count: values.count + 1)
    let bytes = arena.allocate(UInt8.self, count: size)
    var end = 0
    offsets[0] = 0
    for (row, value) in values.enumerated() {
      let start = bytes + end
      let copied: Void? = value.utf8.withContiguousStorageIfAvailable { source in
        if let base = source.baseAddress { start.update(from: base, count: source.count) }
      }
      if copied == nil {
        for (index, byte) in value.utf8.enumerated() { start[index] = byte }
      }
      end += value.utf8.count
      offsets[row + 1] = Int32(truncatingIfNeeded: end)
    }
    return (UnsafeRawPointer(offsets), UnsafeRawPointer(bytes))
  }

  /// Adds the numbers' own storage, one column a level: each pointer lives in its closure only.
  private func withBorrowed<Result>(
    _ layouts: [[UnsafeRawPointer?]], from index: Int,
    _ body: ([[UnsafeRawPointer?]]) -> Result
  ) -> Result {
    guard index < layouts.count else { return body(layouts) }
    func next(_ bytes: UnsafeRawBufferPointer) -> Result {
      var layouts = layouts
      layouts[index].append(bytes.baseAddress)
      return withBorrowed(layouts, from: index + 1, body)
    }
    switch batch.columns[index].values {
    case .integers(let values): return values.withUnsafeBytes(next)
    case .doubles(let values): return values.withUnsafeBytes(next)
    case .strings, .booleans: return withBorrowed(layouts, from: index + 1, body)
    }
  }

  private func schema() -> UnsafeMutablePointer<ArrowSchema> {
    let children = zip(batch.schema.fields, fieldIDs).map { field, id in
      arena.schema(
        format: Self.format(field.type), name: field.name,
        metadata: ArrowMetadata.encode(key: ArrowMetadata.fieldIDKey, value: "\(id)"),
        isNullable: !field.isRequired)
    }
    return arena.schema(format: "+s", name: "", children: children)
  }

  private static func format(_ type: TableSchema.ColumnType) -> String {
    switch type {
    case .string: "u"
    case .int64: "l"
    case .double: "g"
    case .boolean: "b"
    case .timestamp: "tsu:UTC"
    }
  }
}
