import Moderation
import Ports

/// Rows by number: row 7 of a table has id 7.
enum Rows {
  static func user(
    _ id: UInt64, born: CivilDate? = nil, bornIn year: Int? = nil, isTest: Bool = false,
    at seconds: Int64 = -86_400, isFound: Bool = false
  ) -> User {
    User(
      id: .number(id), username: "user-\(id)", yearOfBirth: year ?? born?.year, dateOfBirth: born,
      isTestAccount: isTest, createdAt: Sample.at(seconds),
      foundIneligibleAt: isFound ? Sample.start : nil)
  }

  static func image(
    _ id: UInt64, by user: UInt64 = 1, at seconds: Int64 = 0, caption: String? = nil,
    category: String? = "Soup", deletedAt: EventTime? = nil
  ) -> Image {
    Image(
      id: .number(id), userID: .number(user), s3URL: "s3/\(id)", caption: caption,
      category: category, createdAt: Sample.at(seconds), deletedAt: deletedAt)
  }

  static func comment(
    _ id: UInt64, on image: UInt64 = 1, by user: UInt64 = 1, at seconds: Int64 = 0,
    deletedAt: EventTime? = nil
  ) -> Comment {
    Comment(
      id: .number(id), imageID: .number(image), userID: .number(user), content: "comment \(id)",
      deletedAt: deletedAt, createdAt: Sample.at(seconds))
  }

  static func flag(
    _ id: UInt64, image: UInt64? = nil, comment: UInt64? = nil, by user: UInt64 = 1,
    at seconds: Int64 = 0
  ) -> Flag {
    Flag(
      id: .number(id), userID: .number(user), imageID: image.map { .number($0) },
      commentID: comment.map { .number($0) }, reason: "flag \(id)", createdAt: Sample.at(seconds))
  }

  static func score(_ id: UInt64, image: UInt64, risk: Double) -> ModerationRow {
    ModerationRow(
      id: .number(id), requestID: .number(id), target: .image(.number(image)),
      inferenceMode: "heuristic", riskScore: risk, triggerType: nil, createdAt: Sample.start)
  }
}

/// Events by number: an event's id is its number.
enum Events {
  static func upload(
    _ id: UInt64, image: UInt64 = 1, at seconds: Int64, by user: UInt64 = 1
  ) -> PlatformEvent {
    PlatformEvent(
      id: .number(id), time: Sample.at(seconds), actor: .number(user), actorEligible: true,
      subject: .upload(image: .number(image), category: "Soup", caption: "hot", s3URL: "s3"))
  }

  static func view(
    _ id: UInt64, image: UInt64 = 1, at seconds: Int64, by user: UInt64? = nil,
    eligible: Bool = true
  ) -> PlatformEvent {
    PlatformEvent(
      id: .number(id), time: Sample.at(seconds), actor: user.map { .number($0) },
      actorEligible: eligible, subject: .view(image: .number(image)))
  }

  static func comment(
    _ id: UInt64, image: UInt64 = 1, at seconds: Int64, by user: UInt64 = 1, eligible: Bool = true
  ) -> PlatformEvent {
    PlatformEvent(
      id: .number(id), time: Sample.at(seconds), actor: .number(user), actorEligible: eligible,
      subject: .comment(comment: .number(id), image: .number(image), content: "yum"))
  }

  static func flag(
    _ id: UInt64, image: UInt64? = 1, comment: UInt64? = nil, at seconds: Int64,
    by user: UInt64 = 1, eligible: Bool = true
  ) -> PlatformEvent {
    PlatformEvent(
      id: .number(id), time: Sample.at(seconds), actor: .number(user), actorEligible: eligible,
      subject: .flag(
        flag: .number(id), image: image.map { .number($0) }, comment: comment.map { .number($0) },
        reason: "bad"))
  }
}

extension ApplicationStore {
  /// Inserts rows, each in a transaction of its own.
  func insert(
    users: [User] = [], images: [Image] = [], comments: [Comment] = [], flags: [Flag] = [],
    scores: [ModerationRow] = []
  ) async throws(PortError) {
    let mutations: [Mutation] =
      users.map { .insertUser($0) } + images.map { .insertImage($0) }
      + comments.map { .insertComment($0) } + flags.map { .insertFlag($0) }
      + scores.map { .insertModeration($0) }
    for mutation in mutations { _ = try await commit([mutation]) }
  }

  /// The events of the outbox, in order.
  func queuedEvents() async throws -> [PlatformEvent] {
    try await outbox(limit: 10_000).map {
      try EventCodec.decode($0.event.value, fallbackID: .number(0))
    }
  }
}
