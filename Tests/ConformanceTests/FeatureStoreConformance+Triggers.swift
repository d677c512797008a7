import Moderation
import Ports
import Simulation
import Testing

extension FeatureStoreConformance {
  @Test(
    "5. A trigger fires at the event that reaches its threshold, once",
    arguments: Adapters.featureStores)
  func firesOnce(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      var fired: [FiredTrigger] = []
      // The window empties between the two bursts, and fills again.
      for second in [1, 2, 3, 4, 1001, 1002, 1003, 1004] as [Int64] {
        let batch = script.batch([script.view(Self.image, at: Sample.at(second))])
        fired += try await store.apply(batch, policy: .viral(3)).fired
      }
      #expect(
        fired == [
          FiredTrigger(image: Self.image, trigger: .viral, asOf: Sample.at(3), count: 3)
        ])
    }
  }

  @Test(
    "5. A batch fires, though its watermark leaps beyond the retention of its events",
    arguments: Adapters.featureStores)
  func firesBehindItsWatermark(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = (1...100).map { script.view(Self.image, at: Sample.at($0)) }
      let batch = script.batch(events, watermark: Sample.at(200_000))
      let applied = try await store.apply(batch, policy: .viral(100))
      #expect(applied.fired.map(\.trigger) == [.viral])
    }
  }

  @Test(
    "5. Everybody's events fire triggers, not only the eligible", arguments: Adapters.featureStores)
  func firesOnObserved(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = (1...2).map { script.view(Self.image, at: Sample.at($0), isEligible: false) }
      let applied = try await store.apply(script.batch(events), policy: .viral(2))
      #expect(applied.fired.map(\.trigger) == [.viral])
    }
  }

  @Test(
    "5. A consumer that restarts doesn't fire again what has fired",
    arguments: Adapters.featureStores)
  func firesOnceOverRestarts(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var crashed = FeatureScript()
      let events = (1...3).map { crashed.view(Self.image, at: Sample.at($0)) }
      let batch = crashed.batch(events)
      _ = try await store.apply(batch, policy: .viral(3))
      // The new one reads again from a commit before the batch, then goes on.
      let again = try await store.apply(batch, policy: .viral(3))
      var restarted = FeatureScript(series: 1)
      restarted.next = try #require(try await store.progress()[crashed.partition]?.nextOffset)
      let more = restarted.batch((4...9).map { restarted.view(Self.image, at: Sample.at($0)) })
      let after = try await store.apply(more, policy: .viral(3))
      #expect(again.fired.isEmpty)
      #expect(after.fired.isEmpty)
      #expect(try await store.allPending().map(\.trigger) == [.viral])
    }
  }

  @Test(
    "5. An upload starts its anchors, each once in the image's life",
    arguments: Adapters.featureStores)
  func anchors(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var policy = TriggerPolicy.silent
      policy.anchors = [0, 5, 30]
      var script = FeatureScript("uploads")
      let first = script.batch([script.upload(Self.image, at: Sample.at(7))])
      let applied = try await store.apply(first, policy: policy)
      #expect(
        applied.fired == [
          FiredTrigger(image: Self.image, trigger: .anchor(minutes: 0), asOf: Sample.at(7)),
          FiredTrigger(image: Self.image, trigger: .anchor(minutes: 5), asOf: Sample.at(307)),
          FiredTrigger(image: Self.image, trigger: .anchor(minutes: 30), asOf: Sample.at(1807)),
        ])
      #expect(try await store.allPending() == applied.fired.map(ModerationRequest.init))
      let second = script.batch([script.upload(Self.image, at: Sample.at(8))])
      #expect(try await store.apply(second, policy: policy).fired.isEmpty, "another event's id")
      #expect(try await store.allPending() == applied.fired.map(ModerationRequest.init))
    }
  }

  @Test("5. What asks for no score fires, and isn't pending", arguments: Adapters.featureStores)
  func loggedOnly(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var policy = TriggerPolicy.silent
      policy.popular = 2
      policy.milestones = [1, 3]
      var script = FeatureScript()
      let events = (1...4).map { script.view(Self.image, at: Sample.at($0)) }
      let applied = try await store.apply(script.batch(events), policy: policy)
      #expect(applied.fired.map(\.trigger) == [.milestone(1), .popular, .milestone(3)])
      #expect(applied.fired.map(\.asOf) == [Sample.at(1), Sample.at(2), Sample.at(3)])
      #expect(try await store.allPending().isEmpty)
    }
  }

  @Test(
    "5. Requests stay pending until acknowledged, and then for good",
    arguments: Adapters.featureStores)
  func acknowledged(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let images = (1...3).map { ImageID.number($0) }
      let batch = script.batch(images.map { script.view($0, at: Sample.at(1)) })
      _ = try await store.apply(batch, policy: .viral(1))
      let all = try await store.allPending()
      #expect(all.map(\.image) == images)
      #expect(try await store.allPending() == all, "handing out isn't acknowledging")
      try await store.acknowledge([all[1]])
      try await store.acknowledge([all[1]])
      #expect(try await store.allPending() == [all[0], all[2]])
      _ = try await store.apply(batch, policy: .viral(1))
      #expect(try await store.allPending() == [all[0], all[2]])
      try await store.acknowledge(all)
      #expect(try await store.allPending().isEmpty)
    }
  }

  @Test("5. A request can be acknowledged before its instant", arguments: Adapters.featureStores)
  func acknowledgedEarly(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let batch = script.batch([script.view(Self.image, at: Sample.at(9))])
      let fired = try await store.apply(batch, policy: .viral(1)).fired
      try await store.acknowledge(fired.map(ModerationRequest.init))
      #expect(try await store.pending(asOf: Sample.at(1), limit: 9).isEmpty)
      #expect(try await store.allPending().isEmpty)
    }
  }

  @Test("6. Pending requests are those at or before the bound", arguments: Adapters.featureStores)
  func bound(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let events = [10, 20, 30].map { script.view(.number($0), at: Sample.at(Int64($0))) }
      _ = try await store.apply(script.batch(events), policy: .viral(1))
      let cases: [(bound: EventTime, count: Int)] = [
        (Sample.at(10).later(-1), 0), (Sample.at(10), 1), (Sample.at(20).later(-1), 1),
        (Sample.at(30), 3), (Sample.at(20), 2), (Sample.start, 0), (Sample.at(99), 3),
      ]
      for (bound, count) in cases {
        let pending = try await store.pending(asOf: bound, limit: 9)
        #expect(pending.map(\.image) == events.prefix(count).map(\.image), "as of \(bound)")
      }
    }
  }

  @Test(
    "6. Pending requests are ordered by instant, image and trigger",
    arguments: Adapters.featureStores)
  func pendingOrder(adapter: Adapter<any FeatureStore>) throws {
    try simulate(adapter) { store, _ in
      var policy = TriggerPolicy.viral(1)
      policy.flagged = 1
      policy.anchors = [0]
      var script = FeatureScript()
      _ = try await store.apply(
        script.batch([
          script.view(.number(3), at: Sample.at(2)), script.upload(.number(2), at: Sample.at(2)),
          script.view(.number(2), at: Sample.at(2)),
          script.event(.flags, .number(2), at: Sample.at(2)),
          script.view(.number(4), at: Sample.at(1)),
        ]), policy: policy)
      let expected: [(ImageID, Trigger)] = [
        (.number(4), .viral), (.number(2), .anchor(minutes: 0)), (.number(2), .flagged),
        (.number(2), .viral), (.number(3), .viral),
      ]
      let pending = try await store.allPending()
      #expect(pending.map(\.image) == expected.map(\.0))
      #expect(pending.map(\.trigger) == expected.map(\.1))
      // One that comes after the others were handed out still takes its place.
      _ = try await store.apply(
        script.batch([script.view(.number(1), at: Sample.at(2))]), policy: policy)
      let images: [UInt64] = [4, 1, 2, 2, 2, 3]
      #expect(try await store.allPending().map(\.image) == images.map { .number($0) })
    }
  }

  @Test("6. The first `limit` requests are given", arguments: Adapters.featureStores, [0, 1, 3, 9])
  func limit(adapter: Adapter<any FeatureStore>, limit: Int) throws {
    try simulate(adapter) { store, _ in
      var script = FeatureScript()
      let images = (1...5).map { ImageID.number($0) }
      let events = images.reversed().map { script.view($0, at: Sample.at(1)) }
      _ = try await store.apply(script.batch(events), policy: .viral(1))
      let some = try await store.pending(asOf: Sample.at(1), limit: limit)
      #expect(some.map(\.image) == Array(images.prefix(limit)))
      try await store.acknowledge(some)
      #expect(try await store.allPending().map(\.image) == Array(images.dropFirst(limit)))
    }
  }
}
