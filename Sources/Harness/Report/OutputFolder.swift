import Foundation
import Moderation
import Pipeline
import Ports

/// Writes what a run left behind: `--out DIR` (DESIGN §8).
public struct OutputFolder: Sendable {
  /// The folder.
  public let path: String

  /// A folder; made when it isn't there.
  public init(_ path: String) throws {
    self.path = path
    try FileManager.default.createDirectory(
      atPath: "\(path)/tables", withIntermediateDirectories: true)
  }

  /// Writes every file of a run but the trace, which is written while it runs.
  public func write(_ run: RunResult, _ judgement: Judgement, wallSeconds: Double) throws {
    for table in OutputTables(run).all { try write("\(table.name).csv", table.text) }
    try write("\(SkewReport.file).csv", run.skew.table.text)
    if !run.planted.isEmpty { try write("planted.csv", OutputTables(run).planted.text) }
    try write("events.jsonl", Self.lines(run.applied, Self.line))
    try write("tables/users.jsonl", Self.lines(run.tables.users, DatabaseRows.line))
    try write("tables/images.jsonl", Self.lines(run.tables.images, DatabaseRows.line))
    try write("tables/comments.jsonl", Self.lines(run.tables.comments, DatabaseRows.line))
    try write("tables/flags.jsonl", Self.lines(run.tables.flags, DatabaseRows.line))
    try write("tables/moderation.jsonl", Self.lines(run.tables.moderation, DatabaseRows.line))
    for (version, model) in run.models.models {
      let folder = "models/\(version)"
      try FileManager.default.createDirectory(
        atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
      try write("\(folder)/\(ModelRegistry.modelFile)", model.json)
      if let metadata = run.models.metadata[version] {
        try write("\(folder)/\(ModelRegistry.metadataFile)", metadata)
      }
    }
    let summary = RunSummary(run, judgement, wallSeconds: wallSeconds)
    try write("summary.json", Array(summary.json.utf8))
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }

  private static func lines<Row>(_ rows: [Row], _ line: (Row) -> [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    for row in rows {
      bytes.append(contentsOf: line(row))
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  static func line(_ applied: AppliedRecord) -> [UInt8] {
    let record = applied.record
    var json = JSONWriter(capacity: 480)
    json.field("topic", record.partition.topic)
    json.field("partition", Int64(record.partition.partition))
    json.field("offset", record.offset)
    json.field("timestamp", record.timestampMilliseconds)
    json.field("key", record.key.map { String(decoding: $0, as: UTF8.self) })
    if let value = String(validating: record.value, as: UTF8.self) {
      json.field("value", value)
    } else {
      json.field("value_base64", Base64.encode(record.value))
    }
    json.field("now", applied.appliedAt.microseconds)
    return json.finish()
  }
}

/// Rows of the database as JSON lines, columns as in REFERENCE §1.
enum DatabaseRows {
  static func line(_ user: User) -> [UInt8] {
    var json = JSONWriter()
    json.field("id", user.id)
    json.field("username", user.username)
    json.field("tos_version_accepted", Int64(user.tosVersionAccepted))
    json.field("tos_accepted_at", user.tosAcceptedAt)
    json.field("country_of_residence", user.countryOfResidence)
    json.field("year_of_birth", user.yearOfBirth.map { Int64($0) })
    json.field(
      "date_of_birth",
      user.dateOfBirth.map {
        String(EventTime(date: $0, microsecondsIntoDay: 0).description.prefix(10))
      })
    json.field("is_test_account", user.isTestAccount)
    json.field("created_at", user.createdAt)
    json.field("found_ineligible_at", user.foundIneligibleAt)
    return json.finish()
  }

  static func line(_ image: Image) -> [UInt8] {
    var json = JSONWriter()
    json.field("id", image.id)
    json.field("user_id", image.userID)
    json.field("s3_url", image.s3URL)
    json.field("source", image.source)
    json.field("caption", image.caption)
    json.field("category", image.category)
    json.field("created_at", image.createdAt)
    json.field("deleted_at", image.deletedAt)
    json.field("views", Int64(image.views))
    return json.finish()
  }

  static func line(_ comment: Comment) -> [UInt8] {
    var json = JSONWriter()
    json.field("id", comment.id)
    json.field("image_id", comment.imageID)
    json.field("user_id", comment.userID)
    json.field("content", comment.content)
    json.field("moderator_hidden", comment.isModeratorHidden)
    json.field("moderator_action_id", comment.moderatorActionID)
    json.field("deleted_at", comment.deletedAt)
    json.field("created_at", comment.createdAt)
    return json.finish()
  }

  static func line(_ flag: Flag) -> [UInt8] {
    var json = JSONWriter()
    json.field("id", flag.id)
    json.field("user_id", flag.userID)
    json.field("image_id", flag.imageID)
    json.field("comment_id", flag.commentID)
    json.field("reason", flag.reason)
    json.field("moderation_action_id", flag.moderationActionID)
    json.field("review_status", flag.reviewStatus.rawValue)
    json.field("resolved_at", flag.resolvedAt)
    json.field("created_at", flag.createdAt)
    return json.finish()
  }

  static func line(_ row: ModerationRow) -> [UInt8] {
    var json = JSONWriter()
    json.field("id", row.id)
    json.field("inference_request_id", row.requestID)
    json.field("target_type", row.target.type)
    json.field("target_id", row.target.idText)
    json.field("inference_mode", row.inferenceMode)
    json.field("model_version", row.modelVersion)
    json.field("risk_score", row.riskScore)
    json.field("trigger_type", row.triggerType)
    json.field("policy_version", row.policyVersion)
    json.field("rationale", row.rationale)
    json.field("created_at", row.createdAt)
    return json.finish()
  }
}
