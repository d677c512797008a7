/// Everything the feature store knows of one image: its counters, and which triggers have fired.
///
/// A value with no clock and no I/O: the in-memory store holds these, and the oracles of the tests
/// check what any store answers against it.
public struct ImageWindows: Sendable {
  /// What the upload event said.
  public struct Metadata: Hashable, Sendable {
    /// The category as sent.
    public var category: String?
    /// Unicode scalars of the caption.
    public var captionLength: Int
    /// The upload's instant.
    public var uploadedAt: EventTime
    /// The uploader.
    public var user: UserID?

    /// Upload metadata.
    public init(category: String?, captionLength: Int, uploadedAt: EventTime, user: UserID?) {
      self.category = category
      self.captionLength = captionLength
      self.uploadedAt = uploadedAt
      self.user = user
    }
  }

  // The first three lie together: a view needs them all, and nearly all events are views.
  private var fired = ThresholdTriggers()
  /// Milestones are reached in order, so counting them is enough.
  private var milestonesReached: UInt32 = 0
  private var views = RollingCounter()
  private var comments = RollingCounter()
  private var flags = RollingCounter()
  /// Set once the upload event came.
  public private(set) var metadata: Metadata?

  /// An image that nothing is known of.
  public init() {}

  /// The counts as known at `asOf`.
  public func counts(asOf: EventTime) -> EngagementCounts {
    EngagementCounts(
      views5min: views.count(.fiveMinutes, asOf: asOf),
      views1hr: views.count(.oneHour, asOf: asOf),
      comments5min: comments.count(.fiveMinutes, asOf: asOf),
      comments1hr: comments.count(.oneHour, asOf: asOf),
      flags5min: flags.count(.fiveMinutes, asOf: asOf),
      flags1hr: flags.count(.oneHour, asOf: asOf),
      totalViews: views.total(asOf: asOf),
      totalComments: comments.total(asOf: asOf),
      totalFlags: flags.total(asOf: asOf))
  }

  /// Notes the first upload; gives the anchors that it starts.
  public mutating func upload(
    _ metadata: Metadata, image: ImageID, policy: TriggerPolicy
  ) -> [FiredTrigger] {
    // An image is uploaded once, whatever a producer says.
    guard self.metadata == nil else { return [] }
    self.metadata = metadata
    return policy.anchors.map { minutes in
      FiredTrigger(
        image: image, trigger: .anchor(minutes: minutes),
        asOf: EventTime(
          microseconds: metadata.uploadedAt.microseconds + Int64(minutes) * 60_000_000))
    }
  }

  /// Looks at what ``record(_:at:visibleFrom:isEligible:image:policy:fired:)`` will change, so that
  /// the processor has it near by then: looks in a row wait for memory at the same time, where
  /// records in a row wait one after the other.
  ///
  /// - Returns: something that depends on it.
  @inline(never) @discardableResult
  public func touch(_ metric: Metric?) -> Int64 {
    switch metric {
    case .views: views.newestKept
    case .comments: comments.newestKept
    case .flags: flags.newestKept
    case nil: metadata?.uploadedAt.microseconds ?? 0
    }
  }

  /// Counts one event; appends the triggers that it fires, each once in the image's life.
  ///
  /// - Parameter visibleFrom: the instant after the watermark at its arrival when it came late,
  ///   else nil.
  public mutating func record(
    _ metric: Metric, at time: EventTime, visibleFrom: EventTime?, isEligible: Bool,
    image: ImageID, policy: TriggerPolicy, fired output: inout [FiredTrigger]
  ) {
    switch metric {
    case .views:
      let asOf = views.record(time, visibleFrom: visibleFrom, isEligible: isEligible)
      check(.viral, policy.viral, .fiveMinutes, views, asOf, image, &output)
      check(.popular, policy.popular, .oneHour, views, asOf, image, &output)
      checkMilestones(policy.milestones, asOf, image, &output)
    case .comments:
      let asOf = comments.record(time, visibleFrom: visibleFrom, isEligible: isEligible)
      check(.suspicious, policy.suspicious, .oneMinute, comments, asOf, image, &output)
    case .flags:
      let asOf = flags.record(time, visibleFrom: visibleFrom, isEligible: isEligible)
      check(.flagged, policy.flagged, .fiveMinutes, flags, asOf, image, &output)
    }
  }

