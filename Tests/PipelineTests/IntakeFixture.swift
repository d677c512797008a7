import Moderation
import Pipeline
import Ports

/// What intake tests start from: user 1; image 1 and the deleted image 2; comment 1 and the deleted
/// comment 2, both on image 1.
enum IntakeFixture {
  static func insert(into store: any ApplicationStore) async throws {
    try await store.insert(
      users: [Rows.user(1)],
      images: [Rows.image(1), Rows.image(2, deletedAt: Sample.start)],
      comments: [Rows.comment(1), Rows.comment(2, deletedAt: Sample.start)])
  }

  /// A valid user to create.
  static func newUser(_ change: (inout NewUser) -> Void = { _ in }) -> NewUser {
    var new = NewUser(username: "ann")
    change(&new)
    return new
  }

  /// A valid image to upload.
  static func newImage(_ change: (inout NewImage) -> Void = { _ in }) -> NewImage {
    var new = NewImage(userID: .number(1), file: [0xFF, 0xD8])
    change(&new)
    return new
  }

  /// A valid comment to write.
  static func newComment(
    image: UInt64 = 1, user: UInt64 = 1, content: String = "yum"
  ) -> NewComment {
    NewComment(imageID: .number(image), userID: .number(user), content: content)
  }

  /// A valid flag of image 1.
  static func newFlag(
    user: UInt64 = 1, image: UInt64? = 1, comment: UInt64? = nil, reason: String = "bad"
  ) -> NewFlag {
    NewFlag(
      userID: .number(user), imageID: image.map { .number($0) },
      commentID: comment.map { .number($0) }, reason: reason)
  }
}

/// One of the API's requests that write, by name.
struct IntakeRequest: CustomStringConvertible, Sendable {
  let description: String
  let send: @Sendable (Intake, RequestIdentity) async throws -> Void

  init(
    _ description: String,
    _ send: @escaping @Sendable (Intake, RequestIdentity) async throws -> Void
  ) {
    self.description = description
    self.send = send
  }

  /// Those that insert a row.
  static let inserting: [IntakeRequest] = [
    IntakeRequest("user") { _ = try await $0.createUser(IntakeFixture.newUser(), $1) },
    IntakeRequest("upload") { _ = try await $0.upload(IntakeFixture.newImage(), $1) },
    IntakeRequest("comment") { _ = try await $0.comment(IntakeFixture.newComment(), $1) },
    IntakeRequest("flag") { _ = try await $0.flag(IntakeFixture.newFlag(), $1) },
  ]

  /// Those that publish an event.
  static let publishing = inserting.dropFirst() + [view]

  /// A view by user 1.
  static let view = IntakeRequest("view") { _ = try await $0.view(.number(1), by: .number(1), $1) }

  /// All that carry an identity.
  static let identified = inserting + [view]

  /// All that go to the database.
  static let all =
    identified + [
      IntakeRequest("correct user") { intake, _ in
        _ = try await intake.correctUser(.number(1), yearOfBirth: 2000, dateOfBirth: nil)
      },
      IntakeRequest("image") { intake, _ in _ = try await intake.image(.number(1)) },
      IntakeRequest("delete image") { intake, _ in try await intake.deleteImage(.number(1)) },
      IntakeRequest("delete comment") { intake, _ in try await intake.deleteComment(.number(1)) },
    ]
}

extension ApplicationStore {
  /// How many rows and outbox entries there are.
  func size() async throws -> [Int] {
    let tables = try await snapshot()
    return [
      tables.users.count, tables.images.count, tables.comments.count, tables.flags.count,
      try await outbox(limit: 10_000).count,
    ]
  }
}
