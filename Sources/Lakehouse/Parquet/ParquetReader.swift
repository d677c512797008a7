import CParquet
import Ports

extension ParquetFile {
  /// How a file is read.
  public struct ReadOptions: Hashable, Sendable {
    /// The most bytes that Arrow may hold while it decodes a row group: what a forged size in a
    /// broken file can cost.
    public var memoryLimit = 2 << 30

    /// Two gibibytes.
    public init() {}
  }

  /// A file opened in memory: its footer is parsed once, its columns a row group at a time.
  ///
  /// Several threads may read columns at once. Broken bytes are an error, here or at the column
  /// they hit. Pages that carry checksums, as
  /// ``ParquetFile/encode(_:fieldIDs:options:)`` writes them, are checked against them.
  public final class Reader: Sendable {
    /// The top-level columns, in the file's order.
    public let fields: [ParquetField]
    /// How many rows each row group has.
    public let rowGroupRows: [Int]
    private let bytes: [UInt8]
    private let footer: Footer
    private let positions: [Int: Int]

    /// Opens the file that `bytes` hold; they are kept, not copied.
    public init(
      _ bytes: [UInt8], options: ReadOptions = ReadOptions()
    ) throws(ParquetError) {
      let footer = try Footer(bytes, options: options)
      let fields = try footer.fields()
      var positions: [Int: Int] = [:]
      for (position, field) in fields.enumerated() {
        guard let id = field.fieldID else { continue }
        if let other = positions.updateValue(position, forKey: id) {
          throw ParquetError(
            "field id \(id) is column \(fields[other].name)'s already", column: field.name)
        }
      }
      self.bytes = bytes
      self.footer = footer
      self.fields = fields
      self.positions = positions
      rowGroupRows = footer.rowGroupRows()
    }

    /// How many rows the file has.
    public var rowCount: Int { rowGroupRows.reduce(0, +) }

    /// The columns with these field ids in one row group. An id that the file doesn't have, as
    /// after a column was added to the table, isn't in the result.
    public func read(
      rowGroup: Int, fieldIDs: [Int]
    ) throws(ParquetError) -> [Int: RecordBatch.Column] {
      let found = fieldIDs.filter { positions[$0] != nil }
      let columns = try read(rowGroup: rowGroup, positions: found.compactMap { positions[$0] })
      return Dictionary(zip(found, columns)) { first, _ in first }
    }

    /// The columns at these positions of ``fields`` in one row group: the way into files without
    /// field ids, once a name mapping has picked the positions.
    public func read(
      rowGroup: Int, positions: [Int]
    ) throws(ParquetError) -> [RecordBatch.Column] {
      guard rowGroupRows.indices.contains(rowGroup) else {
        throw ParquetError("row group \(rowGroup) of \(rowGroupRows.count)")
      }
      let wanted = Set(positions).sorted()
      var leaves: [Int32] = []
      for position in wanted {
        guard fields.indices.contains(position) else {
          throw ParquetError("position \(position) of \(fields.count) columns")
        }
        leaves.append(try leaf(at: position))
      }
      guard !leaves.isEmpty else { return [] }
      var columns: [RecordBatch.Column] = []
      try decode(rowGroup: rowGroup, leaves: leaves) { _, column throws(ParquetError) in
        columns.append(try column.decoded())
      }
      let byPosition = Dictionary(uniqueKeysWithValues: zip(wanted, columns))
      return positions.compactMap { byPosition[$0] }
    }

    /// Appends the columns at these positions, each named once, of one row group to others of the
    /// same kinds.
    func append(
      rowGroup: Int, positions: [Int], to columns: inout [RecordBatch.Column]
    ) throws(ParquetError) {
      let order = positions.indices.sorted { positions[$0] < positions[$1] }
      var leaves: [Int32] = []
      for index in order { leaves.append(try leaf(at: positions[index])) }
      try decode(rowGroup: rowGroup, leaves: leaves) { index, column throws(ParquetError) in
        try column.append(to: &columns[order[index]])
      }
    }

    /// Gives the columns at these positions of one row group, at most `rows` rows at a time.
    func batches(
      rowGroup: Int, positions: [Int], rows: Int,
      _ body: ([RecordBatch.Column]) throws(ParquetError) -> Void
    ) throws(ParquetError) {
      let wanted = Set(positions).sorted()
      var leaves: [Int32] = []
      for position in wanted { leaves.append(try leaf(at: position)) }
      let left = try withBytes { bytes throws(ParquetError) in
        var opened: OpaquePointer?
        try ParquetError.check(
          parquet_batches_open(
            footer.pointer, bytes.baseAddress, Int64(bytes.count), Int32(rowGroup), leaves,
            Int32(leaves.count), Int64(rows), &opened))
        guard let opened else { throw ParquetError("the row group opened as nothing") }
        defer { parquet_batches_close(opened) }
        var left = rowGroupRows[rowGroup]
        while let columns = try next(opened, leaves.count) {
          let byPosition = Dictionary(uniqueKeysWithValues: zip(wanted, columns))
          left -= columns.first?.values.count ?? 0
          try body(positions.compactMap { byPosition[$0] })
        }
        return left
      }
      guard left == 0 else {
        throw ParquetError("row group \(rowGroup) lacks \(left) of its rows")
      }
    }

