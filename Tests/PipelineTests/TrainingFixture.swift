import Moderation
import Ports

@testable import Pipeline

/// What training and erasure tests start from: the same history in the database and in the log,
/// aggregated.
struct TrainingFixture: Sendable {
  var users: [User] = [Rows.user(1), Rows.user(2)]
  var images: [Image] = [Rows.image(1)]
  var comments: [Comment] = []
  var flags: [Flag] = []
  /// Views, by id: of which image, when, by whom.
  var views: [PlatformEvent] = []
  /// How far the history is complete, in seconds.
  var completeThrough: Int64 = 2 * 86_400

  /// Writes rows and events, with the stamps that the users' present state gives, and aggregates.
  func load(_ world: World) async throws {
    let governance = world.policy.governance
    func isEligible(_ user: UserID, at time: EventTime) -> Bool {
      users.first { $0.id == user }.map { governance.isEligible($0, at: time) } ?? true
    }
    try await world.store.insert(users: users, images: images, comments: comments, flags: flags)
    var events = views.map { view in
      var view = view
      view.actorEligible = view.actor.map { isEligible($0, at: view.time) } ?? true
      return view
    }
    for row in comments {
      events.append(
        PlatformEvent(
          id: row.id.reinterpreted(as: PlatformEvent.self), time: row.createdAt,
          actor: row.userID, actorEligible: isEligible(row.userID, at: row.createdAt),
          subject: .comment(comment: row.id, image: row.imageID, content: row.content)))
    }
    for row in flags {
      events.append(
        PlatformEvent(
          id: row.id.reinterpreted(as: PlatformEvent.self), time: row.createdAt,
          actor: row.userID, actorEligible: isEligible(row.userID, at: row.createdAt),
          subject: .flag(
            flag: row.id, image: row.imageID, comment: row.commentID, reason: row.reason)))
    }
    try await world.append(events.sorted { ($0.time, $0.id) < ($1.time, $1.id) })
    try await world.resolve(completeThrough)
    _ = try await world.aggregation.run()
  }

  /// The same platform without a user: neither what they did nor what was done to their images.
  func without(_ user: UInt64) -> TrainingFixture {
    let user: UserID = .number(user)
    let gone = Set(images.filter { $0.userID == user }.map(\.id))
    var rest = self
    rest.users.removeAll { $0.id == user }
    rest.images.removeAll { $0.userID == user }
    rest.comments.removeAll { $0.userID == user || gone.contains($0.imageID) }
    rest.flags.removeAll { flag in
      flag.userID == user || flag.imageID.map { gone.contains($0) } ?? false
    }
    rest.views.removeAll { view in
      view.actor == user || view.image.map { gone.contains($0) } ?? false
    }
    return rest
  }
}
