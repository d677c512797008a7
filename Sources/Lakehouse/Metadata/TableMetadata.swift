import Ports

/// An Iceberg table's metadata file, format version 2 (spec, "Table Metadata"); version 1 is read.
public struct TableMetadata: Hashable, Sendable {
  /// An instant at which a snapshot became current.
  struct LogEntry: Hashable, Sendable {
    var timestampMilliseconds: Int64
    var snapshot: Int64
  }

  /// An earlier metadata file.
  struct PreviousFile: Hashable, Sendable {
    var timestampMilliseconds: Int64
    var file: String
  }

  /// The branch that readers see unless they ask for another.
  public static let mainBranch = "main"

  /// The table's own id.
  public internal(set) var uuid: String
  /// The folder of its files.
  public internal(set) var location: String
  /// The highest sequence number given so far.
  public internal(set) var lastSequenceNumber: Int64 = 0
  /// When the metadata was written: milliseconds since the epoch.
  public internal(set) var lastUpdatedMilliseconds: Int64
  /// The highest column id given so far.
  var lastColumnID: Int
  /// All schemas.
  public internal(set) var schemas: [IcebergSchema]
  var currentSchemaID: Int
  var specs: [PartitionSpec]
  var defaultSpecID: Int
  var lastPartitionID: Int
  /// Settings by name.
  public internal(set) var properties: [String: String] = [:]
  /// The current snapshot; nil for a table without.
  public internal(set) var currentSnapshotID: Int64?
  /// The snapshots that weren't expired, oldest first.
  public internal(set) var snapshots: [IcebergSnapshot] = []
  var snapshotLog: [LogEntry] = []
  var previousFiles: [PreviousFile] = []
  /// Branches and tags by name.
  public internal(set) var references: [String: SnapshotReference] = [:]
  /// Fields that this program doesn't interpret.
  var rest: [String: JSONTree] = [
    "sort-orders": .list([.object(["order-id": .integer(0), "fields": .list([])])]),
    "default-sort-order-id": .integer(0),
  ]

  /// The metadata of a new table.
  public init(
    uuid: String, location: String, schema: IcebergSchema, spec: PartitionSpec,
    createdAtMilliseconds: Int64
  ) {
    self.uuid = uuid
    self.location = location
    lastUpdatedMilliseconds = createdAtMilliseconds
    lastColumnID = schema.fields.map(\.id).max() ?? 0
    schemas = [schema]
    currentSchemaID = schema.id
    specs = [spec]
    defaultSpecID = spec.id
    lastPartitionID = spec.fields.map(\.fieldID).max() ?? 999
  }

  /// The current schema.
  public var schema: IcebergSchema {
    schemas.first { $0.id == currentSchemaID } ?? schemas[schemas.count - 1]
  }

  /// How new files are divided.
  public var spec: PartitionSpec {
    specs.first { $0.id == defaultSpecID } ?? PartitionSpec()
  }

  /// A snapshot by id.
  public func snapshot(_ id: Int64) -> IcebergSnapshot? { snapshots.last { $0.id == id } }

  /// The current snapshot.
  public var currentSnapshot: IcebergSnapshot? { currentSnapshotID.flatMap { snapshot($0) } }

  /// The snapshot that was current at an instant; nil before the first.
  public func snapshot(asOfMilliseconds time: Int64) -> IcebergSnapshot? {
    snapshotLog.last { $0.timestampMilliseconds <= time }.flatMap { snapshot($0.snapshot) }
  }

  /// The schema that a snapshot was written with.
  public func schema(of snapshot: IcebergSnapshot) -> IcebergSchema {
    snapshot.schemaID.flatMap { id in schemas.first { $0.id == id } } ?? schema
  }
}

extension TableMetadata {
  /// Reads a metadata file.
  public init(reading bytes: [UInt8], file: String) throws(LakehouseError) {
    guard let tree = JSONTree(parsing: bytes) else {
      throw LakehouseError(file: file, reason: "isn't JSON: it is cut off, or another kind of file")
    }
    do {
      try self.init(tree)
    } catch {
      throw error.about(file)
    }
  }

