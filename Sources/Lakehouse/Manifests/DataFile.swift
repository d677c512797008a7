import Ports

/// A file of a table with what is known of its columns (spec, "Manifests").
public struct DataFile: Hashable, Sendable {
  /// What the file holds.
  public enum Content: Int32, Hashable, Sendable {
    /// Rows.
    case data = 0
    /// Positions of deleted rows, by file.
    case positionDeletes = 1
    /// Values of deleted rows.
    case equalityDeletes = 2
  }

  /// A partition: the same values under another spec are another one.
  struct Place: Hashable, Sendable {
    var specID: Int
    var values: [IcebergValue?]
  }

  /// What the file holds.
  public var content = Content.data
  /// Where it lies.
  public var path: String
  /// `PARQUET`, or something that this program doesn't read.
  public var format = "PARQUET"
  /// The spec by which the file's partition was made; manifests know it, not files.
  var specID = 0
  /// The partition's values, one per dimension of the spec.
  public var partition: [IcebergValue?] = []
  /// Its rows.
  public var recordCount: Int64
  /// Its size in bytes.
  public var fileSize: Int64
  /// Values per column, null or not.
  var valueCounts: [Int: Int64] = [:]
  /// Nulls per column.
  var nullCounts: [Int: Int64] = [:]
  /// A lower bound per column, in single-value serialization (spec, appendix D).
  var lowerBounds: [Int: [UInt8]] = [:]
  /// An upper bound per column.
  var upperBounds: [Int: [UInt8]] = [:]
  /// The columns that rows are compared by, of an equality-delete file.
  var equalityIDs: [Int] = []
  /// The one file that a position-delete file is about, if it is only one.
  var referencedFile: String?

  /// The partition among those of all specs.
  var place: Place {
    get { Place(specID: specID, values: partition) }
    set {
      specID = newValue.specID
      partition = newValue.values
    }
  }

  init(path: String, recordCount: Int64, fileSize: Int64) {
    self.path = path
    self.recordCount = recordCount
    self.fileSize = fileSize
  }
}

/// A file in a manifest: what became of it in which snapshot.
struct ManifestEntry: Hashable, Sendable {
  enum Status: Int32, Hashable, Sendable {
    case existing = 0
    case added = 1
    case deleted = 2
  }

  var status: Status
  /// The snapshot that added or deleted it.
  var snapshotID: Int64?
  /// The commit that its rows belong to; nil in a new manifest, which inherits its list's.
  var sequenceNumber: Int64?
  /// The commit that added the file.
  var fileSequenceNumber: Int64?
  var file: DataFile

  /// Whether the file belongs to the snapshots that list the manifest.
  var isLive: Bool { status != .deleted }
}

/// A manifest as its list knows it (spec, "Manifest Lists").
struct ManifestFile: Hashable, Sendable {
  /// The values of one dimension over all files of a manifest.
  struct FieldSummary: Hashable, Sendable {
    var containsNull: Bool
    /// Nil where a writer doesn't say. The Java library takes an answer for granted.
    var containsNaN: Bool?
    var lower: [UInt8]?
    var upper: [UInt8]?
  }

  var path: String
  var length: Int64
  var specID: Int
  var holdsDeletes: Bool
  var sequenceNumber: Int64
  var minSequenceNumber: Int64
  var addedSnapshotID: Int64
  var addedFiles = 0
  var existingFiles = 0
  var deletedFiles = 0
  var addedRows: Int64 = 0
  var existingRows: Int64 = 0
  var deletedRows: Int64 = 0
  var partitions: [FieldSummary] = []
  /// Whether the list counts its files: version 1 may leave that out.
  var isCounted = true

  /// Whether it has a file that is there.
  var isLive: Bool { addedFiles > 0 || existingFiles > 0 }
}
