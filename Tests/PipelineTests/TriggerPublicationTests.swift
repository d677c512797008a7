import Moderation
import Ports
import Testing

@testable import Pipeline

@Suite("Stream consumer: triggers")
struct TriggerPublicationTests {
  private static func flags(_ numbers: ClosedRange<UInt64>, image: UInt64 = 1) -> [PlatformEvent] {
    numbers.map { Events.flag($0, image: image, at: Int64($0), by: $0) }
  }

  @Test("A trigger's request is published once, however often its threshold is crossed")
  func once() throws {
    try simulate { world in
      try await world.append(Self.flags(1...3))
      await world.run([world.consumer()], for: 2)
      try await world.append(Self.flags(4...9))
      await world.run([world.consumer()], for: 2)
      #expect(try await world.requests() == ["flagged of 1 @ 2"])
      #expect(world.journal.values("trigger", "trigger") == ["flagged"])
    }
  }

  @Test("Each image and each trigger has its own request")
  func each() throws {
    try simulate { world in
      let world = world.with { $0.triggers.viral = 3 }
      try await world.append(
        Self.flags(1...2) + Self.flags(3...4, image: 2)
          + (10...12).map { Events.view($0, at: Int64($0)) })
      await world.run([world.consumer()], for: 2)
      #expect(
        try await world.requests() == ["flagged of 1 @ 2", "flagged of 2 @ 4", "viral of 1 @ 12"])
    }
  }

  @Test("A request is keyed by its image and carries a deterministic id")
  func record() throws {
    try simulate { world in
      try await world.append(Self.flags(1...2))
      await world.run([world.consumer()], for: 2)
      let record = try #require(try await world.records(Topic.moderationRequests).first)
      let image: ImageID = .number(1)
      #expect(record.key == Array(image.description.utf8))
      let request = try ModerationRequest.decode(record.value)
      #expect(
        request.id == ModerationRequest.id(image: image, trigger: .flagged, asOf: Sample.at(2)))
      #expect(request.count == 2)
    }
  }

  @Test("Popular images and milestones are recorded, but ask for no score")
  func logged() throws {
    try simulate { world in
      let world = world.with {
        $0.triggers.popular = 2
        $0.triggers.milestones = [1, 3]
      }
      try await world.append((1...3).map { Events.view($0, at: Int64($0)) })
      await world.run([world.consumer()], for: 2)
      #expect(try await world.requests() == [])
      #expect(
        world.journal.values("trigger", "trigger") == ["milestone_1", "popular", "milestone_3"])
    }
  }

  @Test("An upload starts its anchors, which the consumer leaves to the scheduler")
  func anchors() throws {
    try simulate { world in
      try await world.append([Events.upload(1, at: 0)])
      await world.run([world.consumer()], for: 2)
      #expect(try await world.requests() == [])
      let pending = try await world.features.pending(asOf: Sample.at(9999), limit: 10)
      #expect(pending.map(\.asOf.sinceStart) == [0, 300, 1800])
    }
  }

  @Test("What is published is no longer pending")
  func acknowledged() throws {
    try simulate { world in
      try await world.append(Self.flags(1...2))
      await world.run([world.consumer()], for: 2)
      #expect(try await world.features.pending(asOf: Sample.at(9999), limit: 10).isEmpty)
    }
  }
}
