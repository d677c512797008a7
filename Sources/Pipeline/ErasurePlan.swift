import Moderation
import Ports

/// What must leave the lake, and what must be recomputed: no I/O, no clock.
struct ErasurePlan {
  /// Deleted images, and those of users found ineligible; as text, as tables hold them.
  private(set) var images: Set<String> = []
  /// Deleted comments, and those on erased images.
  private(set) var comments: Set<String> = []
  /// Users found ineligible after their rows entered the lake.
  private(set) var users: Set<String> = []
  /// Event ids to remove first, by metric.
  private(set) var events: [Metric: Set<String>] = [:]
  /// Event ids to remove last: stamped eligible, they tell that a user was found.
  private(set) var markingEvents: [Metric: Set<String>] = [:]
  /// The events that stay, by metric.
  private(set) var remaining: [Metric: RecordBatch] = [:]
  /// Windows that lose some of their events, with the count of the rest.
  private(set) var remainingWindows: [Metric: [WindowKey: Int64]] = [:]
  /// Since when scored vectors of images that stay were fed by what goes, in microseconds.
  private(set) var fedSince: [String: Int64] = [:]
  /// Images that stay, but whose training rows were fed by what goes.
  private(set) var affectedImages: Set<String> = []

  /// Compares the lake with what the database says now.
  init(
    snapshot: ApplicationSnapshot, bronze: [Metric: RecordBatch], training: RecordBatch,
    governance: Governance
  ) {
    let users = Dictionary(uniqueKeysWithValues: snapshot.users.map { ($0.id.description, $0) })
    findUsers(snapshot, users, bronze, training, governance)
    for image in snapshot.images {
      let isFound =
        self.users.contains(image.userID.description)
        && users[image.userID.description].map {
          !governance.isEligible($0, at: image.createdAt)
        } ?? false
      if image.deletedAt != nil || isFound { images.insert(image.id.description) }
    }
    for comment in snapshot.comments
    where comment.deletedAt != nil || images.contains(comment.imageID.description) {
      comments.insert(comment.id.description)
    }
    for metric in Metric.allCases {
      if let rows = bronze[metric] { splitEvents(metric, rows, users, governance) }
    }
    // The scorer may have seen a comment that the lake has lost already, or never had.
    for comment in snapshot.comments where comment.deletedAt != nil {
      let image = comment.imageID.description
      fedSince[image] = min(fedSince[image] ?? .max, comment.createdAt.microseconds)
    }
    // A found user's flags made labels, too.
    for flag in snapshot.flags where self.users.contains(flag.userID.description) {
      if let image = flag.imageID?.description, !images.contains(image) {
        affectedImages.insert(image)
      }
    }
  }

  /// A user is found ineligible when an event of theirs was stamped eligible and isn't, or when an
  /// image of theirs is in the training set and mustn't be.
  private mutating func findUsers(
    _ snapshot: ApplicationSnapshot, _ users: [String: User], _ bronze: [Metric: RecordBatch],
    _ training: RecordBatch, _ governance: Governance
  ) {
    for rows in bronze.values {
      let actors = rows.strings("user_id")
      let stamped = rows.booleans("actor_eligible")
      let times = rows.integers("event_time")
      for row in actors.indices where stamped[row] {
        guard let user = users[actors[row]] else { continue }
        if !governance.isEligible(user, at: EventTime(microseconds: times[row])) {
          self.users.insert(actors[row])
        }
      }
    }
    let trained = Set(training.strings("image_id"))
    for image in snapshot.images where trained.contains(image.id.description) {
      let key = image.userID.description
      if let user = users[key], !governance.isEligible(user, at: image.createdAt) {
        self.users.insert(key)
      }
    }
  }

  private mutating func splitEvents(
    _ metric: Metric, _ rows: RecordBatch, _ users: [String: User], _ governance: Governance
  ) {
    let ids = rows.strings("event_id")
    let targets = rows.strings("image_id")
    let actors = rows.strings("user_id")
    let times = rows.integers("event_time")
    let stamped = rows.booleans("actor_eligible")
    var keep = Array(repeating: true, count: rows.count)
    var touched: Set<WindowKey> = []
    for row in ids.indices {
      let time = EventTime(microseconds: times[row])
      let isFound =
        self.users.contains(actors[row])
        && users[actors[row]].map { !governance.isEligible($0, at: time) } ?? false
      let isGone = images.contains(targets[row])
      guard isGone || isFound || comments.contains(ids[row]) else { continue }
      keep[row] = false
      if isFound && stamped[row] {
        markingEvents[metric, default: []].insert(ids[row])
      } else {
        events[metric, default: []].insert(ids[row])
      }
      if !isGone {
        affectedImages.insert(targets[row])
        fedSince[targets[row]] = min(fedSince[targets[row]] ?? .max, times[row])
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
