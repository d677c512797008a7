import Foundation
import Moderation
import Ports

/// Database rows to replay beside events: `users.jsonl`, `images.jsonl`, `comments.jsonl`,
/// `flags.jsonl`, as a run writes them.
public struct RecordedTables: Sendable {
  private(set) var users: [User] = []
  private(set) var images: [Image] = []
  private(set) var comments: [Comment] = []
  private(set) var flags: [Flag] = []

  /// Reads the four files of a folder; `comments` and `flags` may be missing.
  public init(folder: String) throws(ScenarioError) {
    for row in try Self.rows(folder, "users", required: true) { users.append(try row.user()) }
    for row in try Self.rows(folder, "images", required: true) { images.append(try row.image()) }
    for row in try Self.rows(folder, "comments") { comments.append(try row.comment()) }
    for row in try Self.rows(folder, "flags") { flags.append(try row.flag()) }
  }

  /// Rows made from the events themselves, for a recording without tables: accounts are as old as
  /// their first event.
  init(madeFrom events: [PlatformEvent]) {
    var known: Set<UserID> = []
    for event in events {
      if let actor = event.actor, known.insert(actor).inserted {
        users.append(User(id: actor, username: actor.description, createdAt: event.time))
      }
      guard let actor = event.actor else { continue }
      switch event.subject {
      case .upload(let image, let category, let caption, let s3URL):
        images.append(
          Image(
            id: image, userID: actor, s3URL: s3URL, caption: caption, category: category,
            createdAt: event.time))
      case .comment(let comment, let image, let content):
        comments.append(
          Comment(
            id: comment, imageID: image, userID: actor, content: content, createdAt: event.time))
      case .flag(let flag, let image, let comment, let reason):
        flags.append(
          Flag(
            id: flag, userID: actor, imageID: image, commentID: comment, reason: reason,
            createdAt: event.time))
      case .view: break
      }
    }
    let imageIDs = Set(images.map(\.id))
    comments.removeAll { !imageIDs.contains($0.imageID) }
    let commentIDs = Set(comments.map(\.id))
    flags.removeAll { flag in
      !(flag.imageID.map(imageIDs.contains) ?? true)
        || !(flag.commentID.map(commentIDs.contains) ?? true)
    }
  }

  /// The rows and deletions as transactions, each at its instant but not before `start`.
  func changes(from start: EventTime) -> [(at: EventTime, mutation: Mutation)] {
    var changes: [(at: EventTime, mutation: Mutation)] = []
    var born: [UserID: EventTime] = [:]
    for user in users { born[user.id] = user.createdAt }
    var uploaded: [ImageID: EventTime] = [:]
    for image in images {
      uploaded[image.id] = max(image.createdAt, born[image.userID] ?? image.createdAt)
    }
    var said: [CommentID: EventTime] = [:]
    for comment in comments {
      let made = max(comment.createdAt, born[comment.userID] ?? comment.createdAt)
      said[comment.id] = max(made, uploaded[comment.imageID] ?? made)
    }
    for user in users { changes.append((user.createdAt, .insertUser(user))) }
    for var image in images {
      let deletedAt = image.deletedAt
      image.deletedAt = nil
      changes.append((uploaded[image.id] ?? image.createdAt, .insertImage(image)))
      if let deletedAt { changes.append((deletedAt, .deleteImage(image.id, at: deletedAt))) }
    }
    for var comment in comments {
      let deletedAt = comment.deletedAt
      comment.deletedAt = nil
      changes.append((said[comment.id] ?? comment.createdAt, .insertComment(comment)))
      if let deletedAt { changes.append((deletedAt, .deleteComment(comment.id, at: deletedAt))) }
    }
    for flag in flags {
      let made = max(flag.createdAt, born[flag.userID] ?? flag.createdAt)
      let target = flag.imageID.flatMap { uploaded[$0] } ?? flag.commentID.flatMap { said[$0] }
      changes.append((max(made, target ?? made), .insertFlag(flag)))
    }
    // Stable, so that a row comes after those it refers to.
    return changes.enumerated().map { (max($1.at, start), $0, $1.mutation) }
      .sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { (at: $0.0, mutation: $0.2) }
  }