  /// Forgets event times at or before `horizon`; see ``RollingCounter/trim(through:)``.
  public mutating func trim(through horizon: EventTime) {
    views.trim(through: horizon)
    comments.trim(through: horizon)
    flags.trim(through: horizon)
  }

  /// Forgets which triggers have fired: what a consumer that keeps that memory in its process does
  /// at a restart (REFERENCE §10.10).
  mutating func forgetTriggers() { fired = [] }

  private mutating func check(
    _ trigger: Trigger, _ threshold: Int?, _ window: RollingWindow, _ counter: RollingCounter,
    _ asOf: EventTime, _ image: ImageID, _ output: inout [FiredTrigger]
  ) {
    // Nearly no image has had that many events at all, let alone within the window.
    guard let threshold, counter.kept >= threshold, !fired.contains(ThresholdTriggers(trigger)),
      counter.reaches(threshold, window, asOf: asOf)
    else { return }
    let count = counter.count(window, asOf: asOf).observed
    fired.insert(ThresholdTriggers(trigger))
    output.append(FiredTrigger(image: image, trigger: trigger, asOf: asOf, count: count))
  }

  private mutating func checkMilestones(
    _ milestones: [Int], _ asOf: EventTime, _ image: ImageID, _ output: inout [FiredTrigger]
  ) {
    var next = Int(milestonesReached)
    guard next < milestones.count, views.all >= milestones[next] else { return }
    let total = views.total(asOf: asOf).observed
    while next < milestones.count, total >= milestones[next] {
      let milestone = milestones[next]
      next += 1
      output.append(
        FiredTrigger(image: image, trigger: .milestone(milestone), asOf: asOf, count: total))
    }
    milestonesReached = UInt32(next)
  }
}

/// Which of the threshold triggers: asked at every event, so it is a word of bits.
private struct ThresholdTriggers: OptionSet, Sendable {
  let rawValue: UInt8

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The bit of a trigger; none for those without a threshold.
  init(_ trigger: Trigger) {
    rawValue =
      switch trigger {
      case .viral: 1
      case .suspicious: 2
      case .flagged: 4
      case .popular: 8
      case .milestone, .anchor, .scoreAt: 0
      }
  }
}

/// The counts behind a feature vector, in both flavours.
public struct EngagementCounts: Hashable, Sendable {
  /// Views in the last 5 minutes.
  public var views5min = RollingCounter.Tally()
  /// Views in the last hour.
  public var views1hr = RollingCounter.Tally()
  /// Comments in the last 5 minutes.
  public var comments5min = RollingCounter.Tally()
  /// Comments in the last hour.
  public var comments1hr = RollingCounter.Tally()
  /// Flags in the last 5 minutes.
  public var flags5min = RollingCounter.Tally()
  /// Flags in the last hour.
  public var flags1hr = RollingCounter.Tally()
  /// All views so far.
  public var totalViews = RollingCounter.Tally()
  /// All comments so far.
  public var totalComments = RollingCounter.Tally()
  /// All flags so far.
  public var totalFlags = RollingCounter.Tally()

  /// Counts; zero where not given.
  public init(
    views5min: RollingCounter.Tally = .init(), views1hr: RollingCounter.Tally = .init(),
    comments5min: RollingCounter.Tally = .init(), comments1hr: RollingCounter.Tally = .init(),
    flags5min: RollingCounter.Tally = .init(), flags1hr: RollingCounter.Tally = .init(),
    totalViews: RollingCounter.Tally = .init(), totalComments: RollingCounter.Tally = .init(),
    totalFlags: RollingCounter.Tally = .init()
  ) {
    self.views5min = views5min
    self.views1hr = views1hr
    self.comments5min = comments5min
    self.comments1hr = comments1hr
    self.flags5min = flags5min
    self.flags1hr = flags1hr
    self.totalViews = totalViews
    self.totalComments = totalComments
    self.totalFlags = totalFlags
  }

  /// Whether both flavours of every count are the same: nobody ineligible did anything.
  public var areAllGoverned: Bool {
    views5min.isGoverned && views1hr.isGoverned && comments5min.isGoverned
      && comments1hr.isGoverned && flags5min.isGoverned && flags1hr.isGoverned
      && totalViews.isGoverned && totalComments.isGoverned && totalFlags.isGoverned
  }
}

extension RollingCounter.Tally {
  fileprivate var isGoverned: Bool { observed == governed }
}
