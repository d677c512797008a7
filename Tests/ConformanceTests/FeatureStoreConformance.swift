import Moderation
import Ports
import Simulation
import Testing

/// Rules 1 to 3 and 7: what a batch changes. The others are in two more files.
@Suite("FeatureStore conformance")
struct FeatureStoreConformance {
  static let image = ImageID.number(1)

  @Test(
    "1. Counts, pending requests and progress change together", arguments: Adapters.featureStores)
  func together(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = [
        script.view(Self.image, at: Sample.at(1)), script.view(Self.image, at: Sample.at(2)),
      ]
      let batch = script.batch(events, watermark: Sample.at(2))
      let applied = try await store.apply(batch, policy: .viral(2))
      #expect(applied.fired.map(\.trigger) == [.viral])
      #expect(applied.duplicates.isEmpty)
      #expect(try await store.counts(Self.image, asOf: Sample.at(2)).totalViews.observed == 2)
      #expect(try await store.allPending().map(\.trigger) == [.viral])
      #expect(
        try await store.progress()
          == [script.partition: PartitionProgress(nextOffset: 2, watermark: Sample.at(2))])
    }
  }

  @Test(
    "1. A batch that is refused changes nothing of any partition", arguments: Adapters.featureStores
  )
  func refusedWhole(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var views = FeatureScript("views", series: 1)
      var flags = FeatureScript("flags", series: 2)
      let fits = views.batch([views.view(Self.image, at: Sample.at(1))], watermark: Sample.at(1))
      let gap = flags.batch([flags.event(.flags, Self.image, at: Sample.at(1))], from: 1)
      let failed = await code { try await store.apply(fits.joined(gap), policy: .viral(1)) }
      #expect(failed == .conflict)
      #expect(try await store.progress().isEmpty)
      #expect(try await store.counts(Self.image, asOf: Sample.at(9)) == EngagementCounts())
      #expect(try await store.allPending().isEmpty)
      let applied = try await store.apply(fits, policy: .viral(1))
      #expect(applied.duplicates.isEmpty, "neither are its ids remembered")
      #expect(applied.fired.map(\.trigger) == [.viral], "nor its triggers")
    }
  }

  @Test(
    "2. Events below the applied offset change nothing and are reported",
    arguments: Adapters.featureStores)
  func duplicatesByOffset(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = (1...3).map { script.view(Self.image, at: Sample.at($0)) }
      _ = try await store.apply(script.batch(events), policy: .silent)
      // Other ids, so that only the offsets tell that they are old.
      let other = (1...5).map { script.view(Self.image, at: Sample.at($0)) }
      let applied = try await store.apply(script.batch(other, from: 1), policy: .viral(6))
      #expect(applied.duplicates == [0, 1])
      #expect(applied.fired.map(\.count) == [6])
      #expect(try await store.counts(Self.image, asOf: Sample.at(9)).totalViews.observed == 6)
      #expect(try await store.progress()[script.partition]?.nextOffset == 6)
    }
  }

  @Test("2. A batch delivered again changes nothing", arguments: Adapters.featureStores)
  func redelivered(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = (1...3).map { script.view(Self.image, at: Sample.at($0)) }
      let batch = script.batch(events, watermark: Sample.at(3))
      _ = try await store.apply(batch, policy: .viral(3))
      let before = try await store.counts(Self.image, asOf: Sample.at(9))
      let again = try await store.apply(batch, policy: .viral(3))
      #expect(again.duplicates == [0, 1, 2])
      #expect(again.fired.isEmpty)
      #expect(try await store.counts(Self.image, asOf: Sample.at(9)) == before)
      #expect(try await store.allPending().count == 1)
    }
  }

  @Test(
    "9. The last batch sent again fires nothing, and says what it fired before",
    arguments: Adapters.featureStores)
  func sentAgain(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = (1...3).map { script.view(Self.image, at: Sample.at($0)) }
      let batch = script.batch(events, watermark: Sample.at(3))
      let first = try await store.apply(batch, policy: .viral(3))
      #expect(first.fired.map(\.trigger) == [.viral] && first.firedBefore.isEmpty)
      for _ in 0..<2 {
        let again = try await store.apply(batch, policy: .viral(3))
        #expect(again.fired.isEmpty)
        #expect(again.firedBefore == first.fired)
      }
      let next = script.batch([script.view(Self.image, at: Sample.at(4))], watermark: Sample.at(4))
      let second = try await store.apply(next, policy: .viral(3))
      #expect(second.fired.isEmpty && second.firedBefore.isEmpty)
    }
  }

  @Test(
    "2. An id counted before changes nothing, be it in the batch, later, or in another partition",
    arguments: Adapters.featureStores)
  func duplicatesByID(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      var other = FeatureScript(partition: 1)
      let event = script.view(Self.image, at: Sample.at(1))
      let fresh = script.view(Self.image, at: Sample.at(2))
      let inBatch = try await store.apply(script.batch([event, event]), policy: .silent)
      #expect(inBatch.duplicates == [1])
      let later = try await store.apply(script.batch([event, fresh]), policy: .silent)
      #expect(later.duplicates == [0])
      let elsewhere = try await store.apply(other.batch([fresh]), policy: .viral(1))
      #expect(elsewhere.duplicates == [0])
      #expect(elsewhere.fired.isEmpty)
      #expect(try await store.counts(Self.image, asOf: Sample.at(9)).totalViews.observed == 2)
      #expect(
        try await store.progress().mapValues(\.nextOffset) == [
          script.partition: 4, other.partition: 1,
        ])
    }
  }

  @Test("2. Ids are remembered for the retention", arguments: Adapters.featureStores)
  func remembersIDs(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      var count: Int64 = 0
      // The watermark goes on in steps, so that a store that forgets in generations does forget.
      while Sample.at(count * 600) <= Sample.start + Adapters.grace * 4 {
        let now = Sample.at(count * 600)
        let event = script.view(Self.image, at: now)
        _ = try await store.apply(script.batch([event], watermark: now), policy: .silent)
        count += 1
        _ = try await store.apply(
          script.batch([], watermark: now + Adapters.grace), policy: .silent)
        let again = try await store.apply(script.batch([event]), policy: .silent)
        #expect(again.duplicates == [0], "after \(count) steps")
      }
    }
  }

  @Test(
    "2. A report of a comment alone changes no image's counts", arguments: Adapters.featureStores)
  func commentFlag(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript("flags")
      let event = PlatformEvent(
        id: .number(9), time: Sample.at(1), actor: nil, actorEligible: true,
        subject: .flag(flag: .number(9), image: nil, comment: .number(9), reason: ""))
      let applied = try await store.apply(script.batch([event]), policy: .viral(1))
      #expect(applied.fired.isEmpty)
      #expect(applied.duplicates.isEmpty)
      #expect(try await store.progress()[script.partition]?.nextOffset == 1)
    }
  }

  @Test(
    "3. A batch that starts beyond the applied offset is a conflict",
    arguments: Adapters.featureStores)
  func gap(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let first = script.view(Self.image, at: Sample.at(1))
      let early = script.batch([first], from: 1)
      #expect(
        await code { try await store.apply(early, policy: .silent) } == .conflict,
        "a partition never applied starts at 0")
      _ = try await store.apply(script.batch([first]), policy: .silent)
      let second = script.view(Self.image, at: Sample.at(2))
      for batch in [
        script.batch([second], from: 2), script.batch([second], from: 3),
        script.batch([second], from: 99), script.batch([], from: 2),
      ] {
        let failed = await code { try await store.apply(batch, policy: .silent) }
        #expect(failed == .conflict, "\(batch.partitions)")
      }
      let applied = try await store.apply(script.batch([second], from: 1), policy: .silent)
      #expect(applied.duplicates.isEmpty)
      #expect(try await store.counts(Self.image, asOf: Sample.at(9)).totalViews.observed == 2)
    }
  }

  @Test(
    "7. Progress has every partition ever applied, records or not",
    arguments: Adapters.featureStores)
  func progress(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      #expect(try await store.progress().isEmpty)
      var views = FeatureScript("views")
      var flags = FeatureScript("flags", partition: 2)
      let empty = flags.batch([])
      _ = try await store.apply(empty, policy: .silent)
      let event = views.view(Self.image, at: Sample.at(1))
      _ = try await store.apply(views.batch([event], watermark: Sample.at(1)), policy: .silent)
      #expect(
        try await store.progress() == [
          flags.partition: PartitionProgress(nextOffset: 0, watermark: nil),
          views.partition: PartitionProgress(nextOffset: 1, watermark: Sample.at(1)),
        ])
    }
  }

  @Test("7. Offsets and watermarks never go back", arguments: Adapters.featureStores)
  func neverBack(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = (1...3).map { script.view(Self.image, at: Sample.at($0)) }
      _ = try await store.apply(script.batch(events, watermark: Sample.at(10)), policy: .silent)
      let highest = [script.partition: PartitionProgress(nextOffset: 3, watermark: Sample.at(10))]
      for watermark in [Sample.at(5), nil, Sample.at(10)] {
        let old = script.batch(Array(events.prefix(1)), from: 0, watermark: watermark)
        _ = try await store.apply(old, policy: .silent)
        #expect(try await store.progress() == highest)
      }
      _ = try await store.apply(
        script.batch([], from: 1, watermark: Sample.at(11)), policy: .silent)
      #expect(try await store.progress()[script.partition]?.watermark == Sample.at(11))
    }
  }
}
