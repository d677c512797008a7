import Moderation

/// Tables of the lakehouse: rows under snapshots, each the child of the one before.
///
/// Contract (rule N is test N of `LakeConformance`):
/// 1. `createTable` is idempotent; another schema under the same name is an error, but for columns
///    that may be null and that only the table has.
/// 2. `commit` is atomic and makes one snapshot whose parent was current; it throws `conflict` when
///    the current snapshot isn't the expected one, and then changes nothing.
/// 3. Within a commit, deletion (or overwrite) comes before the append: appended rows stay.
/// 4. A scan of a snapshot gives that snapshot's rows for ever, in the order of their commits; nil
///    means the current one, and a table without snapshots has no rows. A selection leaves out the
///    other rows and columns; bounds on a column that isn't there are `invalid`.
/// 5. `snapshots` lists a table's history, oldest first, with summaries as committed.
/// 6. A snapshot or table that doesn't exist throws `notFound`.
/// 7. A batch that doesn't fit the schema throws `invalid`, and nothing is committed. Columns go by
///    their names; one that may be null and that the batch lacks is null.
/// 8. A commit that was done before, told by its id and its parent, is reported as done.
/// 9. `expire` drops the snapshots before an instant, but never the current one: they are unknown
///    from then on, and the rows of the others are the same.
/// 10. `compact` changes no row; where it rewrites anything, it makes one `replace` snapshot, which
///     keeps the notes of the one before.
/// 11. `remains` finds a text in every stored row, by whatever snapshot and whether deleted or not:
///     none is left once its rows were deleted, compacted and expired.
/// 12. `evolve` changes the current columns and no row. What was committed before is shown under
///     the current columns, but a snapshot that is asked for by its id under its own.
public protocol Lake: TableMaintenance {
  /// Makes a table.
  func createTable(_ table: TableName, schema: TableSchema) async throws(PortError)
  /// All tables, sorted by name.
  func tables() async throws(PortError) -> [TableName]
  /// A table's history, oldest first.
  func snapshots(of table: TableName) async throws(PortError) -> [TableSnapshot]
  /// Commits a change on top of the expected snapshot (nil: the table has none yet).
  func commit(_ change: TableChange, to table: TableName, expecting parent: SnapshotID?)
    async throws(PortError) -> TableSnapshot
  /// Rows of a snapshot.
  func scan(_ table: TableName, _ selection: RowSelection) async throws(PortError) -> RecordBatch
}

extension Lake {
  /// All rows of a snapshot; nil for the current one.
  public func scan(
    _ table: TableName, snapshot: SnapshotID?
  ) async throws(PortError) -> RecordBatch {
    try await scan(table, RowSelection(snapshot: snapshot))
  }
}

/// The upkeep of a ``Lake``'s tables; the rules are there.
public protocol TableMaintenance: Sendable {
  /// Drops old snapshots and what only they reach: from here on what was deleted is gone.
  func expire(_ table: TableName, olderThan instant: EventTime) async throws(PortError)
    -> MaintenanceReport
  /// Rewrites small pieces, and those with deleted rows, into fewer.
  func compact(_ table: TableName, id: SnapshotID, at instant: EventTime) async throws(PortError)
    -> MaintenanceReport
  /// How many stored rows have a text in any column, by file (or what stands for one); places
  /// without one are left out.
  func remains(of text: String, in table: TableName) async throws(PortError) -> [String: Int]
  /// Changes a table's columns.
  func evolve(_ table: TableName, _ change: SchemaChange) async throws(PortError)
}

/// A change of a table's columns; types by Iceberg's names.
public enum SchemaChange: Hashable, Sendable, CustomStringConvertible {
  /// Adds a column that may be null.
  case add(String, type: String)
  /// Renames a column; its values stay with it.
  case rename(String, to: String)
  /// Widens a column: `int` to `long`, `float` to `double`.
  case widen(String, to: String)

