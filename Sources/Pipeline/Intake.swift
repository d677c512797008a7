import Moderation
import Ports

/// The API's logic (REFERENCE §2): validates a request, writes its rows and its event.
///
/// With `publish: outbox` rows and event are one transaction. Every event is stamped with whether
/// its actor was eligible at that moment.
public struct Intake: Sendable {
  /// Where image files lie: `s3_url` is `<endpoint>/<bucket>/<key>`.
  public static let bucketURL = "http://minio:9000/gourmetgram-images"

  let store: any ApplicationStore
  let objects: any ObjectStore
  let log: any EventLog
  let environment: Environment
  let policy: PipelinePolicy

  /// An intake over its ports.
  public init(
    store: any ApplicationStore, objects: any ObjectStore, log: any EventLog,
    environment: Environment, policy: PipelinePolicy
  ) {
    self.store = store
    self.objects = objects
    self.log = log
    self.environment = environment
    self.policy = policy
  }

  /// `GET /health`: v1 says only that it is there.
  public var health: [String: String] {
    policy.publication == .none
      ? ["status": "ok"] : ["status": "ok", "kafka_enabled": "true"]
  }

  /// `POST /users/`: the new user, or the one who has the name already.
  public func createUser(
    _ new: NewUser, _ identity: RequestIdentity = .init()
  ) async throws(IntakeError) -> User {
    let now = try time(of: identity)
    try Validation.check(new, today: now.date)
    let user = User(
      id: newID(identity, "user"), username: new.username,
      tosVersionAccepted: new.tosVersionAccepted, tosAcceptedAt: new.tosAcceptedAt,
      countryOfResidence: new.countryOfResidence,
      yearOfBirth: new.yearOfBirth ?? new.dateOfBirth?.year, dateOfBirth: new.dateOfBirth,
      isTestAccount: new.isTestAccount, createdAt: now)
    let outcomes = try await commit(.insertUser(user))
    if case .existing(.user(let existing)) = outcomes.first { return existing }
    environment.record("user", [.id("user_id", user.id)])
    return user
  }

  /// `PATCH /users/{id}` (ours): corrects birth year or date.
  public func correctUser(
    _ id: UserID, yearOfBirth: Int?, dateOfBirth: CivilDate?
  ) async throws(IntakeError) -> User {
    let before = try await requireUser(id)
    let now = environment.now.asEventTime
    try Validation.check(yearOfBirth: yearOfBirth, dateOfBirth: dateOfBirth, today: now.date)
    var user = before
    user.yearOfBirth = yearOfBirth ?? dateOfBirth?.year
    user.dateOfBirth = dateOfBirth
    if before.foundIneligibleAt == nil, policy.governance.isFound(user, from: before, at: now) {
      user.foundIneligibleAt = now
    }
    _ = try await commit(.updateUser(user))
    environment.record("user-corrected", [.id("user_id", id)])
    return user
  }

  /// `POST /upload/`.
  public func upload(
    _ new: NewImage, _ identity: RequestIdentity = .init()
  ) async throws(IntakeError) -> Image {
    let now = try time(of: identity)
    try Validation.check(new)
    let user = try await requireUser(new.userID)
    let id: ImageID = newID(identity, "image")
    let key = "\(id).\(new.fileExtension)"
    do throws(PortError) {
      _ = try await objects.putIfAbsent(key, new.file)
    } catch {
      throw IntakeError(error)
    }
    let image = Image(
      id: id, userID: user.id, s3URL: "\(Self.bucketURL)/\(key)", source: new.source,
      caption: new.caption, category: new.category, createdAt: now)
    let event = PlatformEvent(
      id: id.reinterpreted(as: PlatformEvent.self), time: now, actor: user.id,
      actorEligible: policy.governance.isEligible(user, at: now),
      subject: .upload(
        image: id, category: image.category, caption: image.caption, s3URL: image.s3URL))
    let outcomes = try await commit(.insertImage(image), event)
    if case .existing(.image(let existing)) = outcomes.first { return existing }
    return image
  }

