import Moderation
import Pipeline
import Ports

/// What erasure takes, told from the database at the end: deleted images and comments, and what
/// users did who were found ineligible.
struct ErasedContent {
  /// Deleted images, and those of found users who weren't eligible when they uploaded them.
  private(set) var images: Set<ImageID> = []
  /// Deleted comments, and those on such images.
  private(set) var comments: Set<CommentID> = []
  /// Users found ineligible.
  private(set) var users: Set<UserID> = []
  private let governed: GovernedUsers

  /// What a run's erasure takes.
  init(_ run: RunResult) {
    governed = GovernedUsers(run)
    users = governed.found
    for image in run.tables.images where image.deletedAt != nil || isFound(image) {
      images.insert(image.id)
    }
    for comment in run.tables.comments
    where comment.deletedAt != nil || images.contains(comment.imageID) {
      comments.insert(comment.id)
    }
  }

  /// Whether an event goes.
  func takes(_ event: PlatformEvent) -> Bool {
    if let image = event.image, images.contains(image) { return true }
    if comments.contains(event.id.reinterpreted(as: Comment.self)) { return true }
    guard let actor = event.actor, users.contains(actor) else { return false }
    return !governed.isEligible(event)
  }

  private func isFound(_ image: Image) -> Bool {
    users.contains(image.userID) && !governed.isEligible(image.userID, at: image.createdAt)
  }
}

/// The users as governance sees them at the end of a run.
struct GovernedUsers {
  private let users: [UserID: User]
  private let governance: Governance

  /// The users of a run.
  init(_ run: RunResult) {
    users = Dictionary(uniqueKeysWithValues: run.tables.users.map { ($0.id, $0) })
    governance = run.scenario.policy.governance
  }

  /// The users found ineligible.
  var found: Set<UserID> { Set(users.values.filter { governance.isFound($0) }.map(\.id)) }

  /// Whether what somebody did at an instant may train a model; nobody known may.
  func isEligible(_ actor: UserID?, at time: EventTime) -> Bool {
    actor.flatMap { users[$0] }.map { governance.isEligible($0, at: time) } ?? true
  }

  /// Whether an event may train a model, its stamp aside.
  func isEligible(_ event: PlatformEvent) -> Bool { isEligible(event.actor, at: event.time) }
}
