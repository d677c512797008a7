import Moderation

/// One state of a table (spec, "Snapshots").
public struct IcebergSnapshot: Hashable, Sendable {
  /// Its id.
  public let id: Int64
  /// The snapshot that it changed; nil for the first.
  public let parent: Int64?
  /// Its place among all commits of the table; 0 in tables that began as version 1.
  public let sequenceNumber: Int64
  /// When it was committed: milliseconds since the epoch.
  public let timestampMilliseconds: Int64
  /// Where the list of its manifests lies.
  public let manifestList: String
  /// `operation` and what the committer noted.
  public let summary: [String: String]
  /// The schema that was current.
  public let schemaID: Int?
  /// Its JSON: a table's metadata is written at every commit, with all snapshots in it.
  let json: [UInt8]

  /// A snapshot.
  public init(
    id: Int64, parent: Int64?, sequenceNumber: Int64, timestampMilliseconds: Int64,
    manifestList: String, summary: [String: String], schemaID: Int?
  ) {
    self.id = id
    self.parent = parent
    self.sequenceNumber = sequenceNumber
    self.timestampMilliseconds = timestampMilliseconds
    self.manifestList = manifestList
    self.summary = summary
    self.schemaID = schemaID
    var object: [String: JSONTree] = [
      "snapshot-id": .integer(id), "sequence-number": .integer(sequenceNumber),
      "timestamp-ms": .integer(timestampMilliseconds), "manifest-list": .text(manifestList),
      "summary": .object(summary.mapValues { .text($0) }),
    ]
    if let parent { object["parent-snapshot-id"] = .integer(parent) }
    if let schemaID { object["schema-id"] = .integer(Int64(schemaID)) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(600)
    JSONTree.object(object).append(to: &bytes)
    json = bytes
  }

  /// When it was committed: to the microsecond if this program noted it, else to the millisecond.
  public var committedAt: EventTime {
    let noted = summary[Summary.committedAtKey].flatMap { Int64($0) }
    return noted.map { EventTime(microseconds: $0) }
      ?? EventTime(milliseconds: timestampMilliseconds)
  }

  /// How many rows there are; nil where nothing but the files tells.
  public var rowCount: Int? { Summary.rowCount(summary) }

  /// `append`, `overwrite`, `delete` or `replace`.
  public var operation: String { summary["operation"] ?? "" }
}

extension IcebergSnapshot {
  init(_ tree: JSONTree, version: Int64, at path: String) throws(LakehouseError) {
    var object = try MetadataFields(tree, version: version, at: path)
    try object.demand("summary")
    self.init(
      id: try object.integer("snapshot-id"),
      parent: try object.optionalInteger("parent-snapshot-id"),
      // Of a table that was of version 1, Java leaves out the 0 in version 2 as well.
      sequenceNumber: try object.optionalInteger("sequence-number") ?? 0,
      timestampMilliseconds: try object.integer("timestamp-ms"),
      manifestList: try object.text("manifest-list"),
      summary: try object.texts("summary"),
      schemaID: try object.optionalInteger("schema-id").map { Int($0) })
  }
}

extension EventTime {
  /// An instant of the format; the last one there is for numbers that no clock shows.
  init(milliseconds: Int64) {
    let (product, isTooLarge) = milliseconds.multipliedReportingOverflow(by: 1000)
    self.init(microseconds: isTooLarge ? (milliseconds < 0 ? .min : .max) : product)
  }
}

/// A name for a snapshot: a branch moves with its commits, a tag stays (spec, "Snapshot
/// References").
public struct SnapshotReference: Hashable, Sendable {
  /// The snapshot.
  public var snapshot: Int64
  /// Whether commits move it.
  public var isBranch: Bool
  /// What else was said: how long to keep it, for one.
  var rest: [String: JSONTree] = [:]

  /// A reference.
  public init(snapshot: Int64, isBranch: Bool) {
    self.snapshot = snapshot
    self.isBranch = isBranch
  }

  init(_ tree: JSONTree, version: Int64, at path: String) throws(LakehouseError) {
    var object = try MetadataFields(tree, version: version, at: path)
    snapshot = try object.integer("snapshot-id")
    let type = try object.text("type")
    guard type == "branch" || type == "tag" else {
      throw LakehouseError(field: "\(path).type", reason: "is '\(type)', not branch or tag")
    }
    isBranch = type == "branch"
    rest = object.rest
  }

  /// How many of a branch's snapshots stay at least.
  var minSnapshotsToKeep: Int? { rest["min-snapshots-to-keep"]?.integer.map { Int($0) } }

  /// Until which age, in milliseconds, all of a branch's snapshots stay.
  var maxSnapshotAge: Int64? { rest["max-snapshot-age-ms"]?.integer }

  /// From which age of its snapshot on, in milliseconds, the name itself goes.
  var maxReferenceAge: Int64? { rest["max-ref-age-ms"]?.integer }

  var json: JSONTree {
    var object = rest
    object["snapshot-id"] = .integer(snapshot)
    object["type"] = .text(isBranch ? "branch" : "tag")
    return .object(object)
  }
}
