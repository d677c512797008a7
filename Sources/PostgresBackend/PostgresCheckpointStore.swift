import Moderation
import Ports

/// A ``CheckpointStore`` in PostgreSQL: a row per checkpoint, and a row per partition under it.
///
/// Loading is one round trip, saving two.
///
/// *Fidelity.* Exact, and durable: the row is locked between comparing and replacing, so of several
/// runs on several machines one wins.
public final class PostgresCheckpointStore: CheckpointStore {
  private static let port = "CheckpointStore"
  private let database: PostgresDatabase

  /// Keeps its tables in a schema, and makes them when they aren't there.
  public init(_ database: PostgresDatabase) throws(PortError) {
    self.database = database
    try PostgresSchema.checkpoints.migrate(database)
  }

  /// See ``CheckpointStore``, rules 1 and 2.
  public func load(_ name: String) async throws(PortError) -> Checkpoint? {
    // PostgreSQL has no such text, so no such name.
    if name.hasNUL { return nil }
    let operation = PortMethod(Self.port, "load")
    let query = try encode(operation) { Query(Self.select, try Self.named(name)) }
    let answers = try database.read(operation, [query])
    return try encode(operation) { try Self.checkpoint(answers[0]) }
  }

  /// See ``CheckpointStore``, rule 3.
  public func save(
    _ checkpoint: Checkpoint, as name: String, expecting expected: Checkpoint?
  ) async throws(PortError) {
    let operation = PortMethod(Self.port, "save")
    let reading = try encode(operation) {
      [Query(Self.lock, try Self.named(name)), Query(Self.select, try Self.named(name))]
    }
    try database.write(operation, reading: reading) { answers -> Decision<Void> in
      let stored = try Self.checkpoint(answers[1])
      guard stored == expected else {
        throw operation.error(.conflict, "'\(name)' was changed by another run; load it again")
      }
      let changes = try Self.replace(name, by: checkpoint, isNew: stored == nil)
      return .change(changes, known: ()) { _ in }
    }
  }

  /// What a row per offset says, or one without any; nil when there is no row.
  private static func checkpoint(_ answer: QueryResult) throws -> Checkpoint? {
    var checkpoint: Checkpoint?
    for row in try answer.all({ try StoredOffset(from: &$0) }) {
      var found = checkpoint ?? Checkpoint(offsets: [:], completeThrough: row.completeThrough)
      if let topic = row.topic, let partition = row.partition, let offset = row.offset {
        found.offsets[TopicPartition(topic, partition)] = Int64(offset)
      }
      checkpoint = found
    }
    return checkpoint
  }

  private static func replace(
    _ name: String, by checkpoint: Checkpoint, isNew: Bool
  ) throws -> [Query] {
    var row = ColumnWriter(["name", "complete_through"])
    try row.text(name)
    try row.time(checkpoint.completeThrough)
    var offsets = ColumnWriter(["name", "topic", "partition", "next_offset"])
    for (partition, offset) in checkpoint.offsets.sorted(by: { $0.key < $1.key }) {
      try offsets.text(name)
      try offsets.text(partition.topic)
      offsets.long(Int64(partition.partition))
      offsets.long(offset)
    }
    return [
      Query(isNew ? insert : update, row), Query(deleteOffsets, try named(name)),
      Query(insertOffsets, offsets),
    ]
  }

  private static func named(_ name: String) throws -> ColumnWriter {
    var column = ColumnWriter(["name"])
    try column.text(name)
    return column
  }

  private static let lock = Statement(
    "SELECT name FROM checkpoints WHERE name = $1 FOR UPDATE", [.text])
  private static let select = Statement(
    """
    SELECT complete_through, topic, partition, next_offset
    FROM checkpoints LEFT JOIN checkpoint_offsets USING (name)
    WHERE name = $1
    """, [.text])
  private static let insert = Statement(
    "INSERT INTO checkpoints (name, complete_through) VALUES ($1, $2)", [.text, .timestamp])
  private static let update = Statement(
    "UPDATE checkpoints SET complete_through = $2 WHERE name = $1", [.text, .timestamp])
  private static let deleteOffsets = Statement(
    "DELETE FROM checkpoint_offsets WHERE name = $1", [.text])
  private static let insertOffsets = Statement(
    """
    INSERT INTO checkpoint_offsets (name, topic, partition, next_offset)
    SELECT * FROM unnest($1, $2, $3, $4)
    """, [.text, .text, .int8, .int8], takesRows: true)
}

/// A checkpoint's row with one of its offsets, or with none.
private struct StoredOffset {
  let completeThrough: EventTime?
  let topic: String?
  let partition: Int?
  let offset: Int?

  init(from columns: inout ColumnReader) throws {
    completeThrough = try columns.optionalTime()
    topic = try columns.optionalText()
    partition = try columns.optionalInteger()
    offset = try columns.optionalInteger()
  }
}
