import Testing

@testable import Moderation

@Suite("OfflineFeatures")
struct OfflineFeaturesTests {
  private static let upload = EventTime.utc(2026, 1, 5, 9, 2)
  private static let subject = subject(uploadedAt: upload)

  private static func subject(uploadedAt: EventTime) -> ScoringSubject {
    ScoringSubject(
      uploadedAt: uploadedAt, category: "Soup", captionLength: 4,
      accountCreatedAt: uploadedAt - .seconds(86_400 - 600), userImageCount: 3)
  }

  /// Windows from minutes past nine and their counts.
  private static func windows(_ counts: [(minute: Int, count: Int)]) -> [AggregateWindow] {
    counts.map { AggregateWindow(start: .utc(2026, 1, 5, 9, $0.minute), count: $0.count) }
  }

  private static func value(_ row: [Double], _ name: String) -> Double? {
    FeatureVector.index(of: name).map { row[$0] }
  }

  private static func values(_ row: [Double], _ names: [String]) -> [Double?] {
    names.map { value(row, $0) }
  }

  private static let countNames = [
    "views_5min", "views_1hr", "comments_5min", "comments_1hr", "flags_5min", "flags_1hr",
    "total_flags",
  ]

  @Test("The decision points are 0, 5 and 30 minutes")
  func decisionPoints() { #expect(OfflineFeatures.decisionPoints == [0, 5, 30]) }

  @Test("The lab's 5-minute point sees nothing unless the upload is on a window boundary")
  func labDefect() {
    for second in 0..<300 {
      let upload = EventTime.utc(2026, 1, 5, 9, 0, second)
      let windows = Self.windows([(0, 7), (5, 9), (10, 11)])
      let row = OfflineFeatures.lab(
        subject: Self.subject(uploadedAt: upload),
        windows: [.views: windows, .comments: windows, .flags: windows],
        cutoff: upload + .seconds(300))
      let expected: Double = second == 0 ? 7 : 0
      #expect(
        Self.values(row, Self.countNames) == Array(repeating: expected, count: 7),
        "upload \(second) s into the window")
    }
  }

  @Test(
    "The lab's windows start no earlier than the upload and end no later than the cutoff",
    arguments: [
      // Cutoff in minutes past nine; the upload is at 9:02.
      (2, 0, 0), (7, 0, 0), (9, 0, 0), (10, 1, 1), (14, 1, 1), (15, 2, 3), (32, 16, 31),
      (64, 32, 63), (65, 64, 127), (67, 64, 127), (69, 64, 127), (70, 128, 254), (71, 128, 254),
    ])
  func lab(cutoff: Int, last5: Double, lastHour: Double) {
    // A window's count is a power of two, so that a sum tells which windows are in it.
    let counts = [
      (0, 1000), (5, 1), (10, 2), (15, 4), (20, 8), (25, 16), (55, 32), (60, 64), (65, 128),
      (70, 256),
    ]
    let row = OfflineFeatures.lab(
      subject: Self.subject, windows: [.views: Self.windows(counts)],
      cutoff: .utc(2026, 1, 5, 9) + .seconds(60 * cutoff))
    #expect(Self.value(row, "views_5min") == last5)
    #expect(Self.value(row, "views_1hr") == lastHour)
    #expect(Self.value(row, "view_velocity_per_min") == last5 / 5)
  }

  @Test("The lab sums partial rows of a window, and flags without limit of time")
  func labSums() {
    let windows: [Metric: [AggregateWindow]] = [
      .views: Self.windows([(30, 3), (30, 4)]), .comments: Self.windows([(25, 5), (30, 1)]),
      .flags: Self.windows([(0, 99), (5, 2), (30, 1), (35, 99)]),
    ]
    let row = OfflineFeatures.lab(
      subject: Self.subject, windows: windows, cutoff: .utc(2026, 1, 5, 9, 35))
    #expect(Self.values(row, Self.countNames) == [7, 7, 1, 6, 1, 3, 3])
    let later = OfflineFeatures.lab(
      subject: Self.subject, windows: windows, cutoff: .utc(2026, 1, 5, 10, 35))
    #expect(Self.values(later, Self.countNames) == [0, 0, 0, 0, 0, 99, 102])
  }

  @Test("The rest of the lab's row is the subject's, the account's age taken at the upload")
  func labSubject() {
    // The account is 10 minutes short of a day old at the upload, 20 minutes past it at the cutoff.
    let cutoff = Self.upload + .seconds(1800)
    let row = OfflineFeatures.lab(subject: Self.subject, windows: [:], cutoff: cutoff)
    #expect(row == [1800, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 3, 0])
    let ours = OfflineFeatures.pointInTime(subject: Self.subject, history: [:], asOf: cutoff)
    #expect(ours == [1800, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 3, 1])
  }

  @Test(
    "Point-in-time windows are half-open, (t − w, t], to the microsecond",
    arguments: [
      (-3_600_000_001, 0, 0, 1), (-3_600_000_000, 0, 0, 1), (-3_599_999_999, 0, 1, 1),
      (-300_000_001, 0, 1, 1), (-300_000_000, 0, 1, 1), (-299_999_999, 1, 1, 1), (-1, 1, 1, 1),
      (0, 1, 1, 1), (1, 0, 0, 0),
    ] as [(Int64, Double, Double, Double)])
  func pointInTime(offset: Int64, last5: Double, lastHour: Double, total: Double) {
    let asOf = Self.upload + .seconds(1800)
    let events = [HistoricEvent(time: asOf + .microseconds(offset), isEligible: true)]
    let row = OfflineFeatures.pointInTime(
      subject: Self.subject, history: [.views: events, .comments: events, .flags: events],
      asOf: asOf)
    let expected = [last5, lastHour, last5, lastHour, last5, lastHour, total]
    #expect(Self.values(row, Self.countNames) == expected)
  }

  @Test("Point-in-time counts leave out what ineligible actors did")
  func governed() {
    let events = [true, false, true, false, false].map {
      HistoricEvent(time: Self.upload, isEligible: $0)
    }
    let row = OfflineFeatures.pointInTime(
      subject: Self.subject, history: [.views: events, .flags: Array(events.suffix(2))],
      asOf: Self.upload)
    #expect(Self.values(row, Self.countNames) == [2, 2, 0, 0, 0, 0, 0])
  }

  @Test("Point-in-time features are what the online store said then", arguments: [UInt64](60..<70))
  func parity(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var windows = ImageWindows()
    var history: [Metric: [HistoricEvent]] = [:]
    var fired: [FiredTrigger] = []
    for index in 0..<300 {
      let second = Int.random(in: 0...7200, using: &random)
      let event = HistoricEvent(
        time: Self.upload + .seconds(second), isEligible: !random.once(in: 3))
      let metric = Metric.allCases[index % Metric.allCases.count]
      history[metric, default: []].append(event)
      windows.record(
        metric, at: event.time, visibleFrom: nil, isEligible: event.isEligible,
        image: ImageID(high: 1, low: 1), policy: TriggerPolicy(), fired: &fired)
    }
    for minutes in [0, 5, 30, 60, 61, 120, 121] {
      let asOf = Self.upload + .seconds(60 * minutes)
      let online = FeatureVector(
        Self.subject, counts: windows.counts(asOf: asOf), flavour: .governed, asOf: asOf)
      let offline = OfflineFeatures.pointInTime(
        subject: Self.subject, history: history, asOf: asOf)
      #expect(offline == Array(online.numeric), "\(minutes) minutes after the upload")
    }
  }
}
