/// What can make the platform look at an image again (REFERENCE §4).
public enum Trigger: Hashable, Sendable, Comparable {
  /// Views in 5 minutes reached the threshold.
  case viral
  /// Comments in 1 minute reached the threshold.
  case suspicious
  /// Flags in 5 minutes reached the threshold.
  case flagged
  /// Views in 1 hour reached the threshold: logged, no request.
  case popular
  /// Total views reached this number: logged, no request.
  case milestone(Int)
  /// This many minutes have passed since the upload.
  case anchor(minutes: Int)
  /// Somebody asked for a score as of an instant.
  case scoreAt

  /// The name in requests, tables and outputs.
  public var name: String {
    switch self {
    case .viral: "viral"
    case .suspicious: "suspicious"
    case .flagged: "flagged"
    case .popular: "popular"
    case .milestone(let views): "milestone_\(views)"
    // The default anchors are literals: their names are asked for at every score.
    case .anchor(minutes: 0): "anchor_0m"
    case .anchor(minutes: 5): "anchor_5m"
    case .anchor(minutes: 30): "anchor_30m"
    case .anchor(let minutes): "anchor_\(minutes)m"
    case .scoreAt: "score_at"
    }
  }

  /// The trigger of this name, or nil.
  public init?(name: String) {
    switch name {
    // Nearly all requests are for the default anchors, and names are compared one by one.
    case "anchor_0m": self = .anchor(minutes: 0)
    case "anchor_5m": self = .anchor(minutes: 5)
    case "anchor_30m": self = .anchor(minutes: 30)
    case "viral": self = .viral
    case "suspicious": self = .suspicious
    case "flagged": self = .flagged
    case "popular": self = .popular
    case "score_at": self = .scoreAt
    default:
      if name.hasPrefix("anchor_"), name.hasSuffix("m"),
        let minutes = Int(name.dropFirst(7).dropLast()), minutes >= 0
      {
        self = .anchor(minutes: minutes)
      } else if name.hasPrefix("milestone_"), let views = Int(name.dropFirst(10)), views > 0 {
        self = .milestone(views)
      } else {
        return nil
      }
      // `Int` reads `+5` and `05` too, which no trigger is called.
      guard self.name == name else { return nil }
    }
  }

  /// Whether it asks for a score, or is only logged.
  public var asksForScore: Bool {
    switch self {
    case .popular, .milestone: false
    case .viral, .suspicious, .flagged, .anchor, .scoreAt: true
    }
  }

  /// Orders by name.
  public static func < (a: Self, b: Self) -> Bool { a.name < b.name }
}

/// The thresholds; nil switches a trigger off.
public struct TriggerPolicy: Hashable, Sendable {
  /// Views in 5 minutes.
  public var viral: Int? = 100
  /// Comments in 1 minute.
  public var suspicious: Int? = 10
  /// Flags in 5 minutes.
  public var flagged: Int? = 2
  /// Views in 1 hour.
  public var popular: Int? = 50
  /// Total views, ascending.
  public var milestones: [Int] = [10, 100, 1000]
  /// Minutes after the upload at which an image is scored.
  public var anchors: [Int] = [0, 5, 30]

  /// REFERENCE §4's defaults.
  public init() {}
}

/// A trigger that fired: the start of at most one score.
public struct FiredTrigger: Hashable, Sendable {
  /// The image.
  public var image: ImageID
  /// What fired.
  public var trigger: Trigger
  /// The instant that the score is about: the event time that crossed the threshold, or the upload
  /// plus the anchor.
  public var asOf: EventTime
  /// The count that crossed the threshold; nil for anchors.
  public var count: Int?

  /// A fired trigger.
  public init(image: ImageID, trigger: Trigger, asOf: EventTime, count: Int? = nil) {
    self.image = image
    self.trigger = trigger
    self.asOf = asOf
    self.count = count
  }
}
