import GRDB
import Moderation
import Ports

/// What the store is asked beside single rows.
extension ApplicationTransaction {
  /// All questions in one query (rule 8).
  func subjects(_ questions: [CountQuestion]) throws -> [SubjectRecord?] {
    if questions.isEmpty { return [] }
    var records = [SubjectRecord?](repeating: nil, count: questions.count)
    let answers = try db.all(Self.subjects, [Self.json(questions)]) { columns in
      (place: try columns.integer(), record: try Self.record(&columns))
    }
    for answer in answers {
      var record = answer.record
      if let deletedAt = record.image.deletedAt, deletedAt > questions[answer.place].asOf {
        record.image.deletedAt = nil
      }
      records[answer.place] = record
    }
    return records
  }

  /// The oldest entries of the outbox (rule 7).
  func outbox(limit: Int) throws -> [OutboxEntry] {
    let sql = """
      SELECT sequence, topic, key, value, event_time FROM outbox ORDER BY sequence LIMIT ?
      """
    return try db.all(sql, [max(limit, 0)]) { columns in
      OutboxEntry(
        sequence: Int64(try columns.integer()),
        event: OutboxEvent(
          topic: try columns.text(), key: try columns.optionalID(), value: try columns.bytes(),
          time: try columns.time()))
    }
  }

  /// All tables (rule 9).
  func snapshot() throws -> ApplicationSnapshot {
    var snapshot = ApplicationSnapshot()
    snapshot.users = try db.rows()
    snapshot.images = try db.rows()
    snapshot.comments = try db.rows()
    snapshot.flags = try db.rows()
    snapshot.moderation = try db.rows()
    return snapshot
  }

  /// What waits for a moderator (rule 10).
  func reviewQueue(limit: Int) throws -> [ReviewItem] {
    try db.all(Self.reviewQueue, [max(limit, 0)]) { columns in
      ReviewItem(
        target: try ModerationTarget(from: &columns), riskScore: try columns.double(),
        pendingFlags: try columns.integer())
    }
  }

  private static func record(_ columns: inout ColumnReader) throws -> SubjectRecord {
    let image = try Image(from: &columns)
    let uploader = try User(from: &columns)
    let created = try columns.integer()
    return SubjectRecord(
      image: image, uploader: uploader, existingImages: created - (try columns.integer()),
      createdImages: created)
  }

  /// `[["<image>", "<instant>"], …]`: one argument for any number of questions. Neither text has
  /// anything that JSON would escape.
  private static func json(_ questions: [CountQuestion]) -> String {
    "[" + questions.map { "[\"\($0.image)\",\"\($0.asOf)\"]" }.joined(separator: ",") + "]"
  }

  private static let subjects = """
    WITH question AS MATERIALIZED (
      SELECT key AS place, json_extract(value, '$[0]') AS image_id,
        json_extract(value, '$[1]') AS as_of
      FROM json_each(?)
    )
    SELECT question.place, \(Image.table.columns(of: "image")),
      \(User.table.columns(of: "uploader")),
      (SELECT count(*) FROM images
        WHERE user_id = image.user_id AND created_at <= question.as_of),
      (SELECT count(*) FROM images
        WHERE user_id = image.user_id AND deleted_at <= question.as_of)
    FROM question
    CROSS JOIN images AS image ON image.id = question.image_id
    CROSS JOIN users AS uploader ON uploader.id = image.user_id
    WHERE image.created_at <= question.as_of
    """

  /// A flag is about its comment where it names one; a comment takes its image's risk.
  private static let reviewQueue = """
    WITH pending AS (
      SELECT iif(flags.comment_id IS NULL, 'image', 'comment') AS target_type,
        coalesce(flags.comment_id, flags.image_id) AS target_id,
        iif(flags.comment_id IS NULL, flags.image_id, comments.image_id) AS image_id
      FROM flags
      LEFT JOIN comments ON comments.id = flags.comment_id
      LEFT JOIN images ON images.id = flags.image_id
      WHERE flags.review_status = 'pending' AND
        iif(flags.comment_id IS NULL, images.deleted_at, comments.deleted_at) IS NULL
    )
    SELECT target_type, target_id,
      coalesce(
        (SELECT max(risk_score) FROM moderation
          WHERE target_type = 'image' AND target_id = pending.image_id
            AND inference_mode <> 'shadow'), 0.0) AS risk,
      count(*)
    FROM pending
    GROUP BY target_type, target_id
    ORDER BY risk DESC, target_id, target_type
    LIMIT ?
    """
}