  /// As a message shows it.
  public var description: String {
    switch self {
    case .add(let column, let type): "add \(column) \(type)"
    case .rename(let column, let name): "rename \(column) to \(name)"
    case .widen(let column, let type): "widen \(column) to \(type)"
    }
  }
}

/// What maintenance did to a table.
public struct MaintenanceReport: Hashable, Sendable {
  /// Snapshots that went.
  public var expiredSnapshots: [SnapshotID] = []
  /// Keys of files that went.
  public var deletedFiles: [String] = []
  /// Data files that were rewritten into fewer.
  public var rewrittenFiles = 0
  /// The data files in their place.
  public var writtenFiles = 0

  /// A report of nothing done.
  public init() {}
}

/// A table's name: namespace and name.
public struct TableName: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The namespace.
  public var namespace: String
  /// The name in it.
  public var name: String

  /// A table's name.
  public init(_ namespace: String, _ name: String) {
    self.namespace = namespace
    self.name = name
  }

  /// `namespace.name`, or nil when `text` has no dot; a namespace may have dots itself.
  public init?(_ text: String) {
    guard let dot = text.lastIndex(of: "."), dot != text.startIndex,
      text.index(after: dot) != text.endIndex
    else { return nil }
    self.init(String(text[..<dot]), String(text[text.index(after: dot)...]))
  }

  /// Orders by the text form.
  public static func < (a: Self, b: Self) -> Bool {
    a.namespace != b.namespace ? a.namespace < b.namespace : a.name < b.name
  }

  /// `namespace.name`.
  public var description: String { "\(namespace).\(name)" }
}

/// The id of a snapshot: positive, unique within its table; the committer chooses it.
public typealias SnapshotID = Int64

/// One state of a table.
public struct TableSnapshot: Hashable, Sendable {
  /// Its id.
  public var id: SnapshotID
  /// The snapshot that it changed; nil for the first.
  public var parent: SnapshotID?
  /// When it was committed, on the committer's clock.
  public var committedAt: EventTime
  /// `append`, `overwrite` or `delete`.
  public var operation: String
  /// What the committer noted: offsets, counts.
  public var summary: [String: String]
  /// Rows in the table.
  public var rowCount: Int

  /// A snapshot.
  public init(
    id: SnapshotID, parent: SnapshotID?, committedAt: EventTime, operation: String,
    summary: [String: String], rowCount: Int
  ) {
    self.id = id
    self.parent = parent
    self.committedAt = committedAt
    self.operation = operation
    self.summary = summary
    self.rowCount = rowCount
  }
}

/// A change of a table.
public struct TableChange: Sendable {
  /// Which rows go.
  public enum Removal: Sendable {
    /// None.
    case nothing
    /// All of them.
    case everything
    /// Those for which any of the filters holds.
    case rows([RowFilter])
  }

  /// Rows whose columns all have one of the values.
  public struct RowFilter: Sendable {
    /// The values per string or timestamp column; a timestamp as its microseconds' text.
    ///
    /// Text is meant byte by byte (UTF-8). A Swift set holds only one of two texts that Unicode
    /// calls equivalent: give each a filter of its own.
    public var columns: [String: Set<String>]

    /// A filter on columns.
    public init(_ columns: [String: Set<String>]) { self.columns = columns }
  }

  /// The new snapshot's id.
  public var id: SnapshotID
  /// When it is committed.
  public var committedAt: EventTime
  /// Rows to remove.
  public var removal: Removal
  /// Rows to append.
  public var append: RecordBatch?
  /// What to note in the snapshot.
  public var summary: [String: String]

  /// A change.
  public init(
    id: SnapshotID, committedAt: EventTime, removal: Removal = .nothing,
    append: RecordBatch? = nil, summary: [String: String] = [:]
  ) {
    self.id = id
    self.committedAt = committedAt
    self.removal = removal
    self.append = append
    self.summary = summary
  }
}
