import Moderation
import Pipeline
import Ports
import Testing

@testable import Harness

@Suite("Expectations")
struct ExpectationTests {
  typealias Bound = Harness.Expectation.Bound

  /// An expectation as written and what its failure says; nothing when it holds.
  struct Row: Sendable, CustomTestStringConvertible {
    let entry: String
    let causes: [String]

    init(_ entry: String, _ causes: String...) {
      self.entry = entry
      self.causes = causes
    }

    var testDescription: String { entry }

    /// Judges `entry` on a run.
    func check(_ run: RunResult) throws {
      let scenario = try ScenarioTexts.parsedTiny("expect:\n  - { \(entry) }\n")
      let expectation = try #require(scenario.expectations.first)
      let faults = ExpectationCheck(run: run).faults(expectation)
      #expect(faults.isEmpty == causes.isEmpty, "\(faults)")
      let text = faults.joined(separator: "\n")
      for cause in causes { #expect(text.contains(cause), "\(text)") }
    }
  }

  @Test(
    "What came holds",
    arguments: [
      Row("scored: hero"), Row("scored: hero, trigger: viral"),
      Row("scored: hero, trigger: anchor_5m, at_least: 0.4, at_most: 1"),
      Row("unscored: cake, trigger: viral"),
      Row("feature: views_5min, of: hero, trigger: viral, equals: 10"),
      Row("feature: views_5min, of: hero, trigger: viral, flavour: governed, at_most: 10"),
      Row("feature: total_flags, of: hero, trigger: anchor_30m, at_least: 2"),
      Row("absent: cake, from: moderation.training_data"),
      Row("present: hero, in: moderation.training_data"), Row("present: hero, in: events.views"),
      Row("present: hero, in: raw.images"), Row("present: cake, in: events.views"),
      Row("training: comments_5min, of: hero, decision_point: 0m, equals: 0"),
      Row("training: views_5min, of: hero, decision_point: 5m, at_least: 1"),
      Row("count: viral, equals: 1"), Row("count: events, at_least: 30"),
      Row("count: jobs, equals: 5"), Row("count: crashes, at_most: 0"),
      Row("skew: any, equals: 0"), Row("skew: views_1hr, equals: 0"),
    ])
  func holding(row: Row) throws { try row.check(try ScenarioTexts.soundRun.get()) }

  @Test(
    "What didn't come fails, with what was seen and what led to it",
    arguments: [
      Row(
        "scored: cake, trigger: viral", "cake has no score by viral",
        "requests: anchor_0m as of 2026-01-05T09:02:00", "events of the image were applied"),
      Row(
        "scored: hero, trigger: flagged, at_most: 0.1", "hero scored 0.4 by flagged as of",
        "expected at most 0.1", "rules: flagged", "flags_5min=2"),
      Row("scored: hero, at_least: 0.99", "expected at least 0.99", "viral", "anchor_0m"),
      Row("unscored: hero, trigger: viral", "hero was scored", "by viral as of 2026-01-05T09:05"),
      Row(
        "feature: views_5min, of: hero, trigger: viral, equals: 11",
        "views_5min of hero at viral (2026-01-05T09:05", "is 10.0, expected 11.0", "views_5min=10"),
      Row(
        "feature: views_5min, of: cake, trigger: viral, equals: 1", "cake has no score by viral",
        "requests: "),
      Row(
        "absent: hero, from: events.views", "hero has ", " rows in events.views",
        "uploaded 2026-01-05T09:05:00", "uploader eligible", "jobs: event-aggregation 2026-01-05"),
      Row(
        "present: cake, in: moderation.training_data", "cake has no row in",
        "deleted 2026-01-05T09:30:00", "training-set 2026-01-05T09:20"),
      Row("present: hero, in: no.table", "the table no.table doesn't exist"),
      Row("absent: hero, from: no.table", "no job writes a table 'no.table'", "events.views"),
      Row(
        "training: views_5min, of: hero, decision_point: 0m, equals: 5",
        "views_5min of hero at 0 min is 0.0, expected 5.0"),
      Row(
        "training: views_5min, of: cake, decision_point: 5m, equals: 0",
        "cake has no training row at 5 min", "deleted 2026-01-05T09:30:00"),
      Row(
        "training: label_needs_moderation_24h, of: hero, decision_point: 0m, equals: 1",
        "label_needs_moderation_24h of hero at 0 min is null"),
      Row("count: viral, equals: 3", "viral is 1, expected 3.0"),
      Row("count: models, equals: 1", "there is no count 'models'", "known: requests, refused"),
      Row("skew: any, at_least: 1", "0 mismatches, expected at least 1.0"),
    ])
  func failing(row: Row) throws { try row.check(try ScenarioTexts.soundRun.get()) }

  @Test("Once its snapshot expired, what is left of the last training set is compared")
  func expiredBuild() throws {
    var scenario = try ScenarioTexts.parsedTiny()
    let jobs: [(Duration?, JobName)] = [
      (.seconds(1200), .eventAggregation), (.seconds(1200), .trainingSet), (nil, .erasure),
      (nil, .expire),
    ]
    scenario.jobs = jobs.map { ScheduledJob(at: $0, job: $1) }
    let run = try ScenarioRun(scenario).run()
    #expect(run.trainingKnownUntil == nil, "the build's snapshot is gone")
    #expect(!run.skew.rows.isEmpty && run.skew.rows.allSatisfy { $0.mismatches == 0 })
    try Row("skew: any, equals: 0").check(run)
  }

