import Moderation

extension User: StoredRow {
  static let table = RowTable(
    "users",
    [
      ("id", .uuid), ("username", .text), ("tos_version_accepted", .int4),
      ("tos_accepted_at", .timestamp), ("country_of_residence", .text), ("year_of_birth", .int4),
      ("date_of_birth", .date), ("is_test_account", .boolean), ("created_at", .timestamp),
      ("found_ineligible_at", .timestamp),
    ])

  init(from columns: inout ColumnReader) throws {
    self.init(
      id: try columns.id(), username: try columns.text(),
      tosVersionAccepted: try columns.integer(), tosAcceptedAt: try columns.optionalTime(),
      countryOfResidence: try columns.optionalText(), yearOfBirth: try columns.optionalInteger(),
      dateOfBirth: try columns.optionalDate(), isTestAccount: try columns.boolean(),
      createdAt: try columns.time(), foundIneligibleAt: try columns.optionalTime())
  }

  func write(to columns: inout ColumnWriter) throws {
    columns.id(id)
    try columns.text(username)
    try columns.integer(tosVersionAccepted)
    try columns.time(tosAcceptedAt)
    try columns.text(countryOfResidence, limit: 2)
    try columns.integer(yearOfBirth)
    try columns.date(dateOfBirth)
    columns.boolean(isTestAccount)
    try columns.time(createdAt)
    try columns.time(foundIneligibleAt)
  }
}

extension Image: StoredRow {
  static let table = RowTable(
    "images",
    [
      ("id", .uuid), ("user_id", .uuid), ("s3_url", .text), ("source", .text), ("caption", .text),
      ("category", .text), ("created_at", .timestamp), ("deleted_at", .timestamp),
      ("views", .int4),
    ])

  init(from columns: inout ColumnReader) throws {
    self.init(
      id: try columns.id(), userID: try columns.id(), s3URL: try columns.text(),
      source: try columns.text(), caption: try columns.optionalText(),
      category: try columns.optionalText(), createdAt: try columns.time(),
      deletedAt: try columns.optionalTime(), views: try columns.integer())
  }

  func write(to columns: inout ColumnWriter) throws {
    columns.id(id)
    columns.id(userID)
    try columns.text(s3URL)
    try columns.text(source, limit: 32)
    try columns.text(caption)
    try columns.text(category)
    try columns.time(createdAt)
    try columns.time(deletedAt)
    try columns.integer(views)
  }
}

extension Comment: StoredRow {
  static let table = RowTable(
    "comments",
    [
      ("id", .uuid), ("image_id", .uuid), ("user_id", .uuid), ("content", .text),
      ("moderator_hidden", .boolean), ("moderator_action_id", .uuid), ("deleted_at", .timestamp),
      ("created_at", .timestamp),
    ])

  init(from columns: inout ColumnReader) throws {
    self.init(
      id: try columns.id(), imageID: try columns.id(), userID: try columns.id(),
      content: try columns.text(), isModeratorHidden: try columns.boolean(),
      moderatorActionID: try columns.optionalID(), deletedAt: try columns.optionalTime(),
      createdAt: try columns.time())
  }

  func write(to columns: inout ColumnWriter) throws {
    columns.id(id)
    columns.id(imageID)
    columns.id(userID)
    try columns.text(content)
    columns.boolean(isModeratorHidden)
    columns.id(moderatorActionID)
    try columns.time(deletedAt)
    try columns.time(createdAt)
  }
}

extension Flag: StoredRow {
  static let table = RowTable(
    "flags",
    [
      ("id", .uuid), ("user_id", .uuid), ("image_id", .uuid), ("comment_id", .uuid),
      ("reason", .text), ("moderation_action_id", .uuid), ("review_status", .text),
      ("resolved_at", .timestamp), ("created_at", .timestamp),
    ])

  init(from columns: inout ColumnReader) throws {
    self.init(
      id: try columns.id(), userID: try columns.id(), imageID: try columns.optionalID(),
      commentID: try columns.optionalID(), reason: try columns.text(),
      moderationActionID: try columns.optionalID(),
      reviewStatus: try columns.choice("pending, confirmed or rejected"),
      resolvedAt: try columns.optionalTime(), createdAt: try columns.time())
  }

  func write(to columns: inout ColumnWriter) throws {
    columns.id(id)
    columns.id(userID)
    columns.id(imageID)
    columns.id(commentID)
    try columns.text(reason)
    columns.id(moderationActionID)
    try columns.text(reviewStatus.rawValue)
    try columns.time(resolvedAt)
    try columns.time(createdAt)
  }
}

extension ModerationRow: StoredRow {
  static let table = RowTable(
    "moderation",
    [
      ("id", .uuid), ("inference_request_id", .uuid), ("target_type", .text), ("target_id", .uuid),
      ("inference_mode", .text), ("model_version", .text), ("risk_score", .float8),
      ("trigger_type", .text), ("policy_version", .text), ("rationale", .text),
      ("created_at", .timestamp),
    ])

  init(from columns: inout ColumnReader) throws {
    self.init(
      id: try columns.id(), requestID: try columns.optionalID(),
      target: try ModerationTarget(from: &columns), inferenceMode: try columns.text(),
      modelVersion: try columns.optionalText(), riskScore: try columns.double(),
      triggerType: try columns.optionalText(), policyVersion: try columns.text(),
      rationale: try columns.optionalText(), createdAt: try columns.time())
  }

  func write(to columns: inout ColumnWriter) throws {
    columns.id(id)
    columns.id(requestID)
    try columns.text(target.type)
    switch target {
    case .image(let id): columns.id(id)
    case .comment(let id): columns.id(id)
    case .account(let id): columns.id(id)
    }
    try columns.text(inferenceMode, limit: 20)
    try columns.text(modelVersion, limit: 64)
    columns.double(riskScore)
    try columns.text(triggerType, limit: 30)
    try columns.text(policyVersion, limit: 20)
    try columns.text(rationale)
    try columns.time(createdAt)
  }
}

extension ModerationTarget {
  /// What the column of a target's type may hold.
  private enum Kind: String {
    case image, comment, account
  }

  /// Reads two columns: the target's type and its id.
  init(from columns: inout ColumnReader) throws {
    let kind: Kind = try columns.choice("image, comment or account")
    self =
      switch kind {
      case .image: .image(try columns.id())
      case .comment: .comment(try columns.id())
      case .account: .account(try columns.id())
      }
  }
}
