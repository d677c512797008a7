/// A row of `moderation.training_data` (REFERENCE §7).
public struct TrainingRow: Hashable, Sendable {
  /// The name of the label's column.
  public static let labelColumn = "label_needs_moderation_24h"

  /// The image.
  public var image: ImageID
  /// 0, 5 or 30.
  public var decisionPointMinutes: Int
  /// The 18 features that aren't categories, in the contract's order.
  public var features: [Double]
  /// The category as stored.
  public var category: String?
  /// Whether an eligible user flagged the image; nil while that can't be known yet.
  public var label: Bool?

  /// A row; `features` holds 18 values.
  public init(
    image: ImageID, decisionPointMinutes: Int, features: [Double], category: String?, label: Bool?
  ) {
    precondition(features.count == 18, "a training row has 18 features, not \(features.count)")
    self.image = image
    self.decisionPointMinutes = decisionPointMinutes
    self.features = features
    self.category = category
    self.label = label
  }
}

/// An event of the bronze layer, reduced to what features need.
public struct HistoricEvent: Hashable, Sendable {
  /// When it happened.
  public var time: EventTime
  /// Whether the actor was eligible then.
  public var isEligible: Bool

  /// An event of one image and one metric.
  public init(time: EventTime, isEligible: Bool) {
    self.time = time
    self.isEligible = isEligible
  }
}

/// A 5-minute window of the aggregate tables, reduced to what features need.
public struct AggregateWindow: Hashable, Sendable {
  /// The window's start; it ends 5 minutes later.
  public var start: EventTime
  /// Events in it.
  public var count: Int

  /// A window of one image and one metric.
  public init(start: EventTime, count: Int) {
    self.start = start
    self.count = count
  }
}

/// How training features are computed from history (REFERENCE §7).
public enum OfflineFeatures {
  /// The decision points, in minutes after the upload.
  public static let decisionPoints = [0, 5, 30]

  /// The governed value as of an instant, from event-level history: what the scorer saw then.
  ///
  /// - Parameters:
  ///   - history: per metric, the image's events in any order.
  ///   - subject: with the uploader's images that existed at `asOf`.
  public static func pointInTime(
    subject: ScoringSubject, history: [Metric: [HistoricEvent]], asOf: EventTime
  ) -> [Double] {
    let views = history[.views] ?? []
    let comments = history[.comments] ?? []
    let flags = history[.flags] ?? []
    func tally(_ events: [HistoricEvent], within window: Int64?) -> RollingCounter.Tally {
      var tally = RollingCounter.Tally()
      for event in events where event.time <= asOf {
        if let window, event.time.microseconds <= asOf.microseconds - window { continue }
        tally.observed += 1
        if event.isEligible { tally.governed += 1 }
      }
      return tally
    }
    let five = RollingWindow.fiveMinutes.microseconds
    let hour = RollingWindow.oneHour.microseconds
    let counts = EngagementCounts(
      views5min: tally(views, within: five), views1hr: tally(views, within: hour),
      comments5min: tally(comments, within: five), comments1hr: tally(comments, within: hour),
      flags5min: tally(flags, within: five), flags1hr: tally(flags, within: hour),
      totalFlags: tally(flags, within: nil))
    let vector = FeatureVector(subject, counts: counts, flavour: .governed, asOf: asOf)
    return Array(vector.numeric)
  }

  /// The lab's definition, from whole 5-minute windows: `window_start ≥ upload`,
  /// `window_end ≤ cutoff`, the last 5 minutes or hour by `window_end > cutoff − w`.
  ///
  /// - Parameter subject: with the uploader's *eligible* images up to the cutoff, deleted later or
  ///   not at all being the caller's governance; the account's age is taken at the upload.
  public static func lab(
    subject: ScoringSubject, windows: [Metric: [AggregateWindow]], cutoff: EventTime
  ) -> [Double] {
    func sum(_ metric: Metric, within window: Int64?) -> RollingCounter.Tally {
      var total = 0
      for aggregate in windows[metric] ?? [] {
        let end = aggregate.start.microseconds + TumblingWindow.microseconds
        guard aggregate.start >= subject.uploadedAt, end <= cutoff.microseconds else { continue }
        if let window, end <= cutoff.microseconds - window { continue }
        total += aggregate.count
      }
      return RollingCounter.Tally(observed: total, governed: total)
    }
    let five = RollingWindow.fiveMinutes.microseconds
    let hour = RollingWindow.oneHour.microseconds
    let counts = EngagementCounts(
      views5min: sum(.views, within: five), views1hr: sum(.views, within: hour),
      comments5min: sum(.comments, within: five), comments1hr: sum(.comments, within: hour),
      flags5min: sum(.flags, within: five), flags1hr: sum(.flags, within: hour),
      totalFlags: sum(.flags, within: nil))
    var vector = Array(
      FeatureVector(subject, counts: counts, flavour: .governed, asOf: cutoff).numeric)
    let ageAtUpload = subject.uploadedAt.microseconds - subject.accountCreatedAt.microseconds
    vector[17] = Double(ageAtUpload.flooredDivision(by: 86_400_000_000))
    return vector
  }
}