  private static func rows(
    _ folder: String, _ table: String, required: Bool = false
  ) throws(ScenarioError) -> [RecordedRow] {
    let path = "\(folder)/\(table).jsonl"
    guard let data = FileManager.default.contents(atPath: path) else {
      guard required else { return [] }
      throw ScenarioError(
        file: path, message: "the file can't be read",
        hint: "--tables takes a folder with users.jsonl and images.jsonl")
    }
    var rows: [RecordedRow] = []
    var number = 0
    for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      if line.isEmpty { continue }
      guard let object = Recording.parse(Array(line)) else {
        throw ScenarioError(
          file: path, line: number, column: 1, message: "the line is not a JSON object")
      }
      rows.append(RecordedRow(object: object, file: path, line: number))
    }
    return rows
  }
}

/// One row of a recorded table.
private struct RecordedRow {
  let object: [String: Any]
  let file: String
  let line: Int

  func user() throws(ScenarioError) -> User {
    User(
      id: try id("id"), username: try text("username"),
      tosVersionAccepted: try optionalInteger("tos_version_accepted") ?? 1,
      tosAcceptedAt: try optionalTime("tos_accepted_at"),
      countryOfResidence: try optionalText("country_of_residence"),
      yearOfBirth: try optionalInteger("year_of_birth"),
      dateOfBirth: try optionalDate("date_of_birth"),
      isTestAccount: try optionalFlag("is_test_account") ?? false,
      createdAt: try time("created_at"),
      foundIneligibleAt: try optionalTime("found_ineligible_at"))
  }

  func image() throws(ScenarioError) -> Image {
    Image(
      id: try id("id"), userID: try id("user_id"), s3URL: try optionalText("s3_url") ?? "",
      source: try optionalText("source") ?? "user_upload", caption: try optionalText("caption"),
      category: try optionalText("category"), createdAt: try time("created_at"),
      deletedAt: try optionalTime("deleted_at"), views: try optionalInteger("views") ?? 0)
  }

  func comment() throws(ScenarioError) -> Comment {
    Comment(
      id: try id("id"), imageID: try id("image_id"), userID: try id("user_id"),
      content: try text("content"), deletedAt: try optionalTime("deleted_at"),
      createdAt: try time("created_at"))
  }

  func flag() throws(ScenarioError) -> Flag {
    Flag(
      id: try id("id"), userID: try id("user_id"), imageID: try optionalID("image_id"),
      commentID: try optionalID("comment_id"), reason: try text("reason"),
      createdAt: try time("created_at"))
  }

  private func fault(_ column: String, _ wanted: String) -> ScenarioError {
    let seen = object[column].map { "'\($0)'" } ?? "nothing"
    return ScenarioError(
      file: file, line: line, column: 1, message: "\(column) should be \(wanted), not \(seen)")
  }

  private func text(_ column: String) throws(ScenarioError) -> String {
    guard let text = object[column] as? String else { throw fault(column, "a string") }
    return text
  }

  /// Nothing for a column that is missing or null.
  private func optional<Value>(
    _ column: String, _ wanted: String, _ read: (Any) -> Value?
  ) throws(ScenarioError) -> Value? {
    guard let value = object[column], !(value is NSNull) else { return nil }
    guard let read = read(value) else { throw fault(column, wanted) }
    return read
  }

  private func optionalText(_ column: String) throws(ScenarioError) -> String? {
    try optional(column, "a string or null") { $0 as? String }
  }

  private func optionalInteger(_ column: String) throws(ScenarioError) -> Int? {
    try optional(column, "a whole number or null") { $0 as? Int }
  }

  private func optionalFlag(_ column: String) throws(ScenarioError) -> Bool? {
    try optional(column, "true, false or null") { $0 as? Bool }
  }

  private func optionalDate(_ column: String) throws(ScenarioError) -> CivilDate? {
    try optional(column, "a date like 2008-02-29, or null") { value in
      (value as? String).flatMap { ISO8601.parse($0 + "T00:00:00Z")?.date }
    }
  }

  private func id<Entity>(_ column: String) throws(ScenarioError) -> ID<Entity> {
    guard let id = (object[column] as? String).flatMap({ ID<Entity>($0) }) else {
      throw fault(column, "a UUID")
    }
    return id
  }

  private func optionalID<Entity>(_ column: String) throws(ScenarioError) -> ID<Entity>? {
    try optional(column, "a UUID or null") { ($0 as? String).flatMap { ID<Entity>($0) } }
  }

  private func time(_ column: String) throws(ScenarioError) -> EventTime {
    guard let time = (object[column] as? String).flatMap({ ISO8601.parse($0) }) else {
      throw fault(column, "an ISO 8601 instant")
    }
    return time
  }

  private func optionalTime(_ column: String) throws(ScenarioError) -> EventTime? {
    try optional(column, "an ISO 8601 instant or null") {
      ($0 as? String).flatMap { ISO8601.parse($0) }
    }
  }
}