  @Test("Skew without a pair to compare isn't 0: nothing was compared")
  func nothingCompared() throws {
    var scenario = try ScenarioTexts.parsedTiny()
    scenario.jobs = []
    let run = try ScenarioRun(scenario).run()
    try Row("skew: any, equals: 0", "no score of an anchor has a training row to compare with")
      .check(run)
  }

  @Test("Every count of a run is among the names that a scenario may expect")
  func countNames() throws {
    let names = try ScenarioTexts.soundRun.get().counts.map(\.name)
    #expect(names == RunResult.countNames.filter(Set(names).contains))
    #expect(Set(RunResult.countNames).count == RunResult.countNames.count)
  }

  @Test("The lab's offline features differ from the scorer's, and the skew's failure shows where")
  func skew() throws {
    var scenario = try ScenarioTexts.parsedTiny()
    scenario.policy.offline = .lab
    let run = try ScenarioRun(scenario).run()
    let skew = SkewReport(run)
    #expect(!skew.mismatches.isEmpty)
    for mismatch in skew.mismatches { #expect(mismatch.online != mismatch.offline) }
    #expect(skew.rows.reduce(0) { $0 + $1.mismatches } == skew.mismatches.count)
    try Row("skew: any, equals: 0", "mismatches, expected 0.0", "online", "offline").check(run)
    try Row("skew: day_of_week, equals: 0").check(run)
    try Row("skew: category, equals: 0").check(run)
    try Row("skew: any, metric: smape, at_most: 2").check(run)
    try Row(
      "skew: any, metric: smape, at_most: 0.001", "smape is", "at worst, expected at most 0.001"
    )
    .check(run)
    try Row("skew: day_of_week, metric: mismatch_rate, equals: 0").check(run)
    let report = skew.table
    #expect(report.rows.count == 57, "18 features and the category, at three decision points")
    let worst = try #require(skew.rows.max { $0[.smape] < $1[.smape] })
    #expect(worst.mismatchRate > 0 && worst[.largestDifference] > 0)
    #expect(skew.rows.allSatisfy { $0.onlineOnly >= 0 && $0.offlineOnly >= 0 })
  }

  @Test("An image that was never uploaded is said to be so")
  func neverUploaded() throws {
    let text = """
      name: x
      about: y
      duration: 2m
      population: { users: 0, images: 0 }
      traffic: [burst: { as: hero, at: 1m, over: 1m, views: 3 }]
      """
    let run = try ScenarioRun(Scenario(yaml: text, file: "x.yaml")).run()
    for entry in ["scored: hero", "present: hero, in: events.views"] {
      try Row(entry, "the image was never uploaded").check(run)
    }
    try Row("unscored: hero").check(run)
    try Row("absent: hero, from: events.views").check(run)
  }

  @Test("A count's failure names the jobs that failed")
  func failedJobs() throws {
    let options = RunOptions.lake { (_, table) throws(PortError) in
      throw PortError(.invalid, port: "Lake", operation: "commit", hint: "no space left")
    }
    let run = try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    try Row(
      "count: training_rows, at_least: 1", "training_rows is 0, expected at least 1.0",
      "event-aggregation at 2026-01-05T09:20:00.000000Z failed", "no space left"
    ).check(run)
    try Row(
      "present: hero, in: events.views", "event-aggregation 2026-01-05T09:20:00.000000Z failed"
    ).check(run)
  }

  @Test("A judgement lists the expectations in file order, with their lines and faults")
  func judgement() throws {
    let lines = "expect:\n  - { count: jobs, equals: 5 }\n  - { count: viral, equals: 9 }\n"
    let scenario = try ScenarioTexts.parsedTiny(lines)
    let judgement = Judgement(try ScenarioRun(scenario).run())
    let tinyLines = ScenarioTexts.tiny.split(separator: "\n").count
    #expect(judgement.expectations.map(\.line) == [tinyLines + 2, tinyLines + 3])
    #expect(
      judgement.expectations.map(\.what)
        == ["{ count: jobs, equals: 5 }", "{ count: viral, equals: 9 }"])
    #expect(judgement.expectations.map(\.holds) == [true, false])
    #expect(!judgement.passed)
  }

  @Test(
    "A bound admits what lies within it, up to a billionth",
    arguments: [
      (Bound(), 5.0, true), (.init(atLeast: 0.4), 0.4, true),
      (.init(atLeast: 0.4), 0.39, false), (.init(atMost: 1), 1 + 1e-10, true),
      (.init(atMost: 1), 1.001, false), (.init(equals: 0.3), 0.1 + 0.2, true),
      (.init(equals: 0.3), 0.31, false), (.init(atLeast: 1, atMost: 2), 3, false),
      (.init(equals: 1), .nan, false),
    ])
  func bounds(bound: Bound, value: Double, isAdmitted: Bool) {
    #expect(bound.admits(value) == isAdmitted)
  }
}
