import Foundation
import GRDB
import Moderation
import Ports

/// What mutations do to the tables, after nobody has objected.
extension ApplicationTransaction {
  /// Carries out one mutation.
  func carryOut(_ mutation: Mutation) throws -> MutationOutcome {
    switch mutation {
    case .insertUser(let row): try db.insert(row)
    case .insertImage(let row): try db.insert(row)
    case .insertComment(let row): try db.insert(row)
    case .insertFlag(let row): try db.insert(row)
    case .insertModeration(let row): return try insert(row)
    case .updateUser(let row):
      try db.run(User.table.update, row.arguments() + [row.id.description])
    case .addView(let id, let key): return .views(try addView(id, key))
    case .requirePending: break
    case .deleteImage(let id, let time): try delete(Self.deleteImage, id.description, at: time)
    case .deleteComment(let id, let time):
      try delete(Self.deleteComment, id.description, at: time)
    case .hideComment(let id, let action):
      try db.run(Self.hideComment, [action.description, id.description])
    case .resolveFlags(let target, let status, let action, let time):
      return .changed(try resolve(target, status, action, time))
    case .enqueue(let event): try enqueue(event)
    }
    return .done
  }

  /// A score whose request and mode were stored before is left out and reported (rule 5).
  private func insert(_ row: ModerationRow) throws -> MutationOutcome {
    guard let request = row.requestID else {
      try db.insert(row)
      return .done
    }
    try db.run(Self.insertScore, row.arguments())
    if db.changesCount == 1 { return .done }
    let existing = try db.first(Self.scoreByRequest, [request.description, row.inferenceMode]) {
      try ModerationRow(from: &$0)
    }
    return existing.map { .existing(.moderation($0)) } ?? .done
  }

  private func addView(_ id: ImageID, _ key: EventID?) throws -> Int {
    if let key {
      try db.run("INSERT OR IGNORE INTO view_keys (key) VALUES (?)", [key.description])
    }
    let sql = "UPDATE images SET views = views + 1 WHERE id = ? RETURNING views"
    return try db.first(sql, [id.description]) { try $0.integer() } ?? 0
  }

  private func delete(_ sql: String, _ id: String, at time: EventTime) throws {
    var columns = ColumnWriter(["deleted_at"])
    try columns.time(time)
    try db.run(sql, columns.arguments + [id])
  }

  private func resolve(
    _ target: ModerationTarget, _ status: ReviewStatus, _ action: ModerationID, _ time: EventTime
  ) throws -> Int {
    guard let flags = PendingFlags(of: target) else { return 0 }
    var columns = ColumnWriter(["review_status", "moderation_action_id", "resolved_at"])
    try columns.text(status.rawValue)
    columns.id(action)
    try columns.time(time)
    try db.run(flags.settle, columns.arguments + [flags.id])
    return db.changesCount
  }

  private func enqueue(_ event: OutboxEvent) throws {
    var columns = ColumnWriter(["topic", "key", "event_time"])
    try columns.text(event.topic)
    columns.id(event.key)
    try columns.time(event.time)
    try db.run(Self.insertEvent, columns.arguments + [Data(event.value)])
  }

  private static let insertScore =
    ModerationRow.table.insert + " ON CONFLICT (inference_request_id, inference_mode) DO NOTHING"
  private static let scoreByRequest = """
    SELECT \(ModerationRow.table.columns.joined(separator: ", ")) FROM moderation
    WHERE inference_request_id = ? AND inference_mode = ?
    """
  private static let deleteImage =
    "UPDATE images SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL"
  private static let deleteComment =
    "UPDATE comments SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL"
  private static let hideComment =
    "UPDATE comments SET moderator_hidden = 1, moderator_action_id = ? WHERE id = ?"
  private static let insertEvent =
    "INSERT INTO outbox (topic, key, event_time, value) VALUES (?, ?, ?, ?)"
}
