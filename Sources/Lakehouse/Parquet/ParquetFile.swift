import CParquet
import Ports

/// Parquet files in memory, written and read by Arrow C++.
///
/// The same batch and options give the same bytes, on any machine with the same Arrow.
public enum ParquetFile {
  /// How a file is written.
  public struct WriteOptions: Hashable, Sendable {
    /// Zstandard's level, 1 (fast) to 22 (small); 0 compresses nothing.
    public var compressionLevel = 3
    /// The most rows of a row group: what a reader has to hold at once.
    public var rowGroupRows = 1 << 20
    /// The most bytes of a column's dictionary in a row group, after which values are written
    /// plain; 0 turns dictionaries off. Arrow's default: twice that, Iceberg's, made files of
    /// windows larger and slower to write, for timestamps fill a dictionary that then is given up.
    public var dictionaryBytes = 1 << 20

    /// Level 3, row groups of about a million rows, dictionaries of a mebibyte.
    public init() {}
  }

  /// Encodes a batch as one file: format 2.6, zstd, dictionaries, statistics, page checksums,
  /// timestamps in microseconds UTC, and `fieldIDs`, one per column, as Iceberg looks them up.
  public static func encode(
    _ batch: RecordBatch, fieldIDs: [Int], options: WriteOptions = WriteOptions()
  ) throws(ParquetError) -> [UInt8] {
    let types = batch.schema.fields.compactMap { IcebergType.named($0.type.rawValue).stored }
    return try encode(
      batch, rows: RowStretches(of: batch), fieldIDs: fieldIDs, stored: types, options: options)
  }

  /// Encodes rows of a batch whose integers and doubles the file may hold in other types, one per
  /// column.
  static func encode(
    _ batch: RecordBatch, rows: RowStretches, fieldIDs: [Int], stored types: [ArrowType],
    options: WriteOptions = WriteOptions()
  ) throws(ParquetError) -> [UInt8] {
    try check(batch, fieldIDs: fieldIDs)
    guard types.count == batch.columns.count else {
      throw ParquetError("\(types.count) types for \(batch.columns.count) columns")
    }
    var native = try native(options)
    var file = parquet_buffer()
    defer { parquet_buffer_free(&file) }
    let arrow = ArrowBatch(batch, rows: rows, fieldIDs: fieldIDs, types: types)
    let error = try arrow.withStructs { schema, array in
      parquet_write(schema, array, &native, &file)
    }
    try ParquetError.check(error)
    return Array(UnsafeBufferPointer(start: file.bytes, count: Int(file.size)))
  }

  private static func check(_ batch: RecordBatch, fieldIDs: [Int]) throws(ParquetError) {
    if let mismatch = batch.mismatch { throw ParquetError(mismatch) }
    guard !batch.columns.isEmpty else { throw ParquetError("a file needs a column") }
    guard fieldIDs.count == batch.columns.count else {
      throw ParquetError("\(fieldIDs.count) field ids for \(batch.columns.count) columns")
    }
    var seen: [Int: String] = [:]
    for (field, id) in zip(batch.schema.fields, fieldIDs) {
      guard (0...Int(Int32.max)).contains(id) else {
        throw ParquetError("field id \(id) isn't in 0...\(Int32.max)", column: field.name)
      }
      if let other = seen.updateValue(field.name, forKey: id) {
        throw ParquetError("field id \(id) is column \(other)'s already", column: field.name)
      }
      guard !field.name.utf8.contains(0) else {
        throw ParquetError("the name holds a zero byte", column: field.name)
      }
    }
  }

  private static func native(
    _ options: WriteOptions
  ) throws(ParquetError) -> parquet_write_options {
    guard (0...22).contains(options.compressionLevel) else {
      throw ParquetError("compression level \(options.compressionLevel) isn't in 0...22")
    }
    guard options.rowGroupRows >= 1 else {
      throw ParquetError("row groups of \(options.rowGroupRows) rows; give 1 or more")
    }
    guard options.dictionaryBytes >= 0 else {
      throw ParquetError("dictionaries of \(options.dictionaryBytes) bytes; give 0 or more")
    }
    return parquet_write_options(
      compression_level: Int32(options.compressionLevel),
      row_group_rows: Int64(options.rowGroupRows),
      dictionary_bytes: Int64(options.dictionaryBytes),
      threaded_rows: Int64(Parallel.leastRows))
  }
}
