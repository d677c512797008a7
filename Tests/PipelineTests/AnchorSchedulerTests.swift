import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Anchor scheduler")
struct AnchorSchedulerTests {
  /// Applies events as a consumer does that dies before it publishes anything.
  private static func apply(_ events: [PlatformEvent], _ world: World) async throws {
    let entries = events.enumerated().map { offset, event in
      FeatureBatch.Entry(slot: 0, offset: Int64(offset), event: event, visibleFrom: nil)
    }
    let advance = FeatureBatch.Advance(
      partition: TopicPartition("gourmetgram.uploads", 0), from: 0, to: Int64(events.count),
      watermark: nil)
    _ = try await world.features.apply(
      FeatureBatch(entries: entries, partitions: [advance]), policy: world.policy.triggers)
  }

  @Test("An anchor is due at the upload plus its minutes, and not a microsecond before")
  func due() throws {
    try simulate { world in
      try await Self.apply([Events.upload(1, at: 10)], world)
      for (minutes, expected) in [(0, 1), (5, 2), (30, 3)] as [(Int64, Int)] {
        let due = Sample.at(10 + 60 * minutes)
        for (instant, count) in [(due - .microseconds(1), expected - 1), (due, expected)] {
          await world.environment.time.sleep(
            until: ProcessingTime(microseconds: instant.microseconds))
          try await world.scheduler.publishDue()
          #expect(try await world.requests().count == count, "at \(instant)")
        }
      }
      #expect(
        try await world.requests() == [
          "anchor_0m of 1 @ 10", "anchor_30m of 1 @ 1810", "anchor_5m of 1 @ 310",
        ])
    }
  }

  @Test("A request is published once, and then no longer pending")
  func once() throws {
    try simulate { world in
      try await Self.apply([Events.upload(1, at: 0)], world)
      for _ in 0..<3 { try await world.scheduler.publishDue() }
      #expect(try await world.requests() == ["anchor_0m of 1 @ 0"])
      #expect(world.journal.values("requested", "requests") == ["1"])
    }
  }

  @Test("What a dead consumer applied but didn't publish is published")
  func deadConsumer() throws {
    try simulate { world in
      await world.reach(10)
      try await Self.apply(
        [Events.flag(1, at: 4), Events.flag(2, at: 5), Events.view(3, at: 5)], world)
      try await world.scheduler.publishDue()
      #expect(try await world.requests() == ["flagged of 1 @ 5"])
    }
  }

  @Test("More than one batch is published at once", arguments: [1, 2, 5])
  func batches(limit: Int) throws {
    try simulate { world in
      let world = world.with { $0.batchLimit = limit }
      try await Self.apply(
        (1...5).map { Events.upload($0, image: $0, at: -Int64($0)) }, world)
      try await world.scheduler.publishDue()
      #expect(try await world.requests().count == 5)
    }
  }

  @Test("Nothing after the horizon is asked for")
  func horizon() throws {
    try simulate { world in
      let world = world.with { $0.horizon = Sample.at(300) }
      try await Self.apply([Events.upload(1, at: 0), Events.upload(2, image: 2, at: 1)], world)
      await world.reach(5000)
      try await world.scheduler.publishDue()
      #expect(
        try await world.requests() == [
          "anchor_0m of 1 @ 0", "anchor_0m of 2 @ 1", "anchor_5m of 1 @ 300",
        ])
    }
  }

  @Test("The service publishes within a tick of the instant, and outlives any failure")
  func faults() throws {
    let survey = try FaultSurvey([.before, .after], limit: 200) { plan in
      try simulate { world in
        try await Self.apply([Events.upload(1, at: -297)], world)
        await world.run([world.behind(plan).scheduler], for: 8)
        return Set(try await world.requests()).sorted()
      }
    }
    #expect(survey.expected == ["anchor_0m of 1 @ -297", "anchor_5m of 1 @ 3"])
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns > 15)
  }

  @Test("A lost acknowledgement publishes the same request again, under the same id")
  func republished() throws {
    try simulate { world in
      try await Self.apply([Events.upload(1, at: 0)], world)
      let lost = PortError(.unavailable, port: "test", operation: "test", hint: "lost")
      let plan = PortGate.Plan { operation in
        operation.name == "FeatureStore.acknowledge" ? .failBefore(lost) : .pass
      }
      #expect(try await failure { try await world.behind(plan).scheduler.publishDue() } == lost)
      try await world.scheduler.publishDue()
      let values = try await world.records(Topic.moderationRequests).map(\.value)
      #expect(values.count == 2)
      #expect(Set(values).count == 1)
    }
  }
}
