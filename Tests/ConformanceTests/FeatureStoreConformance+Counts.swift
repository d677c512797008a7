import Moderation
import Ports
import Simulation
import Testing

extension FeatureStoreConformance {
  /// How long before the instant an event was, and in which windows it counts.
  static let edges: [(microseconds: Int64, in5min: Bool, in1hr: Bool, inTotal: Bool)] = [
    (-1, false, false, false), (0, true, true, true), (1, true, true, true),
    (299_999_999, true, true, true), (300_000_000, false, true, true),
    (300_000_001, false, true, true), (3_599_999_999, false, true, true),
    (3_600_000_000, false, false, true), (3_600_000_001, false, false, true),
  ]

  @Test(
    "4. Windows are half-open: the instant is in, the window's start isn't",
    arguments: Adapters.featureStores)
  func edges(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      for (index, edge) in Self.edges.enumerated() {
        let image = ImageID.number(UInt64(index))
        let event = script.view(image, at: Sample.start.later(-edge.microseconds))
        _ = try await store.apply(script.batch([event]), policy: .silent)
        let counts = try await store.counts(image, asOf: Sample.start)
        #expect(counts.views5min.observed == (edge.in5min ? 1 : 0), "\(edge)")
        #expect(counts.views1hr.observed == (edge.in1hr ? 1 : 0), "\(edge)")
        #expect(counts.totalViews.observed == (edge.inTotal ? 1 : 0), "\(edge)")
      }
    }
  }

  @Test(
    "4. An unknown image has zeros; answers are in the questions' order",
    arguments: Adapters.featureStores)
  func unknown(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = (1...2).map { script.view(Self.image, at: Sample.at($0)) }
      _ = try await store.apply(script.batch(events), policy: .silent)
      let questions = [
        CountQuestion(image: .number(7), asOf: Sample.at(2)),
        CountQuestion(image: Self.image, asOf: Sample.at(2)),
        CountQuestion(image: Self.image, asOf: Sample.at(1)),
        CountQuestion(image: Self.image, asOf: Sample.at(2)),
      ]
      let answers = try await store.counts(questions)
      #expect(answers.map(\.totalViews.observed) == [0, 2, 1, 2])
      #expect(answers[0] == EngagementCounts())
      #expect(try await store.counts([]).isEmpty)
    }
  }

  @Test("4. Governed counts leave out who isn't eligible", arguments: Adapters.featureStores)
  func governed(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = [true, false, true, false, false].map {
        script.view(Self.image, at: Sample.at(1), isEligible: $0)
      }
      _ = try await store.apply(script.batch(events), policy: .silent)
      let counts = try await store.counts(Self.image, asOf: Sample.at(1))
      let expected = RollingCounter.Tally(observed: 5, governed: 2)
      #expect(counts.views5min == expected)
      #expect(counts.views1hr == expected)
      #expect(counts.totalViews == expected)
    }
  }

  @Test("4. A late event counts from its `visibleFrom` on", arguments: Adapters.featureStores)
  func late(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let onTime = script.view(Self.image, at: Sample.at(100))
      _ = try await store.apply(
        script.batch([onTime], watermark: Sample.at(350)), policy: .silent)
      let event = script.view(Self.image, at: Sample.at(60), isEligible: false)
      _ = try await store.apply(
        script.batch([event], from: 1, visibleFrom: Sample.at(350)), policy: .silent)
      let cases: [(asOf: EventTime, in5min: Int, in1hr: Int, total: Int)] = [
        (Sample.at(60), 0, 0, 0), (Sample.at(100), 1, 1, 1), (Sample.at(350).later(-1), 1, 1, 1),
        (Sample.at(350), 2, 2, 2), (Sample.at(360).later(-1), 2, 2, 2), (Sample.at(360), 1, 2, 2),
        (Sample.at(3660), 0, 1, 2), (Sample.at(3700), 0, 0, 2),
      ]
      for (asOf, in5min, in1hr, total) in cases {
        let counts = try await store.counts(Self.image, asOf: asOf)
        #expect(counts.views5min.observed == in5min, "5 minutes as of \(asOf)")
        #expect(counts.views1hr.observed == in1hr, "1 hour as of \(asOf)")
        #expect(counts.totalViews.observed == total, "total as of \(asOf)")
        #expect(counts.totalViews.governed == min(total, 1), "governed as of \(asOf)")
      }
    }
  }

  @Test("4. Counts are those of a naive count over all events", arguments: Adapters.featureStores)
  func oracle(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var random = SeededRandom(seed: 4)
      var script = FeatureScript()
      var naive = NaiveCounts()
      for _ in 0..<60 {
        let metric = Metric.allCases[random.below(3)]
        let image = ImageID.number(UInt64(random.below(3)))
        let time = Sample.at(Int64(random.below(40)) * 100)
        let isLate = random.chance(0.3)
        let visibleFrom = isLate ? time + .seconds(random.below(9) * 100) : nil
        let event = script.event(metric, image, at: time, isEligible: random.chance(0.7))
        naive.entries.append((event, visibleFrom))
        let batch = script.batch([event], from: script.next, visibleFrom: visibleFrom)
        script.next += 1
        _ = try await store.apply(batch, policy: .silent)
      }
      for _ in 0..<200 {
        let question = CountQuestion(
          image: .number(UInt64(random.below(3))), asOf: Sample.at(Int64(random.below(50)) * 100))
        #expect(try await store.counts([question]) == [naive.counts(question)])
      }
    }
  }

  @Test(
    "8. Counts are exact back to the grace, and earlier ones throw",
    arguments: Adapters.featureStores)
  func retention(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      // A view a minute for three times the retention.
      let count = Adapters.grace.microseconds / 60_000_000 * 3
      for minute in 0..<count {
        let event = script.view(Self.image, at: Sample.at(minute * 60))
        _ = try await store.apply(script.batch([event], watermark: event.time), policy: .silent)
      }
      let oldest = Sample.at((count - 1) * 60) - Adapters.grace
      let minutes = Int((oldest.microseconds - Sample.start.microseconds) / 60_000_000)
      let counts = try await store.counts(Self.image, asOf: oldest)
      #expect(counts.views5min.observed == 5)
      #expect(counts.views1hr.observed == 60)
      #expect(counts.totalViews.observed == minutes + 1)
      for asOf in [oldest.later(-1), Sample.start] {
        #expect(
          await code { try await store.counts(Self.image, asOf: asOf) } == .outOfRetention,
          "as of \(asOf)")
      }
    }
  }

  @Test(
    "8. An instant out of retention throws, whether or not events came since",
    arguments: Adapters.featureStores)
  func retentionWithoutEvents(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let event = script.view(Self.image, at: Sample.start)
      _ = try await store.apply(script.batch([event], watermark: Sample.start), policy: .silent)
      let later = Sample.at(1) + Adapters.grace
      _ = try await store.apply(script.batch([], watermark: later), policy: .silent)
      #expect(
        await code { try await store.counts(Self.image, asOf: Sample.start) } == .outOfRetention)
      #expect(try await store.counts(Self.image, asOf: Sample.at(1)).totalViews.observed == 1)
    }
  }
}

/// Counts by going through all events: slow and plain, to check stores against.
private struct NaiveCounts {
  var entries: [(event: PlatformEvent, visibleFrom: EventTime?)] = []

  func counts(_ question: CountQuestion) -> EngagementCounts {
    func tally(_ metric: Metric, _ window: RollingWindow?) -> RollingCounter.Tally {
      var tally = RollingCounter.Tally()
      for (event, visibleFrom) in entries
      where event.image == question.image && event.kind.metric == metric {
        guard event.time <= question.asOf, visibleFrom ?? event.time <= question.asOf else {
          continue
        }
        if let window, event.time <= question.asOf.later(-window.microseconds) { continue }
        tally.observed += 1
        if event.actorEligible == true { tally.governed += 1 }
      }
      return tally
    }
    return EngagementCounts(
      views5min: tally(.views, .fiveMinutes), views1hr: tally(.views, .oneHour),
      comments5min: tally(.comments, .fiveMinutes), comments1hr: tally(.comments, .oneHour),
      flags5min: tally(.flags, .fiveMinutes), flags1hr: tally(.flags, .oneHour),
      totalViews: tally(.views, nil), totalComments: tally(.comments, nil),
      totalFlags: tally(.flags, nil))
  }
}
