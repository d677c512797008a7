import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// The way of scored vectors: from the scorer through the log into the lake.
@Suite("Feature log")
struct FeatureLogTests {
  /// Three requests scored, and published by the relay.
  private static func prepare(_ world: World) async throws {
    try await RiskScorerTests.prepare(world, resolved: 100)
    for second in [1, 12, 20] as [Int64] { try await world.request(at: second) }
    await world.run([world.scorer()], for: 2)
    try await world.relay.drain()
  }

  /// The table's rows as `seconds governed/observed comments_5min risk`.
  private static func rows(_ world: World) async throws -> [String] {
    let rows = try await world.lake.rows(
      LakeTables.featureLog, schema: LakeTables.featureLogSchema)
    let (governed, observed) = (
      rows.integers("comments_5min"), rows.integers("observed_comments_5min")
    )
    return rows.integers("as_of").enumerated().map { row, instant in
      let risk = rows.schema.index(of: "risk_score").flatMap { rows.text(row: row, column: $0) }
      return "\(EventTime(microseconds: instant).sinceStart) \(governed[row])/\(observed[row]) "
        + (risk ?? "?")
    }.sorted()
  }

  /// Scores of an image as of some seconds, published.
  static func publish(_ world: World, of image: ImageID, asOf seconds: [Int64]) async throws {
    for (number, second) in seconds.enumerated() {
      let time = Sample.at(second)
      let request = ModerationRequest(
        FiredTrigger(image: image, trigger: .anchor(minutes: number), asOf: time, count: nil))
      let row = ModerationRow(
        id: request.id.reinterpreted(as: ModerationRow.self), requestID: request.id,
        target: .image(image), inferenceMode: "heuristic", riskScore: 0.5,
        triggerType: request.trigger.name, createdAt: time)
      let vector = FeatureVector(
        ScoringSubject(
          uploadedAt: Sample.start, category: nil, captionLength: 0,
          accountCreatedAt: Sample.start, userImageCount: 1),
        counts: EngagementCounts(), flavour: .observed, asOf: time)
      let entry = FeatureLogEntry(
        row, of: request, asOf: time, category: nil, isUploaderEligible: true, observed: vector,
        governed: vector)
      _ = try await world.log.append([
        ProducerRecord(
          topic: Topic.featureLog, key: Array(image.description.utf8), value: entry.encoded(),
          timestamp: time)
      ])
    }
  }

  private static let expected = ["1 0/0 0.0", "12 6/11 0.3", "20 7/12 0.7"]

