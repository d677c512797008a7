import Moderation
import Ports

/// Rows by number: row 7 of a table has id 7, and row 1 of the tables that it refers to.
enum Rows {
  static func user(_ id: UInt64, _ name: String? = nil, at seconds: Int64 = 0) -> User {
    User(id: .number(id), username: name ?? "user-\(id)", createdAt: Sample.at(seconds))
  }

  static func image(
    _ id: UInt64, by user: UInt64 = 1, at seconds: Int64 = 0, deletedAt: EventTime? = nil
  ) -> Image {
    Image(
      id: .number(id), userID: .number(user), s3URL: "s3/\(id)", createdAt: Sample.at(seconds),
      deletedAt: deletedAt)
  }

  static func comment(
    _ id: UInt64, on image: UInt64 = 1, by user: UInt64 = 1, at seconds: Int64 = 0
  ) -> Comment {
    Comment(
      id: .number(id), imageID: .number(image), userID: .number(user), content: "comment \(id)",
      createdAt: Sample.at(seconds))
  }

  static func flag(
    _ id: UInt64, image: UInt64? = nil, comment: UInt64? = nil, by user: UInt64 = 1,
    at seconds: Int64 = 0
  ) -> Flag {
    Flag(
      id: .number(id), userID: .number(user), imageID: image.map { .number($0) },
      commentID: comment.map { .number($0) }, reason: "flag \(id)", createdAt: Sample.at(seconds))
  }

  static func moderation(
    _ id: UInt64, request: UInt64? = nil, image: UInt64 = 1, mode: String = "heuristic",
    risk: Double = 0.5, at seconds: Int64 = 0
  ) -> ModerationRow {
    ModerationRow(
      id: .number(id), requestID: request.map { .number($0) }, target: .image(.number(image)),
      inferenceMode: mode, riskScore: risk, triggerType: nil, createdAt: Sample.at(seconds))
  }

  static func event(_ number: Int, key: UInt64? = 1) -> OutboxEvent {
    OutboxEvent(
      topic: "t", key: key.map { .number($0) }, value: Array("\(number)".utf8),
      time: Sample.at(Int64(number)))
  }

  /// Row 1 of users, images, comments, flags and moderation, committed.
  static func insertFirst(into store: any ApplicationStore) async throws {
    for mutation in [
      .insertUser(user(1)), .insertImage(image(1)), .insertComment(comment(1)),
      .insertFlag(flag(1, image: 1)), .insertModeration(moderation(1)),
    ] as [Mutation] {
      _ = try await store.commit([mutation])
    }
  }
}

extension MutationOutcome {
  /// The row that was there already.
  var existing: Row? {
    if case .existing(let row) = self { row } else { nil }
  }

  /// An image's views.
  var views: Int? {
    if case .views(let count) = self { count } else { nil }
  }

  /// How many rows were changed.
  var changed: Int? {
    if case .changed(let count) = self { count } else { nil }
  }

  /// Whether it was just done.
  var isDone: Bool {
    if case .done = self { true } else { false }
  }
}

extension ApplicationStore {
  /// The outbox's values as text.
  func outboxText() async throws(PortError) -> [String] {
    try await outbox(limit: 1000).map { String(decoding: $0.event.value, as: UTF8.self) }
  }

  /// What is known of an image as of an instant.
  func subject(_ image: ImageID, asOf: EventTime) async throws(PortError) -> SubjectRecord? {
    try await subjects([CountQuestion(image: image, asOf: asOf)])[0]
  }
}
