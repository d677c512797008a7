import Moderation
import Pipeline
import Ports
import Testing

@testable import Harness

/// The checkers of the lake's tables, each with what it must notice.
@Suite("Checkers of the lake")
struct LakeCheckerTests {
  typealias Breakage = CheckerTests.Breakage

  @Test(
    "WindowTablesSumToLog notices events and windows that are lost, repeated or altered",
    arguments: [
      Breakage(
        "windows twice", "view_windows_5min",
        .rows(of: [LakeTables.windows(.views)]) { rows in rows.append(rows) }),
      Breakage(
        "windows lost", ": missing, ",
        .lake { (change, table) throws(PortError) in
          if table == LakeTables.windows(.comments) { change.append = nil }
        }),
      Breakage(
        "windows counted too high", " in the table, ",
        .rows(of: [LakeTables.windows(.flags)]) { $0.change("event_count") { $0 += 1 } }),
      Breakage(
        "events lost", "events.flags lacks event",
        .lake { (change, table) throws(PortError) in
          if table == LakeTables.events(.flags) { change.append = nil }
        }),
      Breakage(
        "an event lost", "events.views lacks event",
        .rows(of: [LakeTables.events(.views)]) { rows in
          rows = rows.filtered(rows.strings("event_id").indices.map { $0 != 3 })
        }),
      Breakage(
        "events twice", " twice",
        .rows(of: [LakeTables.events(.comments)]) { rows in rows.append(rows) }),
      Breakage(
        "other times", "otherwise than the log",
        .rows(of: [LakeTables.events(.views)]) { $0.change("event_time") { $0 += 1 } }),
      Breakage(
        "other places", "otherwise than the log",
        .rows(of: [LakeTables.events(.views)]) { $0.change("kafka_offset") { $0 += 1 } }),
    ])
  func windowTablesSumToLog(breakage: Breakage) throws {
    try breakage.expect(WindowTablesSumToLog())
  }

  @Test("WindowTablesSumToLog notices an erasure that takes what it mustn't")
  func takenTooMuch() throws {
    let options = RunOptions.lake { (change, table) throws(PortError) in
      guard table == LakeTables.events(.comments), case .rows = change.removal else { return }
      change.removal = .everything
    }
    let scenario = try Self.forgetting()
    try Breakage("everything", "events.comments lacks event", options)
      .expect(WindowTablesSumToLog(), in: scenario)
    let sound = try ScenarioRun(scenario).run()
    #expect(WindowTablesSumToLog().faults(sound) == [])
    let rows = try #require(sound.lake[LakeTables.events(.comments)])
    #expect(rows.count < sound.events.count { $0.event.kind == .comment }, "something went")
  }

  /// An image and a comment are deleted, and a user turns out to be a minor, after all of it came
  /// into the lake; then comes what `jobs` says.
  static func forgetting(
    _ jobs: String = "- { at: end, run: erasure }"
  ) throws(ScenarioError) -> Scenario {
    var scenario = try Scenario(
      yaml: """
        name: forgetting
        about: What is deleted, or found to be a minor's, is erased.
        duration: 40m
        population: { users: 5, images: 3, minors: 0, test_accounts: 0 }
        traffic:
          - poisson: { rate: 240/h, mix: { view: 3, comment: 1, upload: 0.5, flag: 1 } }
          - user: { as: pretender, at: 1m, year_of_birth: 1999 }
          - upload: { as: hidden, at: 2m, by: pretender }
          - upload: { as: soup, at: 2m, by: user-1 }
          - upload: { as: cake, at: 2m, by: user-1 }
          - view: { on: soup, at: 3m, by: pretender, times: 3 }
          - comment: { on: soup, at: 3m, by: user-2, as: rude }
          - comment: { on: soup, at: 4m, by: pretender }
          - flag: { on: soup, at: 4m, by: pretender }
          - view: { on: cake, at: 3m, by: user-2, times: 3 }
          - comment: { on: cake, at: 4m, by: user-2 }
          - flag: { on: cake, at: 4m, by: user-2 }
        actions:
          - { at: 30m, delete: { image: cake } }
          - { at: 30m, delete: { comment: rude } }
          - { at: 30m, correct: { user: pretender, year_of_birth: 2012 } }
        jobs:
          - { at: 20m, run: event-aggregation }
          - { at: 20m, run: training-set }
          - { at: 20m, run: feature-log }
          - { at: end, run: event-aggregation }
          \(jobs)
        policy: { relay_every: 20s }

        """, file: "forgetting.yaml")
    scenario.policy.pollWait = .seconds(20)
    return scenario
  }

  /// The tables that an erasure of ``forgetting(_:)`` must change.
  static let tables =
    Metric.allCases.flatMap { [LakeTables.events($0), LakeTables.windows($0)] }
    + ["users", "images", "comments", "flags"].map { LakeTables.raw($0) }
    + [LakeTables.trainingData, LakeTables.featureLog]

  @Test("ErasureIsComplete notices rows that stay, in any table", arguments: tables)
  func erasureIsComplete(table: TableName) throws {
    let options = RunOptions.lake { (change, changed) throws(PortError) in
      guard changed == table, case .rows = change.removal else { return }
      change.removal = .nothing
    }
    try Breakage("kept", "\(table) has ", options)
      .expect(ErasureIsComplete(), in: Self.forgetting())
  }

  @Test("ErasureIsComplete holds after an erasure, and with all else that is checked")
  func erasureHolds() throws {
    let run = try ScenarioRun(Self.forgetting()).run()
    #expect(ErasureIsComplete().faults(run) == [])
    let faults = Judgement(run).checkers.flatMap(\.faults)
    #expect(faults.isEmpty, "\(faults)")
  }

  @Test(
    "Before the last change, or before a job that brings rows, an erasure proves nothing",
    arguments: [
      "- { at: 25m, run: erasure }",
      "- { at: end, run: erasure }\n  - { at: end, run: event-aggregation }",
      "- { at: end, run: erasure }\n  - { at: end, run: training-set }",
    ])
  func erasureTooEarly(jobs: String) throws {
    let run = try ScenarioRun(Self.forgetting(jobs)).run()
    #expect(run.jobs.contains { $0.job == .erasure && $0.failure == nil })
    #expect(ErasureIsComplete().faults(run) == nil)
  }

  @Test("A user whom an earlier erasure found may stand in a later extract of the database")
  func erasureTwice() throws {
    let jobs = ["erasure", "training-set", "erasure"].map { "- { at: end, run: \($0) }" }
    let run = try ScenarioRun(Self.forgetting(jobs.joined(separator: "\n  "))).run()
    #expect(ErasureIsComplete().faults(run) == [])
  }
}
