import Moderation
import Pipeline
import Ports
import Testing

@testable import Harness

/// The checkers of training rows, each with what it must notice.
@Suite("Checkers of the training set")
struct TrainingCheckerTests {
  typealias Breakage = CheckerTests.Breakage

  private static let bronze = Metric.allCases.map { LakeTables.events($0) }

  /// Training rows with one feature changed.
  private static func training(
    _ feature: String, by difference: Int64
  ) -> RunOptions {
    .rows(of: [LakeTables.trainingData]) { $0.change(feature) { $0 += difference } }
  }

  /// Between the decision points and the build a comment is deleted, its author's friend turns out
  /// to be a minor, and views come late.
  private static func learning() throws(ScenarioError) -> Scenario {
    var scenario = try Scenario(
      yaml: """
        name: learning
        about: Governance learns something between the scores and the training set.
        duration: 50m
        population: { users: 5, images: 3, minors: 0, test_accounts: 0 }
        traffic:
          - poisson: { rate: 240/h, mix: { view: 3, comment: 1, upload: 0.5, flag: 0.5 } }
          - user: { as: pretender, at: 1m, year_of_birth: 1999 }
          - upload: { as: soup, at: 2m, by: user-1 }
          - upload: { as: stew, at: 2m, by: user-1 }
          - upload: { as: picnic, at: 2m, by: user-1 }
          - comment: { on: soup, at: 3m, by: user-2, as: rude }
          - view: { on: stew, at: 3m, by: pretender, times: 3 }
          - view: { on: picnic, at: 12m, by: user-2, times: 4, every: 1s, late_by: 8m }
        actions:
          - { at: 35m, delete: { comment: rude } }
          - { at: 35m, correct: { user: pretender, year_of_birth: 2012 } }
        jobs:
          - { at: end, run: event-aggregation }
          - { at: end, run: training-set }
        policy: { relay_every: 20s }

        """, file: "learning.yaml")
    scenario.policy.pollWait = .seconds(20)
    return scenario
  }

  @Test("GovernanceIsTransitive notices what minors and test accounts did in others' rows")
  func ineligibleActors() throws {
    let options = RunOptions.rows(of: Self.bronze) { rows in
      guard let stamp = rows.schema.index(of: "actor_eligible"),
        let actor = rows.schema.index(of: "user_id")
      else { return }
      rows.columns[stamp] = .init(.booleans(rows.booleans("actor_eligible").map { _ in true }))
      rows.columns[actor] = .strings(rows.strings("user_id").map { _ in nil })
    }
    try Breakage("anonymous", ", eligible actors make it ", options)
      .expect(GovernanceIsTransitive())
  }

  @Test("GovernanceIsTransitive notices deleted comments, and events that are left out")
  func deletedComments() throws {
    let unknown = RunOptions.rows(of: [LakeTables.events(.comments)]) { rows in
      guard let column = rows.schema.index(of: "event_id") else { return }
      rows.columns[column] = .init(.strings(rows.strings("event_id").map { String($0.reversed()) }))
    }
    try Breakage("unknown", "soup at 5 min: comments_5min is ", unknown)
      .expect(GovernanceIsTransitive(), in: Self.learning())
    let fewer = RunOptions.rows(of: [LakeTables.events(.views)]) { rows in
      rows = rows.filtered(rows.strings("event_id").indices.map { $0 % 2 == 0 })
    }
    try Breakage("fewer", ", eligible actors make it ", fewer).expect(GovernanceIsTransitive())
  }

  @Test("What governance learns before the build leaves no checker at odds with the rows")
  func learningHolds() throws {
    let run = try ScenarioRun(Self.learning()).run()
    let faults = Judgement(run).checkers.flatMap(\.faults)
    #expect(faults.isEmpty, "\(faults)")
    func mismatch(_ name: String, _ feature: String) -> SkewReport.Mismatch? {
      run.skew.mismatches.first {
        run.aliases.name($0.image) == name && $0.feature == feature && $0.decisionPoint == 5
      }
    }
    #expect(mismatch("soup", "comments_5min")?.isLate == false, "the comment was deleted")
    #expect(mismatch("stew", "views_5min")?.isLate == false, "the viewer is a minor")
    #expect(mismatch("picnic", "views_5min")?.isLate == true, "the views came late")
  }

