import Moderation
import Pipeline
import Ports

/// What erasure takes, told from the database at the end and from the log: deleted images and
/// comments, and what users did whom governance found ineligible after it had been let in.
struct ErasedContent {
  /// What tells of a user that they were found.
  enum Evidence {
    /// An event in the lake that was stamped eligible, or an image in the training set: what
    /// erasure goes by.
    case inLake
    /// Any event that was stamped eligible, uploads included: erasure can have found no others.
    case anything
  }

  /// Deleted images, and those of found users who weren't eligible when they uploaded them.
  private(set) var images: Set<ImageID> = []
  /// Deleted comments, and those on such images.
  private(set) var comments: Set<CommentID> = []
  /// Users found ineligible.
  private(set) var users: Set<UserID> = []
  private let governed: GovernedUsers

  /// What a run's erasure takes; without evidence no user was found.
  init(_ run: RunResult, by evidence: Evidence?) {
    governed = GovernedUsers(run)
    if let evidence { find(run, evidence) }
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

  private mutating func find(_ run: RunResult, _ evidence: Evidence) {
    let offsets = Dictionary(
      uniqueKeysWithValues: Metric.allCases.map {
        ($0.topic, run.offsets(of: LakeTables.events($0)))
      })
    for entry in run.events {
      let event = entry.event
      guard let actor = event.actor, event.actorEligible ?? true, !governed.isEligible(event)
      else { continue }
      let isInLake =
        event.image != nil
        && offsets[entry.position.partition.topic]?.reach(entry.position) ?? false
      if isInLake || evidence == .anything { users.insert(actor) }
    }
    let trained = Set(run.builtRows.map(\.image))
    for image in run.tables.images where trained.contains(image.id) {
      if !governed.isEligible(image.userID, at: image.createdAt) { users.insert(image.userID) }
    }
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

  /// Whether what somebody did at an instant may train a model; nobody known may.
  func isEligible(_ actor: UserID?, at time: EventTime) -> Bool {
    actor.flatMap { users[$0] }.map { governance.isEligible($0, at: time) } ?? true
  }

  /// Whether an event may train a model, its stamp aside.
  func isEligible(_ event: PlatformEvent) -> Bool { isEligible(event.actor, at: event.time) }
}
