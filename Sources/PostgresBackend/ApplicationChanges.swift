import Moderation
import Ports

/// The statements that carry a transaction out, and where each mutation's outcome comes from.
///
/// Rows of one table that follow each other are one statement. Events are the last, behind a lock
/// that their transaction keeps until it has committed: so their sequences are in commit order
/// (rule 7), and the lock is held for no round trip.
struct ApplicationChanges {
  private enum Outcome {
    case known(MutationOutcome)
    /// The one number that the statement of this index gives.
    case views(Int)
    /// How many rows the statement of this index changed.
    case changed(Int)
  }

  private var queries: [Query] = []
  private var outcomes: [Outcome] = []
  private var rows: (statement: Statement, columns: ColumnWriter)?
  private var events = ColumnWriter(["topic", "key", "value", "event_time"])
  private var hasEvents = false
  private var scores: [ScoreKey: ModerationRow]
  private var viewKeys: Set<EventID> = []

  /// Nothing yet, before the scores that are stored.
  init(scores: [ScoreKey: ModerationRow]) { self.scores = scores }

  /// Adds a mutation, to which nobody objects.
  mutating func add(_ mutation: Mutation) throws {
    switch mutation {
    case .insertUser(let row): try insert(row)
    case .insertImage(let row): try insert(row)
    case .insertComment(let row): try insert(row)
    case .insertFlag(let row): try insert(row)
    case .insertModeration(let row): try insert(score: row)
    case .updateUser(let row): done(try Query.update(row))
    case .addView(let id, let key): addView(id, key)
    case .requirePending: outcomes.append(.known(.done))
    case .deleteImage(let id, let time): done(try Self.delete(Self.deleteImage, id, at: time))
    case .deleteComment(let id, let time): done(try Self.delete(Self.deleteComment, id, at: time))
    case .hideComment(let id, let action):
      var columns = ColumnWriter(["id", "moderator_action_id"])
      columns.id(id)
      columns.id(action)
      done(Query(Self.hideComment, columns))
    case .resolveFlags(let target, let status, let action, let time):
      guard let query = try PendingFlags.settle(target, status, action, time) else { return }
      append(query)
      outcomes.append(.changed(queries.count - 1))
    case .enqueue(let event): try enqueue(event)
    }
  }

  /// What the transaction does, all mutations being added.
  mutating func decision() -> Decision<[MutationOutcome]> {
    endRows()
    if hasEvents { queries += [Query(Self.lockOutbox), Query(Self.insertEvents, events)] }
    let outcomes = outcomes
    let known = outcomes.compactMap { outcome -> MutationOutcome? in
      if case .known(let known) = outcome { known } else { nil }
    }
    let isKnown = known.count == outcomes.count
    if queries.isEmpty && isKnown { return .answer(known) }
    return .change(queries, known: isKnown ? known : nil) { answers in
      try outcomes.map { outcome in
        switch outcome {
        case .known(let known): known
        case .views(let index): .views(try answers[index].first { try $0.integer() } ?? 0)
        case .changed(let index): .changed(answers[index].changed)
        }
      }
    }
  }

  private mutating func insert(_ row: some StoredRow) throws {
    let table = type(of: row).table
    if rows?.statement.sql != table.insert.sql { endRows() }
    var columns = rows?.columns ?? ColumnWriter(table.columns)
    rows = nil
    try row.write(to: &columns)
    rows = (table.insert, columns)
    outcomes.append(.known(.done))
  }

  /// A score whose request and mode were stored before is left out and reported (rule 5).
  private mutating func insert(score row: ModerationRow) throws {
    guard let key = row.scoreKey else { return try insert(row) }
    if let existing = scores[key] {
      outcomes.append(.known(.existing(.moderation(existing))))
    } else {
      scores[key] = row
      try insert(row)
    }
  }

  private mutating func addView(_ id: ImageID, _ key: EventID?) {
    if let key, viewKeys.insert(key).inserted { append(Query(Self.insertViewKey, .ids([key]))) }
    append(Query(Self.addView, .ids([id])))
    outcomes.append(.views(queries.count - 1))
  }

  private mutating func enqueue(_ event: OutboxEvent) throws {
    try events.text(event.topic)
    events.id(event.key)
    events.bytes(event.value)
    try events.time(event.time)
    hasEvents = true
    outcomes.append(.known(.done))
  }

  /// A statement whose answer says nothing.
  private mutating func done(_ query: Query) {
    append(query)
    outcomes.append(.known(.done))
  }

  /// A statement after all rows before it.
  private mutating func append(_ query: Query) {
    endRows()
    queries.append(query)
  }

  private mutating func endRows() {
    if let rows { queries.append(Query(rows.statement, rows.columns)) }
    rows = nil
  }

  private static func delete<Entity>(
    _ statement: Statement, _ id: ID<Entity>, at time: EventTime
  ) throws -> Query {
    var columns = ColumnWriter(["id", "deleted_at"])
    columns.id(id)
    try columns.time(time)
    return Query(statement, columns)
  }

  private static let insertViewKey = Statement("INSERT INTO view_keys (key) VALUES ($1)", [.uuid])
  private static let addView = Statement(
    "UPDATE images SET views = views + 1 WHERE id = $1 RETURNING views", [.uuid])
  private static let deleteImage = Statement(
    "UPDATE images SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL", [.uuid, .timestamp])
  private static let deleteComment = Statement(
    "UPDATE comments SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL",
    [.uuid, .timestamp])
  private static let hideComment = Statement(
    "UPDATE comments SET moderator_hidden = true, moderator_action_id = $2 WHERE id = $1",
    [.uuid, .uuid])
  /// The table's own number is the lock's, so that runs on one server don't wait for each other.
  private static let lockOutbox = Statement(
    "SELECT pg_advisory_xact_lock('outbox'::regclass::oid::bigint)")
  private static let insertEvents = Statement(
    """
    INSERT INTO outbox (topic, key, value, event_time)
    SELECT topic, key, value, event_time
    FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS event (topic, key, value, event_time, place)
    ORDER BY place
    """, [.text, .uuid, .bytes, .timestamp], takesRows: true)
}
