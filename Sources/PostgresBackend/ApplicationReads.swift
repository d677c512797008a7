import Moderation
import Ports

/// What the store is asked beside single rows: queries, and what their answers say.
enum ApplicationReads {
  /// All questions in one query (rule 8).
  static func subjects(_ questions: [CountQuestion]) throws -> Query {
    var columns = ColumnWriter(["image_id", "as_of"])
    for question in questions {
      columns.id(question.image)
      try columns.time(question.asOf)
    }
    return Query(subjects, columns)
  }

  /// The records of ``subjects(_:)-(QueryResult,_)``'s query, in the questions' order.
  static func subjects(
    _ answer: QueryResult, _ questions: [CountQuestion]
  ) throws -> [SubjectRecord?] {
    var records = [SubjectRecord?](repeating: nil, count: questions.count)
    let found = try answer.all { columns in
      (place: try columns.integer() - 1, record: try record(&columns))
    }
    for (place, found) in found {
      var record = found
      if let deletedAt = record.image.deletedAt, deletedAt > questions[place].asOf {
        record.image.deletedAt = nil
      }
      records[place] = record
    }
    return records
  }

  /// The oldest entries of the outbox (rule 7).
  static func outbox(limit: Int) -> Query { Query(outbox, .numbers([Int64(max(limit, 0))])) }

  /// An entry of the outbox.
  static func entry(_ columns: inout ColumnReader) throws -> OutboxEntry {
    OutboxEntry(
      sequence: Int64(try columns.integer()),
      event: OutboxEvent(
        topic: try columns.text(), key: try columns.optionalID(), value: try columns.bytes(),
        time: try columns.time()))
  }

  /// Removes entries of the outbox.
  static func published(_ sequences: [Int64]) -> Query { Query(delete, .numbers(sequences)) }

  /// All tables (rule 9).
  static let snapshot = [
    Query(User.table.selectAll), Query(Image.table.selectAll), Query(Comment.table.selectAll),
    Query(Flag.table.selectAll), Query(ModerationRow.table.selectAll),
  ]

  /// The tables of ``snapshot``'s answers.
  static func snapshot(_ answers: [QueryResult]) throws -> ApplicationSnapshot {
    var snapshot = ApplicationSnapshot()
    snapshot.users = try answers[0].all { try User(from: &$0) }
    snapshot.images = try answers[1].all { try Image(from: &$0) }
    snapshot.comments = try answers[2].all { try Comment(from: &$0) }
    snapshot.flags = try answers[3].all { try Flag(from: &$0) }
    snapshot.moderation = try answers[4].all { try ModerationRow(from: &$0) }
    return snapshot
  }

  /// What waits for a moderator (rule 10).
  static func reviewQueue(limit: Int) -> Query {
    Query(reviewQueue, .numbers([Int64(max(limit, 0))]))
  }

  /// An item that waits for a moderator.
  static func item(_ columns: inout ColumnReader) throws -> ReviewItem {
    ReviewItem(
      target: try ModerationTarget(from: &columns), riskScore: try columns.double(),
      pendingFlags: try columns.integer())
  }

  private static func record(_ columns: inout ColumnReader) throws -> SubjectRecord {
    let image = try Image(from: &columns)
    let uploader = try User(from: &columns)
    let created = try columns.integer()
    return SubjectRecord(
      image: image, uploader: uploader, existingImages: created - (try columns.integer()),
      createdImages: created)
  }

  private static let subjects = Statement(
    """
    SELECT question.place, \(Image.table.columns(of: "image")),
      \(User.table.columns(of: "uploader")),
      (SELECT count(*) FROM images
        WHERE user_id = image.user_id AND created_at <= question.as_of),
      (SELECT count(*) FROM images
        WHERE user_id = image.user_id AND deleted_at <= question.as_of)
    FROM unnest($1, $2) WITH ORDINALITY AS question (image_id, as_of, place)
    JOIN images AS image ON image.id = question.image_id
    JOIN users AS uploader ON uploader.id = image.user_id
    WHERE image.created_at <= question.as_of
    """, [.uuid, .timestamp], takesRows: true)

  private static let outbox = Statement(
    "SELECT sequence, topic, key, value, event_time FROM outbox ORDER BY sequence LIMIT $1",
    [.int8])
  private static let delete = Statement(
    "DELETE FROM outbox WHERE sequence = ANY ($1)", [.int8], takesRows: true)

  /// A flag is about its comment where it names one; a comment takes its image's risk.
  private static let reviewQueue = Statement(
    """
    WITH pending AS (
      SELECT CASE WHEN flags.comment_id IS NULL THEN 'image' ELSE 'comment' END AS target_type,
        coalesce(flags.comment_id, flags.image_id) AS target_id,
        CASE WHEN flags.comment_id IS NULL THEN flags.image_id ELSE comments.image_id END
          AS image_id
      FROM flags
      LEFT JOIN comments ON comments.id = flags.comment_id
      LEFT JOIN images ON images.id = flags.image_id
      WHERE flags.review_status = 'pending' AND
        CASE WHEN flags.comment_id IS NULL THEN images.deleted_at ELSE comments.deleted_at END
          IS NULL
    ), item AS (
      SELECT target_type, target_id, image_id, count(*) AS flags FROM pending
      GROUP BY target_type, target_id, image_id
    )
    SELECT target_type, target_id,
      coalesce(
        (SELECT max(risk_score) FROM moderation
          WHERE target_type = 'image' AND target_id = item.image_id
            AND inference_mode <> 'shadow'), 0) AS risk,
      flags
    FROM item
    ORDER BY risk DESC, target_id, target_type COLLATE "C"
    LIMIT $1
    """, [.int8])
}

extension ColumnWriter {
  /// One column of numbers of 64 bits.
  static func numbers(_ numbers: [Int64]) -> ColumnWriter {
    var column = ColumnWriter(["number"])
    for number in numbers { column.long(number) }
    return column
  }
}