  @Test(
    "TrainServeParity notices rows that nothing explains",
    arguments: ["comments_5min", "views_1hr", "total_flags", "caption_length"])
  func trainServeParity(feature: String) throws {
    let options = Self.training(feature, by: 9)
    try Breakage(feature, "\(feature) of soup at 5 min: the scorer saw ", options)
      .expect(TrainServeParity(), in: Self.learning())
    try Breakage(feature, "\(feature) of hero at 0 min: ", options).expect(TrainServeParity())
  }

  @Test("TrainServeParity doesn't apply to the lab's definitions, nor without rows")
  func parityApplicability() throws {
    var scenario = try ScenarioTexts.parsedTiny()
    scenario.policy.offline = .lab
    #expect(try TrainServeParity().faults(ScenarioRun(scenario).run()) == nil)
    scenario = try ScenarioTexts.parsedTiny()
    scenario.jobs = []
    #expect(try TrainServeParity().faults(ScenarioRun(scenario).run()) == nil)
  }

  @Test(
    "NoLabelLeakage notices labels that can't be known yet, and what comes after the instant",
    arguments: [
      Breakage(
        "label", " has a label before ", training("label_needs_moderation_24h", by: 1)),
      Breakage("views", ": views_1hr is ", training("views_1hr", by: 30)),
      Breakage("images", ": user_image_count is ", training("user_image_count", by: 30)),
      Breakage("age", ": user_age_days is ", training("user_age_days", by: 1)),
      Breakage(
        "instant", " is 1.0, though at most 0.0 ", training("time_since_upload_seconds", by: 1)),
    ])
  func noLabelLeakage(breakage: Breakage) throws {
    try breakage.expect(NoLabelLeakage())
  }

  /// A day and an hour, with one flag ten minutes after the first upload.
  private static func ripe() throws(ScenarioError) -> Scenario {
    var scenario = try Scenario(
      yaml: """
        name: ripe
        about: Labels become known.
        duration: 25h
        population: { users: 4, images: 2, minors: 0, test_accounts: 0 }
        traffic:
          - flag: { on: image-1, at: 10m }
        jobs:
          - { at: end, run: event-aggregation }
          - { at: end, run: training-set }
        policy: { relay_every: 30s }

        """, file: "ripe.yaml")
    scenario.policy.pollWait = .seconds(600)
    return scenario
  }

  @Test("NoLabelLeakage notices a label made by a flag of before the decision point, or by none")
  func labelWithoutFlag() throws {
    let sound = try ScenarioRun(Self.ripe()).run()
    #expect(NoLabelLeakage().faults(sound) == [])
    #expect(sound.trainingRows.count { $0.label == true } == 2, "at 0 and at 5 minutes")
    #expect(sound.trainingRows.count { $0.label == false } == 4)
    let options = RunOptions.rows(of: [LakeTables.trainingData]) {
      $0.change("label_needs_moderation_24h") { $0 = 1 }
    }
    try Breakage("before", "image-1 at 30 min has label 1, but no flag", options)
      .expect(NoLabelLeakage(), in: Self.ripe())
    try Breakage("none", "image-2 at 0 min has label 1, but no flag", options)
      .expect(NoLabelLeakage(), in: Self.ripe())
  }

  @Test("The lab's labels aren't judged")
  func labLabels() throws {
    var scenario = try ScenarioTexts.parsedTiny()
    scenario.policy.labels = .lab
    #expect(try NoLabelLeakage().faults(ScenarioRun(scenario).run()) == nil)
  }
}