  @Test("Each scored vector becomes a row, with both flavours of what may differ")
  func rows() throws {
    try simulate { world in
      try await Self.prepare(world)
      #expect(try await world.featureLog.run() == ["rows": 3, "unreadable": 0])
      #expect(try await Self.rows(world) == Self.expected)
      let rows = try await world.lake.scan(LakeTables.featureLog, snapshot: nil)
      #expect(rows.mismatch == nil)
      #expect(rows.strings("category") == ["Soup", "Soup", "Soup"])
      #expect(rows.strings("policy_version") == ["v1", "v1", "v1"])
      #expect(rows.booleans("uploader_eligible") == [true, true, true])
      #expect(
        Set(rows.strings("request_id"))
          == Set(try await world.store.snapshot().moderation.map { "\($0.requestID!)" }))
    }
  }

  @Test("A second run adds what came since, and nothing twice")
  func again() throws {
    try simulate { world in
      try await Self.prepare(world)
      _ = try await world.featureLog.run()
      #expect(try await world.featureLog.run() == ["rows": 0, "unreadable": 0])
      #expect(try await world.lake.snapshots(of: LakeTables.featureLog).count == 1)
      try await world.request(at: 30)
      await world.run([world.scorer()], for: 2)
      try await world.relay.drain()
      #expect(try await world.featureLog.run()["rows"] == 1)
      #expect(try await Self.rows(world).count == 4)
    }
  }

  @Test("A request that was logged twice is one row, with what was logged first")
  func twice() throws {
    try simulate { world in
      try await Self.prepare(world)
      let records = try await world.log.records(
        of: Topic.featureLog, from: [0, 0, 0], to: [9, 9, 9], limit: 2)
      var entry = try FeatureLogEntry(decoding: records[0].value)
      entry.riskScore = 0.99
      for _ in 1...2 {
        _ = try await world.log.append([
          ProducerRecord(
            topic: Topic.featureLog, key: Array(entry.image.description.utf8),
            value: entry.encoded(), timestamp: entry.scoredAt)
        ])
      }
      #expect(try await world.featureLog.run()["rows"] == 3)
      // Another mode of the same request is another score.
      entry.inferenceMode = "model"
      _ = try await world.log.append([
        ProducerRecord(
          topic: Topic.featureLog, key: Array(entry.image.description.utf8),
          value: entry.encoded(), timestamp: entry.scoredAt)
      ])
      #expect(try await world.featureLog.run()["rows"] == 1)
      #expect(try await Self.rows(world).filter { !$0.hasSuffix("0.99") } == Self.expected)
    }
  }

  @Test("A repeat of a later instant than the news that come with it is known by its instant")
  func repeatAmongNews() throws {
    try simulate { world in
      try await Self.prepare(world)
      let records = try await world.log.records(
        of: Topic.featureLog, from: [0, 0, 0], to: [9, 9, 9], limit: 9)
      let logged = try records.map { try FeatureLogEntry(decoding: $0.value) }
      var last = try #require(logged.max { $0.asOf < $1.asOf })
      #expect(try await world.featureLog.run()["rows"] == 3)
      try await world.request(at: 5)
      await world.run([world.scorer()], for: 2)
      try await world.relay.drain()
      last.riskScore = 0.99
      _ = try await world.log.append([
        ProducerRecord(
          topic: Topic.featureLog, key: Array(last.image.description.utf8),
          value: last.encoded(), timestamp: last.scoredAt)
      ])
      #expect(try await world.featureLog.run()["rows"] == 1)
      let rows = try await Self.rows(world)
      #expect(rows.count == 4 && Self.expected.allSatisfy(rows.contains), "\(rows)")
    }
  }

  @Test("What can't be read is counted and traced with its place, and the rest goes on")
  func unreadable() throws {
    try simulate { world in
      try await Self.prepare(world)
      _ = try await world.log.append([
        ProducerRecord(
          topic: Topic.featureLog, key: [1], value: Array("{}".utf8), timestamp: Sample.start)
      ])
      #expect(try await world.featureLog.run() == ["rows": 3, "unreadable": 1])
      #expect(world.journal.values("bad-feature-log", "at")[0].hasPrefix(Topic.featureLog))
      #expect(world.journal.values("bad-feature-log", "reason")[0].contains("is missing"))
    }
  }

  @Test("Published directly, vectors reach the log without an outbox; without events, nowhere")
  func publication() throws {
    for (publication, count) in [
      (PipelinePolicy.Publication.direct, 1), (.none, 0),
    ] {
      try simulate { world in
        try await RiskScorerTests.prepare(world, resolved: 100)
        let direct = world.with { $0.publication = publication }
        try await world.request(at: 12)
        await world.run([direct.scorer()], for: 2)
        #expect(try await world.store.outbox(limit: 9).isEmpty)
        #expect(try await world.log.ends(of: Topic.featureLog).reduce(0, +) == Int64(count))
      }
    }
  }

  @Test("A failure or crash at any operation of the scorer, the relay and the job changes no row")
  func everyOperation() throws {
    let survey = try FaultSurvey(limit: 400) { plan in
      try simulate { world in
        try await RiskScorerTests.prepare(world, resolved: 100)
        let gated = world.behind(plan)
        for second in [1, 12] as [Int64] { try await world.request(at: second) }
        await world.run([gated.scorer(), gated.relay], for: 4)
        // After a crash, fresh instances.
        try await world.request(at: 20)
        await world.run([world.scorer(), world.relay], for: 4)
        try await world.complete(gated.featureLog)
        try await world.complete(world.featureLog)
        return try await Self.rows(world)
      }
    }
    #expect(survey.expected == Self.expected)
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns > 60)
  }

  @Test("Erasure takes an image's vectors, and those that an erased event had fed")
  func erasure() throws {
    try simulate { world in
      try await Self.prepare(world)
      _ = try await world.featureLog.run()
      _ = try await world.aggregation.run()
      // The comment at second 12 goes: what was scored before that stays as it was seen.
      let comments = try await world.lake.scan(LakeTables.events(.comments), snapshot: nil)
      #expect(comments.count == 12)
      try await world.store.insert(
        users: [Rows.user(2)], images: [],
        comments: [Rows.comment(11, by: 2, at: 12, deletedAt: Sample.at(99))])
      #expect(try await world.erasure.run()["rows"] ?? 0 > 0)
      #expect(try await Self.rows(world) == ["1 0/0 0.0"])
      try await world.intake.deleteImage(.number(1))
      _ = try await world.erasure.run()
      #expect(try await Self.rows(world) == [])
    }
  }

  @Test("A deleted comment takes the vectors that it had fed, though its event isn't in the lake")
  func erasureBeforeAggregation() throws {
    try simulate { world in
      try await Self.prepare(world)
      _ = try await world.featureLog.run()
      try await world.store.insert(
        users: [Rows.user(2)], images: [],
        comments: [Rows.comment(11, by: 2, at: 12, deletedAt: Sample.at(99))])
      #expect(try await world.erasure.run()["rows"] == 2)
      #expect(try await Self.rows(world) == ["1 0/0 0.0"])
    }
  }
}