  private init(_ tree: JSONTree) throws(LakehouseError) {
    var object = try MetadataFields(tree, at: "")
    let version = try object.integer("format-version")
    guard version == 1 || version == 2 else {
      throw LakehouseError(
        field: "format-version", reason: "is \(version); this program reads 1 and 2")
    }
    uuid = try object.optionalText("table-uuid") ?? ""
    location = try object.text("location")
    lastSequenceNumber = try object.optionalInteger("last-sequence-number") ?? 0
    lastUpdatedMilliseconds = try object.integer("last-updated-ms")
    lastColumnID = Int(try object.integer("last-column-id"))
    schemas = try Self.each(try object.list("schemas"), "schemas") {
      tree, path throws(LakehouseError) in
      try IcebergSchema(tree, at: path)
    }
    if schemas.isEmpty, let only = object.take("schema") {
      schemas = [try IcebergSchema(only, at: "schema")]
    }
    guard let first = schemas.first else {
      throw LakehouseError(field: "schemas", reason: "is empty")
    }
    currentSchemaID = Int(try object.optionalInteger("current-schema-id") ?? Int64(first.id))
    specs = try Self.each(try object.list("partition-specs"), "partition-specs") {
      tree, path throws(LakehouseError) in try PartitionSpec(tree, at: path)
    }
    defaultSpecID = Int(try object.optionalInteger("default-spec-id") ?? 0)
    lastPartitionID = Int(try object.optionalInteger("last-partition-id") ?? 999)
    properties = try object.texts("properties")
    currentSnapshotID = try object.optionalInteger("current-snapshot-id").flatMap {
      $0 == -1 ? nil : $0
    }
    snapshots = try Self.each(try object.list("snapshots"), "snapshots") {
      tree, path throws(LakehouseError) in try IcebergSnapshot(tree, at: path)
    }
    guard schemas.contains(where: { $0.id == currentSchemaID }) else {
      throw LakehouseError(field: "current-schema-id", reason: "no schema is \(currentSchemaID)")
    }
    if let id = currentSnapshotID, snapshot(id) == nil {
      throw LakehouseError(field: "current-snapshot-id", reason: "no snapshot is \(id)")
    }
    try readLogs(&object)
    for name in ["format-version", "schema", "partition-spec"] { _ = object.take(name) }
    rest = object.rest
  }

  private mutating func readLogs(_ object: inout MetadataFields) throws(LakehouseError) {
    snapshotLog = try Self.each(try object.list("snapshot-log"), "snapshot-log") {
      tree, path throws(LakehouseError) in
      var entry = try MetadataFields(tree, at: path)
      return LogEntry(
        timestampMilliseconds: try entry.integer("timestamp-ms"),
        snapshot: try entry.integer("snapshot-id"))
    }
    previousFiles = try Self.each(try object.list("metadata-log"), "metadata-log") {
      tree, path throws(LakehouseError) in
      var entry = try MetadataFields(tree, at: path)
      return PreviousFile(
        timestampMilliseconds: try entry.integer("timestamp-ms"),
        file: try entry.text("metadata-file"))
    }
    for (name, tree) in object.take("refs")?.object ?? [:] {
      references[name] = try SnapshotReference(tree, at: "refs.\(name)")
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
    fields["snapshot-log"] = .list(
      snapshotLog.map {
        .object([
          "timestamp-ms": .integer($0.timestampMilliseconds), "snapshot-id": .integer($0.snapshot),
        ])
      })
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
    bytes.append(contentsOf: ",\"snapshots\":[".utf8)
    for (index, snapshot) in snapshots.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(contentsOf: snapshot.json)
    }
    bytes.append(contentsOf: "]}".utf8)
    return bytes
  }
}

extension TableMetadata {
  /// How many earlier metadata files are remembered.
  private var rememberedFiles: Int {
    properties["write.metadata.previous-versions-max"].flatMap { Int($0) }.map { max(1, $0) } ?? 100
  }

  /// The metadata after a commit to the main branch.
  func committing(_ snapshot: IcebergSnapshot, previousFile: String) -> TableMetadata {
    var next = self
    next.remember(previousFile)
    next.lastSequenceNumber = snapshot.sequenceNumber
    next.lastUpdatedMilliseconds = max(
      lastUpdatedMilliseconds, snapshot.timestampMilliseconds)
    next.snapshots.append(snapshot)
    next.currentSnapshotID = snapshot.id
    next.snapshotLog.append(
      LogEntry(timestampMilliseconds: snapshot.timestampMilliseconds, snapshot: snapshot.id))
    next.references[Self.mainBranch] =
      SnapshotReference(snapshot: snapshot.id, isBranch: true)
    return next
  }

  /// Notes the file that this metadata was read from, before another takes its place.
  mutating func remember(_ file: String) {
    previousFiles.append(
      PreviousFile(timestampMilliseconds: lastUpdatedMilliseconds, file: file))
    if previousFiles.count > rememberedFiles {
      previousFiles.removeFirst(previousFiles.count - rememberedFiles)
    }
  }

  /// Files of statistics that other engines have written for their planners.
  var statisticsFiles: [String] {
    ["statistics", "partition-statistics"].flatMap { rest[$0]?.list ?? [] }
      .compactMap { $0.object?["statistics-path"]?.text }
  }

  /// The snapshots that a branch or tag reaches, or that are current.
  func ancestors(of id: Int64) -> [IcebergSnapshot] {
    var chain: [IcebergSnapshot] = []
    var next: Int64? = id
    while let id = next, let snapshot = snapshot(id) {
      chain.append(snapshot)
      next = snapshot.parent
    }
    return chain
  }
}
