import Moderation
import Ports

/// What must leave the lake, and what must be recomputed: no I/O, no clock.
struct ErasurePlan {
  /// Deleted images, and those of users found ineligible; as text, as tables hold them.
  private(set) var images: Set<String> = []
  /// Deleted comments, and those on erased images.
  private(set) var comments: Set<String> = []
  /// Users found ineligible.
  private(set) var users: Set<String> = []
  /// Event ids to remove, by metric.
  private(set) var events: [Metric: Set<String>] = [:]
  /// The events that stay, by metric.
  private(set) var remaining: [Metric: RecordBatch] = [:]
  /// Windows that lose some of their events, with the count of the rest.
  private(set) var remainingWindows: [Metric: [WindowKey: Int64]] = [:]
  /// Since when scored vectors of images that stay were fed by what goes, in microseconds.
  private(set) var fedSince: [String: Int64] = [:]
  /// Images that stay, but whose training rows were fed by what goes.
  private(set) var affectedImages: Set<String> = []

  /// Compares the lake with what the database says now.
  ///
  /// - Parameter marks: rows of ``LakeTables/erasureMarks``: what earlier erasures took.
  init(
    snapshot: ApplicationSnapshot, bronze: [Metric: RecordBatch], marks: RecordBatch,
    governance: Governance
  ) {
    let found = FoundUsers(snapshot.users, governance)
    users = found.ids
    for image in snapshot.images
    where image.deletedAt != nil || found.take(image.userID.description, at: image.createdAt) {
      images.insert(image.id.description)
    }
    for comment in snapshot.comments
    where comment.deletedAt != nil || images.contains(comment.imageID.description) {
      comments.insert(comment.id.description)
    }
    for (image, since) in zip(marks.strings("image_id"), marks.integers("fed_since")) {
      noteFed(image, since: since)
    }
    for metric in Metric.allCases {
      if let rows = bronze[metric] { splitEvents(metric, rows, found) }
    }
    // The scorer may have seen what the lake never had; and a found user's flags made labels, too.
    for comment in snapshot.comments
    where comment.deletedAt != nil || found.take(comment.userID.description, at: comment.createdAt)
    {
      noteFed(comment.imageID.description, since: comment.createdAt.microseconds)
    }
    for flag in snapshot.flags
    where found.take(flag.userID.description, at: flag.createdAt) {
      guard let image = flag.imageID?.description, !images.contains(image) else { continue }
      affectedImages.insert(image)
      noteFed(image, since: flag.createdAt.microseconds)
    }
  }

  private mutating func noteFed(_ image: String, since: Int64) {
    guard !images.contains(image) else { return }
    fedSince[image] = min(fedSince[image] ?? .max, since)
  }

  private mutating func splitEvents(
    _ metric: Metric, _ rows: RecordBatch, _ found: FoundUsers
  ) {
    let ids = rows.strings("event_id")
    let targets = rows.strings("image_id")
    let actors = rows.strings("user_id")
    let times = rows.integers("event_time")
    var keep = Array(repeating: true, count: rows.count)
    var touched: Set<WindowKey> = []
    for row in ids.indices {
      let time = EventTime(microseconds: times[row])
      let isGone = images.contains(targets[row])
      guard isGone || comments.contains(ids[row]) || found.take(actors[row], at: time)
      else { continue }
      keep[row] = false
      events[metric, default: []].insert(ids[row])
      if !isGone {
        affectedImages.insert(targets[row])
        noteFed(targets[row], since: times[row])
        touched.insert(
          WindowKey(image: targets[row], start: TumblingWindow.start(of: time).microseconds))
      }
    }
    var rest: [WindowKey: Int64] = Dictionary(uniqueKeysWithValues: touched.map { ($0, 0) })
    for row in ids.indices where keep[row] {
      let start = TumblingWindow.start(of: EventTime(microseconds: times[row])).microseconds
      let key = WindowKey(image: targets[row], start: start)
      if touched.contains(key) { rest[key, default: 0] += 1 }
    }
    remaining[metric] = rows.filtered(keep)
    remainingWindows[metric] = rest
  }
}

/// The users who were found ineligible, by their ids as the tables write them.
private struct FoundUsers {
  private let users: [String: User]
  private let governance: Governance

  init(_ users: [User], _ governance: Governance) {
    let found = users.lazy.filter { governance.isFound($0) }
    self.users = Dictionary(uniqueKeysWithValues: found.map { ($0.id.description, $0) })
    self.governance = governance
  }

  var ids: Set<String> { Set(users.keys) }

  /// Whether what a user did at an instant goes with them.
  func take(_ user: String, at time: EventTime) -> Bool {
    users[user].map { !governance.isEligible($0, at: time) } ?? false
  }
}
