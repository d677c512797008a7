import Moderation
import Ports

/// Training rows from a snapshot of the database and the lake's history: no I/O, no clock.
public struct TrainingSet {
  private let policy: PipelinePolicy
  private let users: [UserID: User]
  private let snapshot: ApplicationSnapshot
  private let knownUntil: EventTime
  private var history: [ImageID: [Metric: [HistoricEvent]]] = [:]
  private var windows: [ImageID: [Metric: [AggregateWindow]]] = [:]
  private var flagTimes: [ImageID: [EventTime]] = [:]
  private var uploads: [UserID: UploadHistory] = [:]
  private let deletedComments: Set<String>

  /// Gathers what rows are computed from.
  ///
  /// - Parameter knownUntil: the instant up to which the lake's history is complete: no row looks
  ///   beyond it.
  public init(snapshot: ApplicationSnapshot, knownUntil: EventTime, policy: PipelinePolicy) {
    self.policy = policy
    self.snapshot = snapshot
    self.knownUntil = knownUntil
    users = Dictionary(uniqueKeysWithValues: snapshot.users.map { ($0.id, $0) })
    deletedComments = Set(
      snapshot.comments.filter { $0.deletedAt != nil }.map { $0.id.description })
    for flag in snapshot.flags {
      guard let image = flag.imageID, let reporter = users[flag.userID],
        policy.governance.isEligible(reporter, at: flag.createdAt)
      else { continue }
      flagTimes[image, default: []].append(flag.createdAt)
    }
    for index in snapshot.images.indices { count(snapshot.images[index]) }
  }

  /// Adds a bronze table's rows. An actor's eligibility is both what intake stamped and what is
  /// known of the actor now; deleted comments are left out.
  ///
  /// - Parameter leavingOut: ids of events to ignore: with the late ones left out, a row shows what
  ///   was known at its instant.
  public mutating func addHistory(
    _ metric: Metric, _ rows: RecordBatch, leavingOut: Set<String> = []
  ) {
    let ids = rows.strings("event_id")
    let images = rows.strings("image_id")
    let actors = rows.strings("user_id")
    let eligible = rows.booleans("actor_eligible")
    let times = rows.integers("event_time")
    for row in images.indices {
      guard let image = ImageID(images[row]), !deletedComments.contains(ids[row]),
        !leavingOut.contains(ids[row])
      else { continue }
      let time = EventTime(microseconds: times[row])
      let actor = UserID(actors[row]).flatMap { users[$0] }
      let isEligible =
        eligible[row] && (actor.map { policy.governance.isEligible($0, at: time) } ?? true)
      history[image, default: [:]][metric, default: []].append(
        HistoricEvent(time: time, isEligible: isEligible))
    }
  }

  /// Adds a window table's rows.
  public mutating func addWindows(_ metric: Metric, _ rows: RecordBatch) {
    let images = rows.strings("image_id")
    let starts = rows.integers("window_start")
    let counts = rows.integers("event_count")
    for row in images.indices {
      guard let image = ImageID(images[row]) else { continue }
      windows[image, default: [:]][metric, default: []].append(
        AggregateWindow(
          start: EventTime(microseconds: starts[row]), count: Int(counts[row])))
    }
  }

  /// The rows of eligible images, by (upload, image, decision point).
  ///
  /// - Parameter chosen: only these images; nil means all.
  public func rows(only chosen: Set<ImageID>? = nil) -> [TrainingRow] {
    snapshot.images.flatMap { image -> [TrainingRow] in
      guard chosen?.contains(image.id) ?? true, let uploader = users[image.userID],
        policy.governance.isEligible(image, uploader: uploader)
      else { return [] }
      return OfflineFeatures.decisionPoints.compactMap { row(image, uploader, minutes: $0) }
    }
  }

  private func row(_ image: Image, _ uploader: User, minutes: Int) -> TrainingRow? {
    let cutoff = image.createdAt + .seconds(60 * minutes)
    // The lab doesn't wait for a decision point to come.
    guard policy.offline == .lab || cutoff <= knownUntil else { return nil }
    let subject = ScoringSubject(
      uploadedAt: image.createdAt, category: image.category,
      captionLength: image.caption?.scalarCount ?? 0,
      accountCreatedAt: uploader.createdAt,
      userImageCount: uploads[uploader.id]?.existing(asOf: cutoff) ?? 0)
    let features =
      switch policy.offline {
      case .pointInTime:
        OfflineFeatures.pointInTime(
          subject: subject, history: history[image.id] ?? [:], asOf: cutoff)
      case .lab:
        OfflineFeatures.lab(subject: subject, windows: windows[image.id] ?? [:], cutoff: cutoff)
      }
    return TrainingRow(
      image: image.id, decisionPointMinutes: minutes, features: features,
      category: image.category,
      label: policy.labels.label(
        upload: image.createdAt, decisionPoint: .seconds(60 * minutes),
        flags: flagTimes[image.id] ?? [], knownUntil: knownUntil))
  }

  /// Counts an image for its uploader. Ours: while it existed. The lab's: if it is eligible today.
  private mutating func count(_ image: Image) {
    if policy.offline == .lab {
      guard let uploader = users[image.userID],
        policy.governance.isEligible(image, uploader: uploader)
      else { return }
    }
    uploads[image.userID, default: UploadHistory()].add(image)
  }
}
