import InMemoryBackends
@testable import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// The lab's defects in the stream (REFERENCE §10), re-created by a wrapped port or another policy:
/// each is there in the lab's way and not in ours.
@Suite("Defects of the lab: stream")
struct StreamDefectTests {
  private static let outage = PortError(
    .unavailable, port: "test", operation: "test", hint: "gone for a while")

  @Test("Defect 6: a redelivered event counts twice when it gets a fresh member")
  func defect6() throws {
    func views(log: @escaping @Sendable (World) -> any EventLog) throws -> Int {
      try simulate { world in
        var world = world
        world.log = log(world)
        let events = (1...5).map { Events.view($0, at: Int64($0)) }
        try await world.append(events)
        try await world.append(events)
        await world.run([world.consumer()], for: 3)
        return try await world.totals(at: 600)[0]
      }
    }
    let lab = try views { world in
      let ids = world.environment.ids
      return HookedLog(world.log) { $0.withEventID(ids.make(label: "member")) }
    }
    #expect(lab == 10)
    #expect(try views { $0.log } == 5)
  }

  @Test("Defect 6: a redelivered request stores a second row without the unique key")
  func defect6Moderation() throws {
    func rows(store: @escaping @Sendable (World) -> any ApplicationStore) throws -> Int {
      try simulate { world in
        try await RiskScorerTests.prepare(world, resolved: 100)
        var world = world
        world.store = store(world)
        for _ in 0..<3 { try await world.request(.viral, at: 13) }
        await world.run([world.scorer()], for: 2)
        return try await world.store.snapshot().moderation.count
      }
    }
    let lab = try rows { KeylessStore(base: $0.store, ids: $0.environment.ids) }
    #expect(lab == 3)
    #expect(try rows { $0.store } == 1)
  }

  @Test("Defect 8: what is published after the transaction is lost with the broker")
  func defect8() throws {
    func published(_ publication: PipelinePolicy.Publication) throws -> [Int] {
      try simulate { world in
        let world = world.with { $0.publication = publication }
        try await IntakeFixture.insert(into: world.store)
        let plan = PortGate.Plan { operation in
          operation.name == "EventLog.append" && operation.time < ProcessingTime.at(30)
            ? .failBefore(Self.outage) : .pass
        }
        let gated = world.behind(plan)
        _ = try await gated.intake.comment(IntakeFixture.newComment())
        if publication == .outbox { await world.run([gated.relay], for: 60) }
        let rows = try await world.store.snapshot().comments.count
        return [rows - 2, try await world.records("gourmetgram.comments").count]
      }
    }
    #expect(try published(.direct) == [1, 0], "the row is there, the event is lost")
    #expect(try published(.outbox) == [1, 1])
  }

  @Test("Defect 10: a trigger fires again when its memory dies with the process")
  func defect10() throws {
    func requests(features: @escaping @Sendable () -> any FeatureStore) throws -> Int {
      try simulate { world in
        var world = world
        world.features = features()
        for start in [1, 11] as [UInt64] {
          try await world.append((start...start + 2).map { Events.flag($0, at: Int64($0)) })
          await world.run([world.consumer()], for: 3)
          (world.features as? ForgetfulStore)?.restart()
        }
        return try await world.requests().count
      }
    }
    #expect(try requests { ForgetfulStore() } == 2)
    #expect(try requests { InMemoryFeatureStore() } == 1)
  }

  @Test("Defect 10: the trigger memory is all that a restart of the lab's consumer forgets")
  func defect10Windows() {
    func fired(forgets: Bool) -> Int {
      var windows = ImageWindows()
      var fired: [FiredTrigger] = []
      for second in 1...4 as ClosedRange<Int64> {
        windows.record(
          .flags, at: Sample.at(second), visibleFrom: nil, isEligible: true, image: .number(1),
          policy: TriggerPolicy(), fired: &fired)
        if forgets && second == 2 { windows.forgetTriggers() }
      }
      return fired.count
    }
    #expect(fired(forgets: true) == 2)
    #expect(fired(forgets: false) == 1)
  }

  @Test("Defect 10: a scorer that starts at the latest offset loses what came before")
  func defect10Latest() throws {
    func scored(log: @escaping @Sendable (World) -> any EventLog) throws -> [String] {
      try simulate { world in
        try await RiskScorerTests.prepare(world, resolved: 100)
        try await world.request(at: 10)
        var world = world
        world.log = log(world)
        let gated = world
        await withTaskGroup { group in
          group.addTask { await gated.run([gated.scorer()], for: 5) }
          group.addTask {
            await gated.environment.time.sleep(for: .seconds(2))
            try? await gated.request(at: 20)
          }
        }
        return world.journal.values("scored", "as_of")
      }
    }
    #expect(try scored { HookedLog(startingAtTheEnd: $0.log) } == ["20"])
    #expect(try scored { $0.log } == ["10", "20"])
  }

  @Test("Defect 10: a failed insert is tried again, not swallowed")
  func defect10Insert() throws {
    func rows(swallows: Bool) throws -> Int {
      try simulate { world in
        try await RiskScorerTests.prepare(world, resolved: 100)
        try await world.request(at: 10)
        let failing = Once()
        let plan = PortGate.Plan { operation in
          operation.name == "ApplicationStore.commit" && failing.first()
            ? .failBefore(Self.outage) : .pass
        }
        var gated = world.behind(plan)
        if swallows { gated.store = SwallowingStore(base: gated.store) }
        await world.run([gated.scorer()], for: 10)
        return try await world.store.snapshot().moderation.count
      }
    }
    #expect(try rows(swallows: true) == 0)
    #expect(try rows(swallows: false) == 1)
  }
}

extension ProcessingTime {
  /// So many seconds after the start.
  fileprivate static func at(_ seconds: Int64) -> Self {
    Self(microseconds: Sample.at(seconds).microseconds)
  }
}

extension EventRecord {
  /// The same event under another id.
  fileprivate func withEventID(_ id: EventID) -> Self {
    guard var event = EventCodec.decodeIfPossible(value, fallbackID: id) else { return self }
    event.id = id
    var record = self
    record.value = EventCodec.encode(event)
    return record
  }
}
