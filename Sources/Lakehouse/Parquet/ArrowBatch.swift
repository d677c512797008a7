import CParquet
import Ports

/// A record batch as Arrow's C structs, for the length of one call: numbers point into the Swift
/// arrays, strings and bitmaps are laid out once.
struct ArrowBatch {
  private let batch: RecordBatch
  private let fieldIDs: [Int]
  private let types: [ArrowType]
  private let arena = ArrowArena()

  /// A batch that fits its schema, with one field id and one type in the file per column.
  init(_ batch: RecordBatch, fieldIDs: [Int], types: [ArrowType]) {
    self.batch = batch
    self.fieldIDs = fieldIDs
    self.types = types
  }

  /// Calls `body` with structs that mean nothing once it has returned. Throws before that when a
  /// string column is larger than 32-bit offsets reach, or an integer doesn't fit its type.
  func withStructs<Result>(
    _ body: (UnsafeMutablePointer<ArrowSchema>, UnsafeMutablePointer<ArrowArray>) -> Result
  ) throws(ParquetError) -> Result {
    var layouts: [[UnsafeRawPointer?]] = []
    for (index, column) in batch.columns.enumerated() {
      layouts.append(try owned(column, types[index], name: batch.schema.fields[index].name))
    }
    return withBorrowed(layouts, from: 0) { layouts in
      let arrays = zip(batch.columns, layouts).map { column, buffers in
        arena.array(
          count: batch.count, nullCount: buffers[0] == nil ? 0 : -1, buffers: buffers)
      }
      return body(schema(), arena.array(count: batch.count, buffers: [nil], children: arrays))
    }
  }

  /// The buffers that the arena holds: validity first; 64-bit numbers' values are still missing.
  private func owned(
    _ column: RecordBatch.Column, _ type: ArrowType, name: String
  ) throws(ParquetError) -> [UnsafeRawPointer?] {
    let validity = column.validity.map { UnsafeRawPointer(arena.bitmap($0)) }
    switch (column.values, type) {
    case (.integers(let values), .int32), (.integers(let values), .date):
      let narrow = arena.allocate(Int32.self, count: values.count)
      for (row, value) in values.enumerated() {
        guard let fitting = Int32(exactly: column.isValid(row) ? value : 0) else {
          throw ParquetError("row \(row)'s \(value) doesn't fit \(type.name)", column: name)
        }
        narrow[row] = fitting
      }
      return [validity, UnsafeRawPointer(narrow)]
    case (.doubles(let values), .float):
      let narrow = arena.allocate(Float.self, count: values.count)
      for (row, value) in values.enumerated() { narrow[row] = Float(value) }
      return [validity, UnsafeRawPointer(narrow)]
    case (.integers, _), (.doubles, _): return [validity]
    case (.booleans(let values), _): return [validity, UnsafeRawPointer(arena.bitmap(values))]
    case (.strings(let values), _):
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

  /// Adds the 64-bit numbers' own storage, one column a level: each pointer lives in its closure
  /// only.
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
    case .integers(let values) where layouts[index].count == 1: return values.withUnsafeBytes(next)
    case .doubles(let values) where layouts[index].count == 1: return values.withUnsafeBytes(next)
    default: return withBorrowed(layouts, from: index + 1, body)
    }
  }

  private func schema() -> UnsafeMutablePointer<ArrowSchema> {
    let children = batch.schema.fields.enumerated().map { index, field in
      arena.schema(
        format: types[index].format, name: field.name,
        metadata: ArrowMetadata.encode(
          key: ArrowMetadata.fieldIDKey, value: "\(fieldIDs[index])"),
        isNullable: !field.isRequired)
    }
    return arena.schema(format: "+s", name: "", children: children)
  }
}
