import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Outbox relay")
struct OutboxRelayTests {
  private static func enqueue(
    _ numbers: ClosedRange<UInt64>, at seconds: Int64 = 0, in world: World
  ) async throws {
    for number in numbers {
      let event = Events.view(number, at: seconds)
      _ = try await world.store.commit([
        .enqueue(
          OutboxEvent(
            topic: event.kind.topic, key: event.image, value: EventCodec.encode(event),
            time: event.time))
      ])
    }
  }

  /// The numbers of the published views, in their partition's order.
  private static func published(_ world: World) async throws -> [UInt64] {
    try await world.events("gourmetgram.views").map(\.id.number)
  }

  @Test(
    "Everything is published in commit order, in batches of any size", arguments: [1, 2, 3, 7, 500])
  func order(limit: Int) throws {
    try simulate { world in
      let world = world.with { $0.batchLimit = limit }
      try await Self.enqueue(1...7, in: world)
      try await world.relay.drain()
      #expect(try await Self.published(world) == [1, 2, 3, 4, 5, 6, 7])
      #expect(try await world.store.outbox(limit: 10).isEmpty)
      #expect(world.journal.values("published", "events") == ["7"])
    }
  }

  @Test("A record keeps the event's key, value and instant")
  func record() throws {
    try simulate { world in
      await world.reach(60)
      try await Self.enqueue(1...1, at: 12, in: world)
      try await world.relay.drain()
      let record = try #require(try await world.records("gourmetgram.views").first)
      let image: ImageID = .number(1)
      #expect(record.key == Array(image.description.utf8))
      #expect(record.value == EventCodec.encode(Events.view(1, at: 12)))
      #expect(record.timestampMilliseconds == Sample.at(12).microseconds / 1000)
    }
  }

  @Test("A drain ends with a resolved mark that names what the log holds, even when it is idle")
  func mark() throws {
    try simulate { world in
      await world.reach(10)
      try await world.relay.drain()
      try await Self.enqueue(1...3, in: world)
      try await world.relay.drain()
      let marks = try await world.marks()
      #expect(marks.map(\.resolvedAt.sinceStart) == [9, 9], "a commit's grace behind the clock")
      #expect(marks.map { ($0.ends[TopicName("gourmetgram.views")] ?? []).reduce(0, +) } == [0, 3])
      #expect(marks.allSatisfy { $0.ends.keys.sorted().map(\.text) == Catalog.sourceTopics })
    }
  }

  @Test("A crash between the append and the mark publishes again with the same ids")
  func crash() throws {
    try simulate { world in
      try await Self.enqueue(1...3, in: world)
      let plan = PortGate.Plan { operation in
        let lost = PortError(.cancelled, port: "test", operation: "test", hint: "killed")
        return operation.name == "ApplicationStore.markPublished" ? .failBefore(lost) : .pass
      }
      let error = try await failure { try await world.behind(plan).relay.drain() }
      #expect(error?.hint == "killed")
      #expect(try await world.marks().isEmpty, "nothing is claimed after a failed drain")
      try await world.relay.drain()
      #expect(try await Self.published(world) == [1, 2, 3, 1, 2, 3])
      try await world.relay.drain()
      #expect(try await Self.published(world).count == 6)
    }
  }

  @Test("The service drains at every tick and outlives any failure of its ports")
  func faults() throws {
    let survey = try FaultSurvey(limit: 200) { plan in
      try simulate { world in
        try await Self.enqueue(1...3, in: world)
        await world.behind(plan).run([world.behind(plan).relay], for: 6)
        #expect(try await world.store.outbox(limit: 10).isEmpty)
        return Set(try await Self.published(world)).sorted()
      }
    }
    #expect(survey.expected == [1, 2, 3])
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns > 20)
  }

  @Test("No mark is ahead of an entry that isn't published yet", arguments: 1...20 as ClosedRange)
  func neverAhead(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      try await IntakeFixture.insert(into: world.store)
      let gated = world.with { $0.batchLimit = 2 }.behind(PortGate.Plan(), yields: true)
      await withTaskGroup { group in
        group.addTask { await gated.run([gated.relay], for: 10) }
        group.addTask {
          var random = RandomStreams(seed: seed).stream("views")
          for _ in 0..<30 {
            await world.environment.time.sleep(for: .milliseconds(random.below(300)))
            _ = try? await gated.intake.view(.number(1))
          }
        }
      }
      let events = try await world.records("gourmetgram.views")
      let marks = try await world.marks()
      #expect(marks.count >= 8)
      #expect(events.count == 30)
      for record in events {
        let time = try EventCodec.decode(record.value, fallbackID: .number(0)).time
        let ahead = marks.filter {
          $0.resolvedAt >= time && $0.end(of: record.partition) <= record.offset
        }
        #expect(ahead.isEmpty, "the event at \(time) was late")
      }
    }
  }
}
