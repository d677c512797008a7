import CParquet
import Ports

/// Rows of a record batch as Arrow's C structs, for the length of one call: neighbours' numbers
/// stay in the Swift arrays, everything else is laid out once.
struct ArrowBatch {
  private let batch: RecordBatch
  private let rows: RowStretches
  private let fieldIDs: [Int]
  private let types: [ArrowType]
  private let arena = ArrowArena()

  /// A batch that fits its schema, with one field id and one type in the file per column.
  init(_ batch: RecordBatch, rows: RowStretches, fieldIDs: [Int], types: [ArrowType]) {
    self.batch = batch
    self.rows = rows
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
          count: rows.count, nullCount: buffers[0] == nil ? 0 : -1, buffers: buffers)
      }
      return body(schema(), arena.array(count: rows.count, buffers: [nil], children: arrays))
    }
  }

  /// The buffers that the arena holds: validity first; the values of 64-bit numbers that stand side
  /// by side are still missing.
  private func owned(
    _ column: RecordBatch.Column, _ type: ArrowType, name: String
  ) throws(ParquetError) -> [UnsafeRawPointer?] {
    let validity = column.validity.map { UnsafeRawPointer(arena.bitmap(rows.pick($0))) }
    switch (column.values, type) {
    case (.integers(let values), .int32), (.integers(let values), .date):
      let narrow = arena.allocate(Int32.self, count: rows.count)
      for (index, row) in rows.joined().enumerated() {
        guard let fitting = Int32(exactly: column.isValid(row) ? values[row] : 0) else {
          throw ParquetError("row \(row)'s \(values[row]) doesn't fit \(type.name)", column: name)
        }
        narrow[index] = fitting
      }
      return [validity, UnsafeRawPointer(narrow)]
    case (.doubles(let values), .float):
      return [
        validity, arena.column(rows.joined().lazy.map { Float(values[$0]) }, count: rows.count),
      ]
    case (.integers, _) where rows.areNeighbours, (.doubles, _) where rows.areNeighbours:
      return [validity]
    case (.integers(let values), _):
      return [validity, arena.column(rows.joined().lazy.map { values[$0] }, count: rows.count)]
    case (.doubles(let values), _):
      return [validity, arena.column(rows.joined().lazy.map { values[$0] }, count: rows.count)]
    case (.booleans(let values), _):
      return [validity, UnsafeRawPointer(arena.bitmap(rows.pick(values)))]
    case (.strings(let values), _):
      let (offsets, bytes) = try strings(values, name: name)
      return [validity, offsets, bytes]
    }
  }

  private func strings(
    _ values: [String], name: String
  ) throws(ParquetError) -> (UnsafeRawPointer, UnsafeRawPointer) {
    var size = 0
    rows.forEachText(values) { size += $1.count }
    guard size <= Int32.max else {
      throw ParquetError(
        "\(size) bytes of text, more than \(Int32.max); write fewer rows at once", column: name)
    }
    let offsets = arena.allocate(Int32.self, count: rows.count + 1)
    let bytes = arena.allocate(UInt8.self, count: size)
    var (index, end) = (0, 0)
    offsets[0] = 0
    rows.forEachText(values) { _, text in
      if let base = text.baseAddress { (bytes + end).update(from: base, count: text.count) }
      end += text.count
      index += 1
      offsets[index] = Int32(truncatingIfNeeded: end)
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
      layouts[index].append(bytes.baseAddress.map { $0 + rows.first * 8 })
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
