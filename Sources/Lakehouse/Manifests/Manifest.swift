/// A manifest: the files of a table, or of a part of it (spec, "Manifests").
enum Manifest {
  /// Reads a manifest's entries, without what they inherit from their list.
  static func decode(
    _ bytes: [UInt8], file: String, spec: PartitionSpec
  ) throws(LakehouseError) -> [ManifestEntry] {
    let avro = try AvroFile(manifest: bytes, file)
    var entries: [ManifestEntry] = []
    entries.reserveCapacity(avro.records.count)
    for (index, record) in avro.records.enumerated() {
      do {
        entries.append(try entry(record, at: "entry[\(index)]"))
      } catch {
        throw error.about(file)
      }
    }
    return entries
  }

  /// A manifest's bytes.
  ///
  /// - Parameter sync: the 16 bytes between its blocks, which should differ between files.
  static func encode(
    _ entries: [ManifestEntry], _ table: TableMetadata, _ spec: PartitionSpec, holdsDeletes: Bool,
    sync: [UInt8]
  ) throws(LakehouseError) -> [UInt8] {
    let schema = ManifestSchema.entry(spec, table)
    var fields: [UInt8] = []
    (spec.json.object?["fields"] ?? .list([])).append(to: &fields)
    var schemaText: [UInt8] = []
    table.schema.json.append(to: &schemaText)
    let file = AvroFile(
      schema: .record(schema),
      metadata: [
        "schema": schemaText, "schema-id": Array("\(table.schema.id)".utf8),
        "partition-spec": fields, "partition-spec-id": Array("\(spec.id)".utf8),
        "format-version": Array("2".utf8),
        "content": Array((holdsDeletes ? "deletes" : "data").utf8),
      ],
      records: entries.map { record($0, schema) })
    return try file.bytes(sync: sync)
  }

  private static func entry(
    _ value: AvroValue, at path: String
  ) throws(LakehouseError) -> ManifestEntry {
    let fields = try AvroFields(value, at: path)
    let code = try fields.integer(0, "status")
    guard let status = ManifestEntry.Status(rawValue: Int32(truncatingIfNeeded: code)) else {
      throw LakehouseError(field: "\(path).status", reason: "is \(code), not 0 to 2")
    }
    return ManifestEntry(
      status: status, snapshotID: try fields.optionalInteger(1, "snapshot_id"),
      sequenceNumber: try fields.optionalInteger(3, "sequence_number"),
      fileSequenceNumber: try fields.optionalInteger(4, "file_sequence_number"),
      file: try dataFile(fields.value(2), at: "\(path).data_file"))
  }

  private static func dataFile(
    _ value: AvroValue?, at path: String
  ) throws(LakehouseError) -> DataFile {
    let fields = try AvroFields(value, at: path)
    var file = DataFile(
      path: try fields.text(100, "file_path"),
      recordCount: try fields.integer(103, "record_count"),
      fileSize: try fields.integer(104, "file_size_in_bytes"))
    let code = try fields.optionalInteger(134, "content") ?? 0
    guard let content = DataFile.Content(rawValue: Int32(truncatingIfNeeded: code)) else {
      throw LakehouseError(field: "\(path).content", reason: "is \(code), not 0 to 2")
    }
    guard file.recordCount >= 0 else {
      throw LakehouseError(field: "\(path).record_count", reason: "is \(file.recordCount)")
    }
    file.content = content
    file.format = try fields.text(101, "file_format").uppercased()
    file.partition = try AvroFields(fields.value(102), at: "\(path).partition").values.map {
      $0?.partition
    }
    file.valueCounts = try fields.map(109, "value_counts") { $0.count }
    file.nullCounts = try fields.map(110, "null_value_counts") { $0.count }
    file.lowerBounds = try fields.map(125, "lower_bounds") { $0.binary }
    file.upperBounds = try fields.map(128, "upper_bounds") { $0.binary }
    file.equalityIDs = try fields.list(135, "equality_ids").compactMap { $0.count }.map { Int($0) }
    if case .string(let path)? = fields.value(143) { file.referencedFile = path }
    return file
  }

  private static func record(_ entry: ManifestEntry, _ schema: AvroRecordSchema) -> AvroValue {
    guard let fileSchema = schema.fields[4].schema.recordSchema else { return .null }
    return .record(
      AvroRecord(
        layout: schema.layout,
        values: [
          .int(entry.status.rawValue), .optional(entry.snapshotID),
          .optional(entry.sequenceNumber), .optional(entry.fileSequenceNumber),
          record(entry.file, fileSchema),
        ]))
  }

  private static func record(_ file: DataFile, _ schema: AvroRecordSchema) -> AvroValue {
    let partition = schema.fields[3].schema.recordSchema
    let values = zip(partition?.fields ?? [], file.partition).map { field, value in
      AvroValue.partition(value, field.schema)
    }
    return .record(
      AvroRecord(
        layout: schema.layout,
        values: [
          .int(file.content.rawValue), .string(file.path), .string(file.format),
          partition.map { .record(AvroRecord(layout: $0.layout, values: values)) } ?? .null,
          .long(file.recordCount), .long(file.fileSize), .null,
          map(file.valueCounts) { .long($0) }, map(file.nullCounts) { .long($0) }, .null,
          map(file.lowerBounds) { .bytes($0) }, map(file.upperBounds) { .bytes($0) }, .null, .null,
          file.equalityIDs.isEmpty
            ? .null : .array(file.equalityIDs.map { .int(Int32(truncatingIfNeeded: $0)) }),
          .null, file.referencedFile.map { .string($0) } ?? .null,
        ]))
  }