  /// `POST /images/{id}/view`: the image's views after this one.
  public func view(
    _ id: ImageID, by viewer: UserID? = nil, _ identity: RequestIdentity = .init()
  ) async throws(IntakeError) -> Int {
    let now = try time(of: identity)
    let isEligible = try await requireActor(viewer, seeing: id, at: now)
    let event = PlatformEvent(
      id: identity.key?.reinterpreted(as: PlatformEvent.self)
        ?? environment.ids.make(label: "view"),
      time: now, actor: viewer,
      actorEligible: isEligible ?? true,
      subject: .view(image: id))
    let outcomes = try await commit(
      .addView(id, key: identity.key == nil ? nil : event.id), event)
    guard case .views(let views) = outcomes.first else { return 0 }
    return views
  }

  /// `POST /comments/`.
  public func comment(
    _ new: NewComment, _ identity: RequestIdentity = .init()
  ) async throws(IntakeError) -> Comment {
    let now = try time(of: identity)
    try Validation.check("content", new.content, 1...10_000)
    let isEligible = try await requireActor(new.userID, seeing: new.imageID, at: now)
    let comment = Comment(
      id: newID(identity, "comment"), imageID: new.imageID, userID: new.userID,
      content: new.content, createdAt: now)
    let event = PlatformEvent(
      id: comment.id.reinterpreted(as: PlatformEvent.self), time: now, actor: new.userID,
      actorEligible: isEligible,
      subject: .comment(comment: comment.id, image: new.imageID, content: new.content))
    let outcomes = try await commit(.insertComment(comment), event)
    if case .existing(.comment(let existing)) = outcomes.first { return existing }
    return comment
  }

  /// `POST /flags/`.
  public func flag(
    _ new: NewFlag, _ identity: RequestIdentity = .init()
  ) async throws(IntakeError) -> Flag {
    let now = try time(of: identity)
    guard new.imageID != nil || new.commentID != nil else {
      throw IntakeError(status: 400, reason: "a flag needs image_id or comment_id")
    }
    try Validation.check("reason", new.reason, 1...2_000)
    let user = try await requireUser(new.userID)
    try await requireTargets(image: new.imageID, comment: new.commentID, at: now)
    let flag = Flag(
      id: newID(identity, "flag"), userID: new.userID, imageID: new.imageID,
      commentID: new.commentID, reason: new.reason, createdAt: now)
    let event = PlatformEvent(
      id: flag.id.reinterpreted(as: PlatformEvent.self), time: now, actor: new.userID,
      actorEligible: policy.governance.isEligible(user, at: now),
      subject: .flag(
        flag: flag.id, image: new.imageID, comment: new.commentID, reason: new.reason))
    let outcomes = try await commit(.insertFlag(flag), event)
    if case .existing(.flag(let existing)) = outcomes.first { return existing }
    return flag
  }

  /// `GET /images/{id}`.
  public func image(_ id: ImageID) async throws(IntakeError) -> Image {
    let rows = try await fetch([.image(id)])
    guard case .image(let image)? = rows[0], image.deletedAt == nil else {
      throw IntakeError(status: 404, field: "image_id", reason: "there is no image \(id)")
    }
    return image
  }

  /// `DELETE /images/{id}`: a soft delete; again, it keeps the first instant.
  public func deleteImage(_ id: ImageID) async throws(IntakeError) {
    _ = try await commit(.deleteImage(id, at: environment.now.asEventTime))
    environment.record("image-deleted", [.id("image_id", id)])
  }

  /// `DELETE /comments/{id}`: a soft delete; again, it keeps the first instant.
  public func deleteComment(_ id: CommentID) async throws(IntakeError) {
    _ = try await commit(.deleteComment(id, at: environment.now.asEventTime))
    environment.record("comment-deleted", [.id("comment_id", id)])
  }
}
