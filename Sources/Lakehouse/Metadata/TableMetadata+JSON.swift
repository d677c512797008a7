extension TableMetadata {
  /// How large a zipped metadata file may be: more than any catalog should hold.
  private static let unzippedLimit = 1 << 30

  /// Reads a metadata file, which may be zipped.
  public init(reading bytes: [UInt8], file: String) throws(LakehouseError) {
    var bytes = bytes
    // By its first bytes, as readers differ in how the names of such files end.
    if bytes.starts(with: [0x1F, 0x8B]) {
      do throws(AvroError) {
        bytes = try Deflate.unzipped(bytes, limit: Self.unzippedLimit)
      } catch {
        throw LakehouseError(file: file, reason: error.reason)
      }
    }
    let tree: JSONTree
    do throws(JSONError) { tree = try JSONTree(parsing: bytes) } catch {
      throw LakehouseError(
        file: file,
        reason: "isn't JSON, it may be cut off or another kind of file: \(error.reason) "
          + "(byte \(error.offset))")
    }
    do {
      try self.init(tree)
    } catch {
      throw error.about(file)
    }
  }

  private init(_ tree: JSONTree) throws(LakehouseError) {
    let version = try Self.version(tree)
    var object = try MetadataFields(tree, version: version, at: "")
    location = try object.text("location")
    try object.demand("table-uuid")
    uuid = try object.optionalText("table-uuid") ?? StableHash.uuid(location.utf8)
    lastSequenceNumber = try object.integer("last-sequence-number", versionOne: 0)
    lastUpdatedMilliseconds = try object.integer("last-updated-ms")
    lastColumnID = Int(try object.integer("last-column-id"))
    schemas = try Self.schemas(&object)
    currentSchemaID = Int(
      try object.integer("current-schema-id", versionOne: Int64(schemas[0].id)))
    specs = try Self.specs(&object)
    defaultSpecID = Int(try object.integer("default-spec-id", versionOne: Int64(specs[0].id)))
    let highest = specs.flatMap(\.fields).map(\.fieldID).max() ?? 999
    lastPartitionID = Int(try object.integer("last-partition-id", versionOne: Int64(highest)))
    properties = try object.texts("properties")
    currentSnapshotID = try object.optionalInteger("current-snapshot-id").flatMap {
      $0 == -1 ? nil : $0
    }
    snapshots = try Self.each(try object.optionalList("snapshots") ?? [], "snapshots") {
      tree, path throws(LakehouseError) in
      try IcebergSnapshot(tree, version: version, at: path)
    }
    try checkIDs()
    try readLogs(&object)
    for name in ["format-version", "schema", "partition-spec"] { _ = object.take(name) }
    rest = object.rest
  }

  private static func version(_ tree: JSONTree) throws(LakehouseError) -> Int64 {
    var object = try MetadataFields(tree, version: 2, at: "")
    let version = try object.integer("format-version")
    guard version == 1 || version == 2 else {
      throw LakehouseError(
        field: "format-version", reason: "is \(version); this program reads 1 and 2")
    }
    return version
  }

  /// All schemas, at least one; version 1 had one only, at first.
  private static func schemas(
    _ object: inout MetadataFields
  ) throws(LakehouseError) -> [IcebergSchema] {
    let version = object.version
    if version == 1, object.rest["schemas"] == nil, let only = object.take("schema") {
      return [try IcebergSchema(only, version: version, at: "schema")]
    }
    let schemas = try each(try object.list("schemas"), "schemas") {
      tree, path throws(LakehouseError) in
      try IcebergSchema(tree, version: version, at: path)
    }
    guard !schemas.isEmpty else { throw LakehouseError(field: "schemas", reason: "is empty") }
    return schemas
  }

  /// All partition specs, at least one; version 1 had one only, at first.
  private static func specs(
    _ object: inout MetadataFields
  ) throws(LakehouseError) -> [PartitionSpec] {
    let version = object.version
    if version == 1, object.rest["partition-specs"] == nil,
      let only = try object.optionalList("partition-spec")
    {
      return [try PartitionSpec(versionOne: only, at: "partition-spec")]
    }
    let specs = try each(try object.list("partition-specs"), "partition-specs") {
      tree, path throws(LakehouseError) in
      try PartitionSpec(tree, version: version, at: path)
    }
    guard !specs.isEmpty else { throw LakehouseError(field: "partition-specs", reason: "is empty") }
    return specs
  }

  /// Refuses ids that name nothing.
  private func checkIDs() throws(LakehouseError) {
    guard schemas.contains(where: { $0.id == currentSchemaID }) else {
      throw LakehouseError(field: "current-schema-id", reason: "no schema is \(currentSchemaID)")
    }
    guard specs.contains(where: { $0.id == defaultSpecID }) else {
      throw LakehouseError(
        field: "default-spec-id", reason: "no partition spec is \(defaultSpecID)")
    }
    if let id = currentSnapshotID, snapshot(id) == nil {
      throw LakehouseError(field: "current-snapshot-id", reason: "no snapshot is \(id)")
    }
  }

  private mutating func readLogs(_ object: inout MetadataFields) throws(LakehouseError) {
    let version = object.version
    snapshotLog = try Self.each(try object.optionalList("snapshot-log") ?? [], "snapshot-log") {
      tree, path throws(LakehouseError) in
      var entry = try MetadataFields(tree, version: version, at: path)
      return LogEntry(
        timestampMilliseconds: try entry.integer("timestamp-ms"),
        snapshot: try entry.integer("snapshot-id"))
    }
    previousFiles = try Self.each(try object.optionalList("metadata-log") ?? [], "metadata-log") {
      tree, path throws(LakehouseError) in
      var entry = try MetadataFields(tree, version: version, at: path)
      return PreviousFile(
        timestampMilliseconds: try entry.integer("timestamp-ms"),
        file: try entry.text("metadata-file"))
    }
    for (name, tree) in try object.object("refs").sorted(by: { $0.key < $1.key }) {
      references[name] = try SnapshotReference(tree, version: version, at: "refs.\(name)")
    }
    if let id = currentSnapshotID, references[Self.mainBranch] == nil {
      references[Self.mainBranch] = SnapshotReference(snapshot: id, isBranch: true)
    }
  }

  private static func each<Value>(
    _ trees: [JSONTree], _ path: String,
    _ read: (JSONTree, String) throws(LakehouseError) -> Value
  ) throws(LakehouseError) -> [Value] {
    var values: [Value] = []
    for (index, tree) in trees.enumerated() { values.append(try read(tree, "\(path)[\(index)]")) }
    return values
  }

  /// The file's bytes: always version 2, fields and all lists in a fixed order.
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4096 + snapshots.count * 700)
    bytes.append(contentsOf: "{\"format-version\":2".utf8)
    var fields = rest
    fields["table-uuid"] = .text(uuid)
    fields["location"] = .text(location)
    fields["last-sequence-number"] = .integer(lastSequenceNumber)
    fields["last-updated-ms"] = .integer(lastUpdatedMilliseconds)
    fields["last-column-id"] = .integer(Int64(lastColumnID))
    fields["schemas"] = .list(schemas.map(\.json))
    fields["current-schema-id"] = .integer(Int64(currentSchemaID))
    fields["partition-specs"] = .list(specs.map(\.json))
    fields["default-spec-id"] = .integer(Int64(defaultSpecID))
    fields["last-partition-id"] = .integer(Int64(lastPartitionID))
    fields["properties"] = .object(properties.mapValues { .text($0) })
    if let currentSnapshotID { fields["current-snapshot-id"] = .integer(currentSnapshotID) }
    fields["metadata-log"] = .list(
      previousFiles.map {
        .object([
          "timestamp-ms": .integer($0.timestampMilliseconds), "metadata-file": .text($0.file),
        ])
      })
    fields["refs"] = .object(references.mapValues(\.json))
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
      bytes.append(UInt8(ascii: ","))
      JSONText.append(name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      value.append(to: &bytes)
    }
    // Both lists grow with each commit: no tree is made of them.
    bytes.append(contentsOf: ",\"snapshot-log\":[".utf8)
    for (index, entry) in snapshotLog.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      let (id, time) = (entry.snapshot, entry.timestampMilliseconds)
      bytes.append(contentsOf: "{\"snapshot-id\":\(id),\"timestamp-ms\":\(time)}".utf8)
    }
    bytes.append(contentsOf: "],\"snapshots\":[".utf8)
    for (index, snapshot) in snapshots.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(contentsOf: snapshot.json)
    }
    bytes.append(contentsOf: "]}".utf8)
    return bytes
  }
}
