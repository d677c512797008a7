import Ports

/// The pinned snapshot that a model was trained on: `TABLE@SNAPSHOT`.
public struct ModelSource: Hashable, Sendable, CustomStringConvertible {
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
  public init?(_ text: String) {
    let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
    guard parts.count == 2, let table = TableName(parts[0]), let snapshot = SnapshotID(parts[1])
    else { return nil }
    self.init(table, snapshot)
  }

  /// `moderation.training_data@17`.
  public var description: String { "\(table)@\(snapshot)" }
}