  /// A map with integer keys, by key; null when it is empty.
  private static func map<Value>(
    _ map: [Int: Value], _ value: (Value) -> AvroValue
  ) -> AvroValue {
    guard !map.isEmpty else { return .null }
    return .array(
      map.sorted { $0.key < $1.key }.map { key, element in
        .record(["key": .int(Int32(truncatingIfNeeded: key)), "value": value(element)])
      })
  }
}

/// A manifest list: the manifests of one snapshot (spec, "Manifest Lists").
enum ManifestList {
  /// Reads a manifest list.
  static func decode(_ bytes: [UInt8], file: String) throws(LakehouseError) -> [ManifestFile] {
    var manifests: [ManifestFile] = []
    for (index, record) in try AvroFile(manifest: bytes, file).records.enumerated() {
      do {
        manifests.append(try manifest(record, at: "manifest[\(index)]"))
      } catch {
        throw error.about(file)
      }
    }
    return manifests
  }

  /// A manifest list's bytes.
  static func encode(
    _ manifests: [ManifestFile], snapshot: Int64, parent: Int64?, sequenceNumber: Int64,
    sync: [UInt8]
  ) throws(LakehouseError) -> [UInt8] {
    var metadata = [
      "snapshot-id": Array("\(snapshot)".utf8),
      "sequence-number": Array("\(sequenceNumber)".utf8), "format-version": Array("2".utf8),
    ]
    metadata["parent-snapshot-id"] = Array((parent.map { "\($0)" } ?? "null").utf8)
    let file = AvroFile(
      schema: .record(ManifestSchema.list), metadata: metadata, records: manifests.map(record))
    return try file.bytes(sync: sync)
  }

  private static func manifest(
    _ value: AvroValue, at path: String
  ) throws(LakehouseError) -> ManifestFile {
    let fields = try AvroFields(value, at: path)
    func count(_ id: Int, _ name: String) throws(LakehouseError) -> Int64 {
      try fields.optionalInteger(id, name) ?? 0
    }
    var manifest = ManifestFile(
      path: try fields.text(500, "manifest_path"),
      length: try fields.integer(501, "manifest_length"),
      specID: Int(try fields.integer(502, "partition_spec_id")),
      holdsDeletes: try count(517, "content") == 1,
      sequenceNumber: try count(515, "sequence_number"),
      minSequenceNumber: try count(516, "min_sequence_number"),
      addedSnapshotID: try fields.integer(503, "added_snapshot_id"))
    // Version 1 may leave the counts out: then there may be files.
    let added = try fields.optionalInteger(504, "added_files_count")
    let existing = try fields.optionalInteger(505, "existing_files_count")
    manifest.isCounted = added != nil && existing != nil
    manifest.addedFiles = Int(added ?? 1)
    manifest.existingFiles = Int(existing ?? 0)
    manifest.deletedFiles = Int(try count(506, "deleted_files_count"))
    manifest.addedRows = try count(512, "added_rows_count")
    manifest.existingRows = try count(513, "existing_rows_count")
    manifest.deletedRows = try count(514, "deleted_rows_count")
    for (index, summary) in try fields.list(507, "partitions").enumerated() {
      let summary = try AvroFields(summary, at: "\(path).partitions[\(index)]")
      manifest.partitions.append(
        ManifestFile.FieldSummary(
          containsNull: summary.value(509) == .boolean(true),
          containsNaN: summary.value(518).map { $0 == .boolean(true) },
          lower: summary.bytes(510), upper: summary.bytes(511)))
    }
    return manifest
  }

  private static func record(_ manifest: ManifestFile) -> AvroValue {
    func int(_ value: Int) -> AvroValue { .int(Int32(truncatingIfNeeded: value)) }
    let partitions = manifest.partitions.map { summary -> AvroValue in
      .record(
        AvroRecord(
          layout: ManifestSchema.summary.layout,
          values: [
            .boolean(summary.containsNull), summary.containsNaN.map { .boolean($0) } ?? .null,
            summary.lower.map { .bytes($0) } ?? .null, summary.upper.map { .bytes($0) } ?? .null,
          ]))
    }
    return .record(
      AvroRecord(
        layout: ManifestSchema.list.layout,
        values: [
          .string(manifest.path), .long(manifest.length), int(manifest.specID),
          .int(manifest.holdsDeletes ? 1 : 0), .long(manifest.sequenceNumber),
          .long(manifest.minSequenceNumber), .long(manifest.addedSnapshotID),
          int(manifest.addedFiles), int(manifest.existingFiles), int(manifest.deletedFiles),
          .long(manifest.addedRows), .long(manifest.existingRows), .long(manifest.deletedRows),
          .array(partitions), .null,
        ]))
  }
}

extension AvroFile {
  /// Reads a manifest or a manifest list; errors name the file.
  fileprivate init(manifest bytes: [UInt8], _ file: String) throws(LakehouseError) {
    do throws(AvroError) {
      try self.init(reading: bytes)
    } catch {
      throw LakehouseError(file: file, field: error.path, reason: error.description)
    }
  }

  fileprivate func bytes(sync: [UInt8]) throws(LakehouseError) -> [UInt8] {
    do throws(AvroError) {
      return try encoded(codec: .deflate, sync: sync)
    } catch {
      throw LakehouseError(field: error.path, reason: error.description)
    }
  }
}

extension AvroValue {
  fileprivate var count: Int64? {
    switch self {
    case .int(let value): Int64(value)
    case .long(let value): value
    default: nil
    }
  }

  fileprivate var binary: [UInt8]? {
    if case .bytes(let bytes) = self { bytes } else { nil }
  }
}
