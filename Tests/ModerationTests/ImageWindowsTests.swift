import Testing

@testable import Moderation

/// One image, its windows, and what has fired so far.
private struct Scene {
  static let image = ImageID(high: 1, low: 1)
  static let start = EventTime.utc(2026, 1, 5, 9)

  var windows = ImageWindows()
  var policy = TriggerPolicy()
  var fired: [FiredTrigger] = []

  var triggers: [Trigger] { fired.map(\.trigger) }

  static func at(_ second: Int) -> EventTime { start + .seconds(second) }

  mutating func record(
    _ metric: Metric, _ seconds: [Int], visibleFrom: Int? = nil, isEligible: Bool = true
  ) {
    for second in seconds {
      windows.record(
        metric, at: Self.at(second), visibleFrom: visibleFrom.map(Self.at), isEligible: isEligible,
        image: Self.image, policy: policy, fired: &fired)
    }
  }

  /// The firing of `trigger`, if it came.
  func firing(_ trigger: Trigger) -> FiredTrigger? { fired.first { $0.trigger == trigger } }
}

@Suite("ImageWindows")
struct ImageWindowsTests {
  /// Metric, trigger, its default threshold, the seconds of its window.
  private static let table: [(Metric, Trigger, Int, Int)] = [
    (.views, .viral, 100, 300), (.comments, .suspicious, 10, 60), (.flags, .flagged, 2, 300),
    (.views, .popular, 50, 3600),
  ]

