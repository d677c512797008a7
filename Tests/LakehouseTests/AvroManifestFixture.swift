@testable import Lakehouse

/// A manifest as Iceberg v2 shapes it, with statistics and one partition field.
enum AvroManifestFixture {
  /// The marker of all files in these tests.
  static let sync = [UInt8](repeating: 0xA5, count: 16)

  private static func statistics(
    _ name: String, id: Int, key: Int, value: Int, of type: AvroSchema
  ) -> AvroField {
    let entry = AvroSchema.record(
      named: "k\(key)_v\(value)",
      fields: [AvroField("key", .int, id: key), AvroField("value", type, id: value)])
    return AvroField(name, .optional(.logical(.map, .array(entry))), id: id)
  }

  private static let dataFile = AvroSchema.record(
    named: "r2",
    fields: [
      AvroField("content", .int, id: 134),
      AvroField("file_path", .string, id: 100),
      AvroField("file_format", .string, id: 101),
      AvroField(
        "partition",
        .record(
          named: "r102",
          fields: [
            AvroField(
              "decided_day", .optional(.logical(AvroLogicalType("date"), .int)), id: 1000)
          ]), id: 102),
      AvroField("record_count", .long, id: 103),
      AvroField("file_size_in_bytes", .long, id: 104),
      statistics("column_sizes", id: 108, key: 117, value: 118, of: .long),
      statistics("value_counts", id: 109, key: 119, value: 120, of: .long),
      statistics("null_value_counts", id: 110, key: 121, value: 122, of: .long),
      statistics("lower_bounds", id: 125, key: 126, value: 127, of: .bytes),
      statistics("upper_bounds", id: 128, key: 129, value: 130, of: .bytes),
      AvroField("key_metadata", .optional(.bytes), id: 131),
      AvroField("split_offsets", .optional(.array(.long, elementID: 133)), id: 132),
      AvroField("equality_ids", .optional(.array(.int, elementID: 136)), id: 135),
      AvroField("sort_order_id", .optional(.int), id: 140),
    ])

  /// `manifest_entry` with its `data_file`.
  static let schema = AvroSchema.record(
    named: "manifest_entry",
    fields: [
      AvroField("status", .int, id: 0),
      AvroField("snapshot_id", .optional(.long), id: 1),
      AvroField("sequence_number", .optional(.long), id: 3),
      AvroField("file_sequence_number", .optional(.long), id: 4),
      AvroField("data_file", dataFile, id: 2),
    ])

  private static func pairs(_ values: [AvroValue]) -> AvroValue {
    .array(
      values.enumerated().map { index, value in
        .record(["key": .int(Int32(index + 1)), "value": value])
      })
  }

  /// One entry; the fields left out may be null.
  static func entry(_ index: Int) -> AvroValue {
    let counts = pairs((0..<4).map { .long(Int64(index * 31 + $0)) })
    let bounds = pairs((0..<4).map { .bytes(Array("bound \(index) \($0)".utf8)) })
    return .record([
      "status": .int(1), "snapshot_id": .long(3_051_729_675_574_597_004 + Int64(index)),
      "data_file": .record([
        "content": .int(0),
        "file_path": .string("s3://lake/decisions/decided_day=2026-01-02/\(index).parquet"),
        "file_format": .string("PARQUET"),
        "partition": .record(["decided_day": .int(20_455)]),
        "record_count": .long(Int64(index) * 100),
        "file_size_in_bytes": .long(Int64(index) * 5000),
        "column_sizes": counts, "value_counts": counts, "null_value_counts": counts,
        "lower_bounds": bounds, "upper_bounds": bounds,
        "split_offsets": .array([.long(4)]),
        "sort_order_id": .int(0),
      ]),
    ])
  }

  /// A manifest of so many entries.
  static func manifest(_ count: Int) -> AvroFile {
    AvroFile(
      schema: schema,
      metadata: ["content": Array("data".utf8), "format-version": Array("2".utf8)],
      records: (0..<count).map(entry))
  }
}
