import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// When and as of which instant requests are scored. Failures are in `RiskScorerFaultTests`.
@Suite("Risk scorer")
struct RiskScorerTests {
  /// User 1 with image 1, which has 12 comments from second 2 to 13 and flags at 20 and 40, all
  /// applied without a trigger, with the watermark at `resolved`.
  static func prepare(_ world: World, resolved: Int64) async throws {
    try await world.store.insert(
      users: [Rows.user(1)], images: [Rows.image(1, caption: "hot soup")])
    try await world.append(
      (1...12).map { Events.comment($0, at: Int64($0) + 1, by: 2, eligible: $0 > 5) }
        + [Events.flag(21, at: 20), Events.flag(22, at: 40)])
    try await world.resolve(resolved)
    let silent = world.with {
      $0.triggers.suspicious = nil
      $0.triggers.flagged = nil
    }
    await silent.run([silent.consumer()], for: 2)
  }

  /// The stored scores, `trigger risk`, by request.
  static func scores(_ world: World) async throws -> [String] {
    try await world.store.snapshot().moderation
      .map { "\($0.triggerType ?? "?") \($0.riskScore)" }.sorted()
  }

  @Test("A score is as of the request's instant, not of the moment of scoring")
  func asOf() throws {
    try simulate { world in
      let scored = Notes<ScoredRequest>()
      try await Self.prepare(world, resolved: 100)
      for second in [1, 12, 13, 20] as [Int64] { try await world.request(at: second) }
      await world.run([world.scorer { scored.note($0) }], for: 2)
      #expect(scored.values.map(\.asOf.sinceStart) == [1, 12, 13, 20])
      #expect(scored.values.map { $0.observed["comments_5min"] } == [0, 11, 12, 12])
      #expect(scored.values.map { $0.governed["comments_5min"] } == [0, 6, 7, 7])
      #expect(scored.values.map { $0.observed["total_flags"] } == [0, 0, 0, 1])
      #expect(scored.values.map(\.row.riskScore) == [0, 0.3, 0.3, 0.7])
      #expect(
        scored.values.map(\.row.rationale) == [
          "none", "comment-burst", "comment-burst", "flagged + comment-burst",
        ])
      #expect(scored.values.allSatisfy { $0.row.createdAt >= Sample.at(100) })
    }
  }

  @Test("A row says which request, image, mode, trigger and policy it is about")
  func row() throws {
    try simulate { world in
      try await Self.prepare(world, resolved: 100)
      try await world.request(.flagged, at: 40)
      await world.run([world.scorer()], for: 2)
      let row = try #require(try await world.store.snapshot().moderation.first)
      #expect(
        row.requestID
          == ModerationRequest.id(image: .number(1), trigger: .flagged, asOf: Sample.at(40)))
      #expect(row.target == .image(.number(1)))
      #expect(row.inferenceMode == "heuristic")
      #expect(row.modelVersion == nil)
      #expect(row.triggerType == "flagged")
      #expect(row.policyVersion == "v1")
      #expect(row.rationale == "flagged + comment-burst")
    }
  }

  @Test("A request waits until every partition's watermark has reached its instant")
  func waits() throws {
    try simulate { world in
      try await Self.prepare(world, resolved: 12)
      try await world.request(at: 13)
      try await world.request(at: 12)
      await world.run([world.scorer()], for: 5)
      #expect(world.journal.values("scored", "as_of") == ["12"])
      try await world.resolve(13)
      await world.run([world.consumer(), world.scorer()], for: 5)
      #expect(Set(world.journal.values("scored", "as_of")) == ["12", "13"])
      #expect(try await world.store.snapshot().moderation.count == 2)
    }
  }

  @Test("Without any watermark nothing is scored")
  func noWatermark() throws {
    try simulate { world in
      try await world.store.insert(users: [Rows.user(1)], images: [Rows.image(1)])
      try await world.request(at: 0)
      await world.run([world.consumer(), world.scorer()], for: 5)
      #expect(try await Self.scores(world) == [])
    }
  }

  @Test("A request read twice is stored once")
  func twice() throws {
    try simulate { world in
      try await Self.prepare(world, resolved: 100)
      for _ in 0..<3 { try await world.request(.viral, at: 13) }
      await world.run([world.scorer()], for: 2)
      try await world.request(.viral, at: 13)
      await world.run([world.scorer()], for: 2)
      #expect(try await Self.scores(world) == ["viral 0.3"])
    }
  }

  @Test("Offsets are committed only up to the first request that waits")
  func commits() throws {
    try simulate { world in
      try await Self.prepare(world, resolved: 15)
      for second in [10, 99, 11] as [Int64] { try await world.request(at: second) }
      await world.run([world.scorer()], for: 3)
      let consumer = try await world.log.join(
        RiskScorer.group, member: "other", topics: [Topic.moderationRequests])
      let committed = try await consumer.committed()
      #expect(committed.values.sorted() == [1], "the request at 99 is at offset 1")
      #expect(world.journal.values("scored", "as_of") == ["10", "11"])
    }
  }

  @Test("After a restart the waiting requests are read again, and none is stored twice")
  func restart() throws {
    try simulate { world in
      try await Self.prepare(world, resolved: 15)
      for second in [10, 99, 11] as [Int64] { try await world.request(at: second) }
      await world.run([world.scorer()], for: 3)
      try await world.resolve(200)
      await world.run([world.consumer(), world.scorer()], for: 3)
      #expect(try await world.store.snapshot().moderation.count == 3)
      #expect(Set(world.journal.values("scored", "as_of")) == ["10", "11", "99"])
    }
  }

  @Test("An image that nobody knows at the instant is unscorable, and holds nobody up")
  func unknown() throws {
    try simulate { world in
      try await Self.prepare(world, resolved: 100)
      try await world.request(image: 9, at: 5)
      try await world.request(at: -1)
      try await world.request(at: 5)
      await world.run([world.scorer()], for: 2)
      #expect(world.journal.values("unscorable", "reason").count == 2)
      #expect(try await world.store.snapshot().moderation.count == 1)
    }
  }

  @Test("A record that is no request is passed over")
  func badRequest() throws {
    try simulate { world in
      try await Self.prepare(world, resolved: 100)
      try await world.append("nonsense", to: Topic.moderationRequests)
      try await world.request(at: 5)
      await world.run([world.scorer()], for: 2)
      #expect(world.journal.lines("bad-request").count == 1)
      #expect(try await world.store.snapshot().moderation.count == 1)
    }
  }

  @Test("A request about an instant that is no longer kept holds nobody up")
  func outOfRetention() throws {
    try simulate { world in
      try await Self.prepare(world, resolved: 100)
      try await world.resolve(200_000)
      await world.run([world.consumer()], for: 2)
      try await world.append([Events.view(50, at: 200_001)])
      await world.run([world.consumer()], for: 2)
      let old = try await failure { _ = try await world.counts(at: 10) }
      try #require(old?.code == .outOfRetention)
      try await world.request(at: 10)
      try await world.request(at: 200_000)
      await world.run([world.scorer()], for: 60)
      #expect(world.journal.values("scored", "as_of") == ["200000"])
    }
  }

  @Test("The uploader's images are counted as of the instant")
  func userImages() throws {
    try simulate { world in
      let scored = Notes<ScoredRequest>()
      try await Self.prepare(world, resolved: 100)
      try await world.store.insert(images: [
        Rows.image(2, at: 5), Rows.image(3, at: 6, deletedAt: Sample.at(10)),
      ])
      for second in [4, 9, 10] as [Int64] { try await world.request(at: second) }
      await world.run([world.scorer { scored.note($0) }], for: 2)
      #expect(scored.values.map { $0.observed["user_image_count"] } == [1, 3, 2])
      #expect(scored.values.map { $0.observed["user_age_days"] } == [1, 1, 1])
      #expect(scored.values.map { $0.observed["time_since_upload_seconds"] } == [4, 9, 10])
    }
  }

  @Test("Immediate scoring is as of now, except where the instant was asked for")
  func immediate() throws {
    try simulate { world in
      let world = world.with { $0.scoring = .immediate }
      let scored = Notes<ScoredRequest>()
      try await Self.prepare(world, resolved: 0)
      await world.reach(30)
      try await world.request(.scoreAt, at: 6)
      try await world.request(.viral, at: 5)
      await world.run([world.scorer { scored.note($0) }], for: 2)
      let asOf = Dictionary(
        uniqueKeysWithValues: scored.values.map { ($0.request.trigger, $0.asOf.sinceStart) })
      #expect(asOf == [.viral: 30, .scoreAt: 6])
      let comments = scored.values.compactMap { $0.observed["comments_5min"] }
      #expect(comments.sorted() == [5, 12])
    }
  }

  @Test("Immediate scoring counts deleted images of the uploader, too")
  func immediateImageCount() throws {
    try simulate { world in
      let world = world.with { $0.scoring = .immediate }
      let scored = Notes<ScoredRequest>()
      try await Self.prepare(world, resolved: 0)
      try await world.store.insert(images: [Rows.image(2, deletedAt: Sample.start)])
      try await world.request(.viral, at: 0)
      await world.run([world.scorer { scored.note($0) }], for: 2)
      #expect(scored.values.map { $0.observed["user_image_count"] } == [2])
    }
  }
}
