/// The Avro schemas of manifests and manifest lists (spec, "Manifests" and "Manifest Lists").
enum ManifestSchema {
  /// `manifest_file`: an entry of a manifest list.
  static let list: AvroRecordSchema = AvroRecordSchema(
    name: "manifest_file",
    fields: [
      AvroField("manifest_path", .string, id: 500), AvroField("manifest_length", .long, id: 501),
      AvroField("partition_spec_id", .int, id: 502), AvroField("content", .int, id: 517),
      AvroField("sequence_number", .long, id: 515),
      AvroField("min_sequence_number", .long, id: 516),
      AvroField("added_snapshot_id", .long, id: 503),
      AvroField("added_files_count", .int, id: 504),
      AvroField("existing_files_count", .int, id: 505),
      AvroField("deleted_files_count", .int, id: 506),
      AvroField("added_rows_count", .long, id: 512),
      AvroField("existing_rows_count", .long, id: 513),
      AvroField("deleted_rows_count", .long, id: 514),
      AvroField(
        "partitions", .optional(.array(.record(summary), elementID: 508)), id: 507),
      AvroField("key_metadata", .optional(.bytes), id: 519),
    ])

  /// `field_summary`: one dimension's values over a manifest.
  static let summary = AvroRecordSchema(
    name: "r508",
    fields: [
      AvroField("contains_null", .boolean, id: 509),
      AvroField("contains_nan", .optional(.boolean), id: 518),
      AvroField("lower_bound", .optional(.bytes), id: 510),
      AvroField("upper_bound", .optional(.bytes), id: 511),
    ])

  /// `manifest_entry` for files of a partition spec.
  static func entry(_ spec: PartitionSpec, _ table: TableMetadata) -> AvroRecordSchema {
    AvroRecordSchema(
      name: "manifest_entry",
      fields: [
        AvroField("status", .int, id: 0),
        AvroField("snapshot_id", .optional(.long), id: 1),
        AvroField("sequence_number", .optional(.long), id: 3),
        AvroField("file_sequence_number", .optional(.long), id: 4),
        AvroField("data_file", .record(dataFile(spec, table)), id: 2),
      ])
  }

  /// `data_file`.
  private static func dataFile(_ spec: PartitionSpec, _ table: TableMetadata) -> AvroRecordSchema {
    AvroRecordSchema(
      name: "r2",
      fields: [
        AvroField("content", .int, id: 134), AvroField("file_path", .string, id: 100),
        AvroField("file_format", .string, id: 101),
        AvroField("partition", .record(partition(spec, table)), id: 102),
        AvroField("record_count", .long, id: 103),
        AvroField("file_size_in_bytes", .long, id: 104),
        AvroField("column_sizes", .optional(counts(117, 118)), id: 108),
        AvroField("value_counts", .optional(counts(119, 120)), id: 109),
        AvroField("null_value_counts", .optional(counts(121, 122)), id: 110),
        AvroField("nan_value_counts", .optional(counts(138, 139)), id: 137),
        AvroField("lower_bounds", .optional(map(126, 127, .bytes)), id: 125),
        AvroField("upper_bounds", .optional(map(129, 130, .bytes)), id: 128),
        AvroField("key_metadata", .optional(.bytes), id: 131),
        AvroField("split_offsets", .optional(.array(.long, elementID: 133)), id: 132),
        AvroField("equality_ids", .optional(.array(.int, elementID: 136)), id: 135),
        AvroField("sort_order_id", .optional(.int), id: 140),
        AvroField("referenced_data_file", .optional(.string), id: 143),
      ])
  }

  /// The partition's values; each may be null.
  private static func partition(
    _ spec: PartitionSpec, _ table: TableMetadata
  ) -> AvroRecordSchema {
    AvroRecordSchema(
      name: "r102",
      fields: spec.fields.map { field in
        let type = field.transform.resultType(of: table.sourceType(of: field))
        return AvroField(field.name, .optional(avro(type)), id: field.fieldID)
      })
  }

  private static func avro(_ type: IcebergType) -> AvroSchema {
    switch type.name {
    case "boolean": .boolean
    case "int": .int
    case "date": .logical(AvroLogicalType("date"), .int)
    case "long": .long
    case "time": .logical(AvroLogicalType("time-micros"), .long)
    case "timestamp":
      .logical(AvroLogicalType("timestamp-micros", isAdjustedToUTC: false), .long)
    case "timestamptz":
      .logical(AvroLogicalType("timestamp-micros", isAdjustedToUTC: true), .long)
    case "float": .float
    case "double": .double
    default: .string
    }
  }

  private static func counts(_ keyID: Int, _ valueID: Int) -> AvroSchema {
    map(keyID, valueID, .long)
  }

  /// A map with integer keys: an array of pairs, since Avro's own maps have text keys.
  private static func map(_ keyID: Int, _ valueID: Int, _ value: AvroSchema) -> AvroSchema {
    .logical(
      .map,
      .array(
        .record(
          named: "k\(keyID)_v\(valueID)",
          fields: [AvroField("key", .int, id: keyID), AvroField("value", value, id: valueID)])))
  }
}
