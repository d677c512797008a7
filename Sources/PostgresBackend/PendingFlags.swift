import Moderation
import Ports

/// The flags that wait for a moderator to look at a target: those that name the comment, or name
/// the image and no comment; none once the target is deleted.
enum PendingFlags {
  /// Finds them, and keeps them and the target as they are until the transaction's end; nil for an
  /// account, which has none.
  static func lock(_ target: ModerationTarget) -> Query? {
    switch target {
    case .image(let id): Query(lockOfImage, .ids([id]))
    case .comment(let id): Query(lockOfComment, .ids([id]))
    case .account: nil
    }
  }

  /// Settles them; nil for an account.
  static func settle(
    _ target: ModerationTarget, _ status: ReviewStatus, _ action: ModerationID, _ time: EventTime
  ) throws -> Query? {
    var columns = ColumnWriter(["id", "review_status", "moderation_action_id", "resolved_at"])
    let statement: Statement
    switch target {
    case .image(let id):
      columns.id(id)
      statement = settleOfImage
    case .comment(let id):
      columns.id(id)
      statement = settleOfComment
    case .account: return nil
    }
    try columns.text(status.rawValue)
    columns.id(action)
    try columns.time(time)
    return Query(statement, columns)
  }

  private static let lockOfImage = Statement(
    """
    SELECT flags.id FROM flags JOIN images AS target ON target.id = flags.image_id
    WHERE flags.image_id = $1 AND flags.comment_id IS NULL
      AND flags.review_status = 'pending' AND target.deleted_at IS NULL
    FOR NO KEY UPDATE OF flags FOR SHARE OF target
    """, [.uuid])
  private static let lockOfComment = Statement(
    """
    SELECT flags.id FROM flags JOIN comments AS target ON target.id = flags.comment_id
    WHERE flags.comment_id = $1
      AND flags.review_status = 'pending' AND target.deleted_at IS NULL
    FOR NO KEY UPDATE OF flags FOR SHARE OF target
    """, [.uuid])

  private static let settleOfImage = settle(
    """
    image_id = $1 AND comment_id IS NULL
      AND EXISTS (SELECT FROM images WHERE id = flags.image_id AND deleted_at IS NULL)
    """)
  private static let settleOfComment = settle(
    """
    comment_id = $1
      AND EXISTS (SELECT FROM comments WHERE id = flags.comment_id AND deleted_at IS NULL)
    """)

  private static func settle(_ condition: String) -> Statement {
    Statement(
      """
      UPDATE flags SET review_status = $2, moderation_action_id = $3, resolved_at = $4
      WHERE review_status = 'pending' AND \(condition)
      """, [.uuid, .text, .uuid, .timestamp])
  }
}
