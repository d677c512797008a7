import Moderation
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
  public var spec: PartitionSpec { spec(defaultSpecID) }

  /// How files are divided that were written under a spec; not at all when it isn't there.
  func spec(_ id: Int) -> PartitionSpec { specs.first { $0.id == id } ?? PartitionSpec(id: id) }

  /// A snapshot by id.
  public func snapshot(_ id: Int64) -> IcebergSnapshot? { snapshots.last { $0.id == id } }

  /// The current snapshot.
  public var currentSnapshot: IcebergSnapshot? { currentSnapshotID.flatMap { snapshot($0) } }

  /// The snapshot that was current at an instant; nil before the first.
  public func snapshot(asOf instant: EventTime) -> IcebergSnapshot? {
    snapshotLog.last { entry in
      // The log has milliseconds; a snapshot that became current in the one of its commit did so
      // at the commit's instant. A branch moved back to an old snapshot did it at the log's.
      let logged = EventTime(milliseconds: entry.timestampMilliseconds)
      let committed = snapshot(entry.snapshot)?.committedAt ?? logged
      let isThen = committed.microseconds / 1000 == entry.timestampMilliseconds
      return (isThen ? committed : logged) <= instant
    }.flatMap { snapshot($0.snapshot) }
  }

  /// The type of a dimension's column, which may have been dropped since; text when no schema has
  /// it any more.
  func sourceType(of field: PartitionSpec.Field) -> IcebergType {
    let source =
      schema.field(field.sourceID)
      ?? schemas.lazy.reversed()
      .compactMap { $0.field(field.sourceID) }.first
    return source?.type ?? .named("string")
  }

  /// The schema that a snapshot was written with.
  public func schema(of snapshot: IcebergSnapshot) -> IcebergSchema {
    snapshot.schemaID.flatMap { id in schemas.first { $0.id == id } } ?? schema
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
    var main = SnapshotReference(snapshot: snapshot.id, isBranch: true)
    main.rest = references[Self.mainBranch]?.rest ?? [:]
    next.references[Self.mainBranch] = main
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

  /// Whether metadata files go that the log forgets.
  var deletesForgottenFiles: Bool {
    properties["write.metadata.delete-after-commit.enabled"]?.lowercased() == "true"
  }

  /// The lists of statistics that other engines have written for their planners.
  private static let statistics = ["statistics", "partition-statistics"]

  /// Files of statistics, of one snapshot or of all.
  func statisticsFiles(of snapshot: Int64? = nil) -> [String] {
    Self.statistics.flatMap { rest[$0]?.list ?? [] }.compactMap(\.object)
      .filter { snapshot == nil || $0["snapshot-id"]?.integer == snapshot }
      .compactMap { $0["statistics-path"]?.text }
  }

  /// Forgets the statistics of snapshots that aren't there.
  mutating func dropDeadStatistics() {
    let there = Set(snapshots.map(\.id))
    for name in Self.statistics {
      guard let entries = rest[name]?.list else { continue }
      rest[name] = .list(
        entries.filter { entry in
          entry.object?["snapshot-id"]?.integer.map(there.contains) ?? false
        })
    }
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
