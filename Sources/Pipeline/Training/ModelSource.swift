import Ports

/// The pinned snapshots that a model was trained on: `TABLE@SNAPSHOT`, and `+TABLE@SNAPSHOT` where
/// the labels are another table's.
public struct ModelSource: Hashable, Sendable, CustomStringConvertible {
  /// A snapshot of a table.
  public struct Pinned: Hashable, Sendable, CustomStringConvertible {
    /// The table.
    public var table: TableName
    /// The snapshot.
    public var snapshot: SnapshotID

    /// A snapshot of a table.
    public init(_ table: TableName, _ snapshot: SnapshotID) {
      self.table = table
      self.snapshot = snapshot
    }

    /// Reads the text form.
    init?(_ text: Substring) {
      let parts = text.split(separator: "@", maxSplits: 1).map { String($0) }
      guard parts.count == 2, let table = TableName(parts[0]), let snapshot = SnapshotID(parts[1])
      else { return nil }
      self.init(table, snapshot)
    }

    /// `moderation.training_data@17`.
    public var description: String { "\(table)@\(snapshot)" }
  }

  /// The rows.
  public var rows: Pinned
  /// What labels them, by image; nil where the rows have a label of their own.
  public var labels: Pinned?

  /// Snapshots of tables.
  public init(_ rows: Pinned, labels: Pinned? = nil) {
    self.rows = rows
    self.labels = labels
  }

  /// Reads the text form.
  public init?(_ text: String) {
    let parts = text.split(separator: "+", omittingEmptySubsequences: false)
    guard 1...2 ~= parts.count, let rows = Pinned(parts[0]) else { return nil }
    self.init(rows)
    guard parts.count == 2 else { return }
    guard let labels = Pinned(parts[1]) else { return nil }
    self.labels = labels
  }

  /// All of them.
  public var pinned: [Pinned] { [rows] + (labels.map { [$0] } ?? []) }

  /// `moderation.training_data@17`.
  public var description: String { pinned.map(\.description).joined(separator: "+") }
}
