import GRDB
import Moderation
import Ports

/// A ``CheckpointStore`` in an SQLite file: a row per checkpoint, and a row per partition under it.
///
/// *Fidelity.* Exact, and durable: comparing and replacing is one transaction, so two processes on
/// one file can't both win.
public final class SQLiteCheckpointStore: CheckpointStore {
  private static let port = "CheckpointStore"
  private let database: SQLiteDatabase

  /// Keeps its tables in a file, and makes them when they aren't there.
  public init(_ database: SQLiteDatabase) throws(PortError) {
    self.database = database
    try Self.schema.migrate(database)
  }

  /// See ``CheckpointStore``, rules 1 and 2.
  public func load(_ name: String) async throws(PortError) -> Checkpoint? {
    try database.read(PortMethod(Self.port, "load")) { db in try Self.stored(name, in: db) }
  }

  /// See ``CheckpointStore``, rule 3.
  public func save(
    _ checkpoint: Checkpoint, as name: String, expecting expected: Checkpoint?
  ) async throws(PortError) {
    let operation = PortMethod(Self.port, "save")
    try database.write(operation) { db in
      guard try Self.stored(name, in: db) == expected else {
        throw operation.error(.conflict, "'\(name)' was changed by another run; load it again")
      }
      try Self.replace(name, by: checkpoint, in: db)
    }
  }

  private static func stored(_ name: String, in db: Database) throws -> Checkpoint? {
    // Cut off at its NUL, the name would be another job's.
    if name.hasNUL { return nil }
    let found = try db.first("SELECT complete_through FROM checkpoints WHERE name = ?", [name]) {
      (completeThrough: try $0.optionalTime(), ())
    }
    guard let found else { return nil }
    let offsets = try db.all(
      "SELECT topic, partition, next_offset FROM checkpoint_offsets WHERE name = ?", [name]
    ) { (TopicPartition(try $0.text(), try $0.integer()), Int64(try $0.integer())) }
    return Checkpoint(
      offsets: Dictionary(uniqueKeysWithValues: offsets), completeThrough: found.completeThrough)
  }

  private static func replace(
    _ name: String, by checkpoint: Checkpoint, in db: Database
  ) throws {
    var columns = ColumnWriter(["name", "complete_through"])
    try columns.text(name)
    try columns.time(checkpoint.completeThrough)
    try db.run("DELETE FROM checkpoint_offsets WHERE name = ?", [name])
    try db.run("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", columns.arguments)
    for (partition, offset) in checkpoint.offsets.sorted(by: { $0.key < $1.key }) {
      var columns = ColumnWriter(["name", "topic", "partition", "next_offset"])
      try columns.text(name)
      try columns.text(partition.topic)
      columns.number(partition.partition)
      columns.number(Int(offset))
      try db.run("INSERT INTO checkpoint_offsets VALUES (?, ?, ?, ?)", columns.arguments)
    }
  }

  private static let schema = SQLiteSchema(
    name: "checkpoints",
    steps: [
      """
      CREATE TABLE checkpoints (
        name TEXT PRIMARY KEY NOT NULL,
        complete_through TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE checkpoint_offsets (
        name TEXT NOT NULL REFERENCES checkpoints (name),
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        next_offset INTEGER NOT NULL,
        PRIMARY KEY (name, topic, partition)
      ) STRICT, WITHOUT ROWID;
      """
    ])
}