    /// The next rows of each leaf; nil at the end.
    private func next(
      _ batches: OpaquePointer, _ count: Int
    ) throws(ParquetError) -> [RecordBatch.Column]? {
      var schema = ArrowSchema()
      var array = ArrowArray()
      defer {
        array.release?(&array)
        schema.release?(&schema)
      }
      try ParquetError.check(parquet_batches_next(batches, &schema, &array))
      guard array.release != nil else { return nil }
      return try Self.columns(array, schema, count).map { column throws(ParquetError) in
        try column.decoded()
      }
    }

    /// Runs `body` on the file's bytes, which stay where they are meanwhile.
    private func withBytes<Value>(
      _ body: (UnsafeBufferPointer<UInt8>) throws(ParquetError) -> Value
    ) throws(ParquetError) -> Value {
      try bytes.withUnsafeBufferPointer { bytes throws(ParquetError) in try body(bytes) }
    }

    /// The children of a struct array, which must be so many.
    private static func columns(
      _ array: ArrowArray, _ schema: ArrowSchema, _ count: Int
    ) throws(ParquetError) -> [ArrowColumn] {
      guard array.n_children == count, schema.n_children == count else {
        throw ParquetError("\(array.n_children) columns decoded, not \(count)")
      }
      return try (0..<count).map { index throws(ParquetError) in
        guard let array = array.children[index], let schema = schema.children[index] else {
          throw ParquetError("column \(index) wasn't decoded")
        }
        return ArrowColumn(array.pointee, schema.pointee)
      }
    }

    private func leaf(at position: Int) throws(ParquetError) -> Int32 {
      let leaf = parquet_leaf(footer.pointer, Int32(position))
      guard fields[position].columnType != nil, leaf >= 0 else {
        throw ParquetError(
          "\(fields[position].typeName) can't be read into a record batch",
          column: fields[position].name)
      }
      return leaf
    }

    /// Gives each of the leaves' columns, in their order.
    private func decode(
      rowGroup: Int, leaves: [Int32],
      _ body: (Int, ArrowColumn) throws(ParquetError) -> Void
    ) throws(ParquetError) {
      var schema = ArrowSchema()
      var array = ArrowArray()
      defer {
        array.release?(&array)
        schema.release?(&schema)
      }
      var group = Int32(rowGroup)
      let error = bytes.withUnsafeBufferPointer { bytes in
        parquet_read(
          footer.pointer, bytes.baseAddress, Int64(bytes.count), &group, 1, leaves,
          Int32(leaves.count), &schema, &array)
      }
      try ParquetError.check(error)
      for (index, column) in try Self.columns(array, schema, leaves.count).enumerated() {
        guard column.count == rowGroupRows[rowGroup] else {
          throw ParquetError(
            "\(column.count) values in row group \(rowGroup) of \(rowGroupRows[rowGroup]) rows",
            column: column.name)
        }
        try body(index, column)
      }
    }
  }

  /// Owns the shim's reader: what is left of a file once its footer is parsed.
  private final class Footer: Sendable {
    /// The shim's handle, valid as long as the footer. The shim lets several threads read with it.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Parses the end of `bytes`.
    init(_ bytes: [UInt8], options: ReadOptions) throws(ParquetError) {
      var native = parquet_read_options(
        memory_limit: Int64(options.memoryLimit))
      var opened: OpaquePointer?
      let error = bytes.withUnsafeBufferPointer { bytes in
        parquet_open(bytes.baseAddress, Int64(bytes.count), &native, &opened)
      }
      try ParquetError.check(error)
      guard let opened else { throw ParquetError("the file opened as nothing") }
      pointer = opened
    }

    deinit { parquet_close(pointer) }

    /// The top-level columns.
    func fields() throws(ParquetError) -> [ParquetField] {
      var schema = ArrowSchema()
      try ParquetError.check(parquet_schema(pointer, &schema))
      defer { schema.release?(&schema) }
      return (0..<Int(schema.n_children)).compactMap { index in
        schema.children[index].map { ParquetField($0.pointee) }
      }
    }

    /// How many rows each row group has.
    func rowGroupRows() -> [Int] {
      (0..<parquet_row_group_count(pointer)).map { Int(parquet_row_group_rows(pointer, $0)) }
    }
  }
}
