import Moderation

extension User: StoredRow {
  static let table = RowTable(
    "users",
    [
      "id", "username", "tos_version_accepted", "tos_accepted_at", "country_of_residence",
      "year_of_birth", "date_of_birth", "is_test_account", "created_at",
      "found_ineligible_at",
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
    columns.number(tosVersionAccepted)
    try columns.time(tosAcceptedAt)
    try columns.text(countryOfResidence)
    columns.number(yearOfBirth)
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
      "id", "user_id", "s3_url", "source", "caption", "category", "created_at", "deleted_at",
      "views",
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
    try columns.text(source)
    try columns.text(caption)
    try columns.text(category)
    try columns.time(createdAt)
    try columns.time(deletedAt)
    columns.number(views)
  }
}

extension Comment: StoredRow {
  static let table = RowTable(
    "comments",
    [
      "id", "image_id", "user_id", "content", "moderator_hidden", "moderator_action_id",
      "deleted_at", "created_at",
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
      "id", "user_id", "image_id", "comment_id", "reason", "moderation_action_id",
      "review_status", "resolved_at", "created_at",
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
      "id", "inference_request_id", "target_type", "target_id", "inference_mode",
      "model_version", "risk_score", "trigger_type", "policy_version", "rationale", "created_at",
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
    try columns.text(target.idText)
    try columns.text(inferenceMode)
    try columns.text(modelVersion)
    columns.number(riskScore)
    try columns.text(triggerType)
    try columns.text(policyVersion)
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
