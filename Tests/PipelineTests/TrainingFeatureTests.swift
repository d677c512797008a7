import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// What the features of a row are, in both definitions, and that a build can be run again.
@Suite("Training set: features and reruns")
struct TrainingFeatureTests {
  /// Image 1, uploaded 60 s into a window, with views in the first partial window, in whole ones,
  /// and after the decision points.
  static func fixture() -> TrainingFixture {
    var fixture = TrainingFixture()
    fixture.images = [
      Rows.image(1, at: 60, caption: "héllo"), Rows.image(2, at: 30),
      Rows.image(3, at: 40, deletedAt: Sample.at(200)), Rows.image(4, at: 3600),
    ]
    fixture.views = [60, 61, 299, 300, 359, 360, 361, 900, 1860, 1861].enumerated().map {
      Events.view(UInt64($0) + 100, at: $1)
    }
    fixture.comments = [Rows.comment(20, by: 2, at: 100), Rows.comment(21, by: 2, at: 900)]
    return fixture
  }

  private func rows(
    policy: @escaping @Sendable (inout PipelinePolicy) -> Void = { _ in }
  ) throws -> [TrainingRow] {
    try simulate { world in
      let world = world.with(policy)
      try await Self.fixture().load(world)
      _ = try await world.training.run()
      return try await world.trainingRows().filter { $0.image == .number(1) }
    }
  }

  @Test("Point in time, windows end at the decision point and are half-open")
  func pointInTime() throws {
    let rows = try rows()
    #expect(rows.map { $0["views_5min"] } == [1, 5, 1])
    #expect(rows.map { $0["views_1hr"] } == [1, 6, 9])
    #expect(rows.map { $0["comments_5min"] } == [0, 1, 0])
    #expect(rows.map { $0["comments_1hr"] } == [0, 1, 2])
    #expect(rows.map { $0["view_velocity_per_min"] } == [0.2, 1, 0.2])
    #expect(rows.map { $0["recent_engagement_score"] } == [1, 10, 1])
    #expect(rows.map { $0["time_since_upload_seconds"] } == [0, 300, 1800])
  }

  @Test("Point in time, the user's images are those that existed then")
  func existingImages() throws {
    #expect(try rows().map { $0["user_image_count"] } == [3, 2, 2])
  }

  @Test("Point in time, the user's age is taken at the decision point")
  func age() throws {
    let ages = try simulate { world in
      var fixture = TrainingFixture()
      fixture.users = [Rows.user(1, at: 200 - 86_400), Rows.user(2)]
      try await fixture.load(world)
      _ = try await world.training.run()
      _ = try await world.with { $0.offline = .lab }.training.run()
      return try await world.trainingRows().map { $0["user_age_days"] }
    }
    #expect(ages == [0, 0, 0], "the lab's, at the upload")
    let ours = try simulate { world in
      var fixture = TrainingFixture()
      fixture.users = [Rows.user(1, at: 200 - 86_400), Rows.user(2)]
      try await fixture.load(world)
      _ = try await world.training.run()
      return try await world.trainingRows().map { $0["user_age_days"] }
    }
    #expect(ours == [0, 1, 1])
  }

  @Test("The lab takes whole windows between upload and cutoff, and eligible images of today")
  func lab() throws {
    let rows = try rows { $0.offline = .lab }
    #expect(rows.map { $0["views_5min"] } == [0, 0, 0])
    #expect(rows.map { $0["views_1hr"] } == [0, 0, 5])
    #expect(rows.map { $0["comments_1hr"] } == [0, 0, 1])
    #expect(rows.map { $0["user_image_count"] } == [2, 2, 2])
  }

  @Test("What doesn't depend on events is the same in both definitions")
  func common() throws {
    for rows in [try rows(), try rows { $0.offline = .lab }] {
      #expect(rows.map { $0["caption_length"] } == [5, 5, 5])
      #expect(rows.map { $0["has_caption"] } == [1, 1, 1])
      #expect(rows.map { $0["hour_of_day"] } == [14, 14, 14])
      #expect(rows.map { $0["day_of_week"] } == [6, 6, 6])
      #expect(rows.map { $0["is_weekend"] } == [1, 1, 1])
      #expect(rows.map(\.decisionPointMinutes) == [0, 5, 30])
    }
  }

  @Test("Running again on the same inputs gives the same rows, not twice as many")
  func rerun() throws {
    try simulate { world in
      try await Self.fixture().load(world)
      let first = try await world.training.run()
      let view = try await world.lakeView()
      await world.reach(3 * 86_400)
      #expect(try await world.training.run() == first)
      #expect(try await world.lakeView() == view)
      #expect(view.training.count == 9)
      #expect(view.raw["images"]?.count == 4, "the extract has deleted rows, too")
      let history = try await world.lake.snapshots(of: LakeTables.trainingData)
      #expect(history.map(\.operation) == ["overwrite", "overwrite"])
      #expect(history.map(\.rowCount) == [9, 9])
    }
  }

  @Test("The snapshot notes the job, how far the history was complete, and the rows")
  func summary() throws {
    try simulate { world in
      try await Self.fixture().load(world)
      let counts = try await world.training.run()
      let summary = try await world.lake.current(LakeTables.trainingData)?.summary
      #expect(summary?[TrainingSetBuild.jobKey] == "training-set")
      #expect(
        summary?[TrainingSetBuild.knownUntilKey] == "\(Sample.at(2 * 86_400).microseconds)")
      #expect(summary?["rows"] == "9")
      #expect(counts == ["rows": 9, "labelled": 9, "positive": 0])
    }
  }

  @Test("A failure or crash at any port operation and a rerun leave the same tables")
  func faults() throws {
    let survey = try FaultSurvey(limit: 100) { plan in
      try simulate { world in
        try await Self.fixture().load(world)
        try await world.complete(world.behind(plan).training)
        return try await world.lakeView()
      }
    }
    #expect(survey.expected.training.count == 9)
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns > 60)
  }

  @Test("Rows don't claim to know more than the extract of the database does")
  func raceWithAggregation() throws {
    try simulate { world in
      var fixture = Self.fixture()
      fixture.completeThrough = 80_000
      try await fixture.load(world)
      var slow = world
      // While the extract is being written, a flag comes, the label's 24 hours end, and an
      // aggregation completes.
      slow.lake = HookedLake(world.lake, before: "commit") {
        await world.reach(86_470)
        try? await world.store.insert(flags: [Rows.flag(99, image: 1, by: 2, at: 86_450)])
        try? await world.resolve(86_470)
        _ = try? await world.aggregation.run()
      }
      _ = try await slow.training.run()
      let label = try await world.trainingRow(1, 0)?.label
      #expect(label != false, "an eligible user flagged the image within 24 hours")
    }
  }
}