  @Test("A trigger fires on the event that reaches its threshold, and once", arguments: table)
  func threshold(metric: Metric, trigger: Trigger, threshold: Int, window: Int) {
    var scene = Scene()
    scene.record(metric, Array(repeating: 0, count: threshold - 1))
    #expect(scene.firing(trigger) == nil)
    scene.record(metric, [7])
    #expect(
      scene.firing(trigger)
        == FiredTrigger(
          image: Scene.image, trigger: trigger, asOf: Scene.at(7), count: threshold))
    scene.record(metric, Array(repeating: 8, count: 2 * threshold))
    scene.record(metric, Array(repeating: 100_000, count: 2 * threshold))
    #expect(scene.triggers.count { $0 == trigger } == 1)
  }

  @Test("Only events inside the half-open window reach the threshold", arguments: table)
  func window(metric: Metric, trigger: Trigger, threshold: Int, window: Int) {
    var outside = Scene()
    outside.record(metric, Array(repeating: 0, count: threshold - 1) + [window])
    #expect(outside.firing(trigger) == nil)
    var inside = Scene()
    inside.record(metric, Array(repeating: 1, count: threshold - 1) + [window])
    #expect(inside.firing(trigger)?.asOf == Scene.at(window))
  }

  @Test("A threshold of nil switches its trigger off", arguments: table)
  func off(metric: Metric, trigger: Trigger, threshold: Int, window: Int) {
    var scene = Scene()
    scene.policy.viral = nil
    scene.policy.suspicious = nil
    scene.policy.flagged = nil
    scene.policy.popular = nil
    scene.policy.milestones = []
    scene.record(metric, Array(repeating: 0, count: threshold * 2))
    #expect(scene.fired == [])
  }

  @Test("What ineligible actors do fires triggers too", arguments: table)
  func ineligible(metric: Metric, trigger: Trigger, threshold: Int, window: Int) {
    var scene = Scene()
    scene.record(metric, Array(repeating: 0, count: threshold), isEligible: false)
    #expect(scene.firing(trigger)?.count == threshold)
  }

  @Test("A threshold of 1 fires on the first event")
  func one() {
    var scene = Scene()
    scene.policy.flagged = 1
    scene.record(.flags, [5])
    #expect(scene.triggers == [.flagged])
    #expect(scene.fired.first?.asOf == Scene.at(5))
  }

  @Test("Views fire milestones and popular before viral, each with its count")
  func views() {
    var scene = Scene()
    scene.record(.views, Array(repeating: 0, count: 1000))
    #expect(
      scene.triggers == [.milestone(10), .popular, .viral, .milestone(100), .milestone(1000)])
    #expect(scene.fired.map(\.count) == [10, 50, 100, 100, 1000])
    #expect(scene.triggers.filter(\.asksForScore) == [.viral])
  }

  @Test("Milestones count all views, however far apart, trimmed ones too")
  func milestones() {
    var scene = Scene()
    for hour in 0..<100 {
      scene.record(.views, [7200 * hour])
      scene.windows.trim(through: Scene.at(7200 * hour))
    }
    #expect(scene.triggers == [.milestone(10), .milestone(100)])
    #expect(scene.fired.map(\.asOf) == [Scene.at(7200 * 9), Scene.at(7200 * 99)])
  }

  @Test("A late event fires as of the watermark that had passed it")
  func late() {
    var scene = Scene()
    scene.record(.flags, [0])
    scene.record(.flags, [10], visibleFrom: 120)
    #expect(
      scene.fired == [
        FiredTrigger(image: Scene.image, trigger: .flagged, asOf: Scene.at(120), count: 2)
      ])
  }

  @Test("A late event whose time has left the window by the watermark fires nothing")
  func tooLate() {
    var scene = Scene()
    scene.record(.flags, [0])
    scene.record(.flags, [10], visibleFrom: 310)
    #expect(scene.fired == [])
  }

  @Test("An event out of order fires as of the latest event, when its count includes both")
  func disorder() {
    var scene = Scene()
    scene.record(.flags, [60, 30])
    #expect(scene.fired.map(\.asOf) == [Scene.at(60)])
  }

  @Test("The metrics don't feed each other's triggers")
  func separate() {
    var scene = Scene()
    scene.record(.views, Array(repeating: 0, count: 9))
    scene.record(.comments, Array(repeating: 0, count: 9))
    scene.record(.flags, [0])
    #expect(scene.fired == [])
  }

  @Test("An upload starts the policy's anchors and keeps its metadata")
  func anchors() {
    var windows = ImageWindows()
    #expect(windows.metadata == nil)
    let metadata = ImageWindows.Metadata(
      category: "Soup", captionLength: 4, uploadedAt: Scene.start, user: UserID(high: 2, low: 2))
    var policy = TriggerPolicy()
    policy.anchors = [0, 5, 30, 60]
    let fired = windows.upload(metadata, image: Scene.image, policy: policy)
    #expect(
      fired
        == [0, 5, 30, 60].map {
          FiredTrigger(
            image: Scene.image, trigger: .anchor(minutes: $0), asOf: Scene.at(60 * $0), count: nil)
        })
    #expect(windows.metadata == metadata)
    policy.anchors = []
    #expect(windows.upload(metadata, image: Scene.image, policy: policy) == [])
  }

  @Test("A consumer that forgets its triggers fires them again")
  func forget() {
    var scene = Scene()
    scene.record(.flags, [0, 0])
    scene.windows.forgetTriggers()
    scene.record(.flags, [1])
    #expect(scene.triggers == [.flagged, .flagged])
  }

  @Test("Counts are those of each metric's windows and totals, in both flavours")
  func counts() {
    var scene = Scene()
    scene.record(.views, [0, 3400, 3590])
    scene.record(.views, [3595], isEligible: false)
    scene.record(.comments, [10, 3600])
    scene.record(.flags, [20], isEligible: false)
    scene.record(.flags, [30], visibleFrom: 3601)
    func tally(_ observed: Int, _ governed: Int) -> RollingCounter.Tally {
      RollingCounter.Tally(observed: observed, governed: governed)
    }
    let expected = EngagementCounts(
      views5min: tally(3, 2), views1hr: tally(3, 2), comments5min: tally(1, 1),
      comments1hr: tally(2, 2), flags5min: tally(0, 0), flags1hr: tally(1, 0),
      totalViews: tally(4, 3), totalComments: tally(2, 2), totalFlags: tally(1, 0))
    #expect(scene.windows.counts(asOf: Scene.at(3600)) == expected)
    #expect(scene.windows.counts(asOf: Scene.at(3601)).totalFlags == tally(2, 1))
  }
}
