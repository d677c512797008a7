import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization
import Testing

@testable import Harness

@Suite("ScenarioRun")
struct ScenarioRunTests {
  @Test("A column that a job needs and that was renamed fails the job and the lake, by its name")
  func renamedColumn() throws {
    let text = """
      name: renamed
      about: Somebody renames a column between two aggregations.
      duration: 20m
      population: { users: 3, images: 2, minors: 0 }
      traffic:
        - poisson: { rate: 60/h }
      actions:
        - { at: 12m, evolve: events.views, rename: image_id, to: picture }
      jobs:
        - { at: 10m, run: event-aggregation }
        - { at: 15m, run: event-aggregation }

      """
    let judgement = Judgement(try ScenarioRun(Scenario(yaml: text, file: "renamed.yaml")).run())
    let failed = Dictionary(
      uniqueKeysWithValues: judgement.checkers.filter { !$0.holds }.map { ($0.what, $0.faults) })
    let fault = "events.views: column image_id isn't there: was it renamed?"
    #expect(failed["LakeIsReadable"] == [fault])
    #expect(failed["JobsSucceeded"]?.count == 1)
    #expect(failed["JobsSucceeded"]?.first?.contains("events.views") == true)
  }

  /// All that a run says, as bytes.
  private static func bytes(_ run: RunResult) -> [UInt8] {
    run.csvTables.flatMap(\.text)
      + Array(RunSummary(run, Judgement(run), wallSeconds: 0).json.utf8)
  }

  @Test("The same seed gives the same fingerprint, tables and summary, byte for byte")
  func sameSeed() throws {
    let first = try ScenarioTexts.soundRun.get()
    let second = try ScenarioRun(ScenarioTexts.parsedTiny()).run()
    #expect(first.fingerprint == second.fingerprint)
    #expect(first.traceLines == second.traceLines && first.traceLines > 100)
    #expect(Self.bytes(first) == Self.bytes(second))
    #expect(first.golden(Judgement(first)).tables == second.golden(Judgement(second)).tables)
  }

  @Test("What a run was made of can be kept, and the run comes to the same")
  func outlived() throws {
    let kept = Mutex<[any Sendable]>([])
    var options = RunOptions()
    options.outlived = { value in kept.withLock { $0.append(value) } }
    let run = try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    #expect(kept.withLock { $0.map { $0 is Platform } } == [true])
    #expect(run.fingerprint == (try ScenarioTexts.soundRun.get()).fingerprint)
  }

  @Test("Another seed, of the file or of the options, gives another run")
  func otherSeed() throws {
    let first = try ScenarioTexts.soundRun.get()
    var options = RunOptions()
    options.seed = 8
    let second = try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    #expect(second.scenario.seed == 8)
    #expect(first.fingerprint != second.fingerprint)
    #expect(Self.bytes(first) != Self.bytes(second))
    var scenario = try ScenarioTexts.parsedTiny()
    scenario.seed = 8
    #expect(try ScenarioRun(scenario).run().fingerprint == second.fingerprint)
  }

  @Test("Neither a trace's absence nor its sink, nor progress reports, change what happens")
  func tracing() throws {
    let first = try ScenarioTexts.soundRun.get()
    var options = RunOptions()
    options.isTraced = false
    let silent = try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    #expect(silent.fingerprint == "none" && silent.traceLines == 0)
    #expect(silent.csvTables.map(\.text) == first.csvTables.map(\.text))
  }

  @Test("Another interleaving of the same seed gives the same scores and training rows")
  func interleaving() throws {
    let first = try ScenarioTexts.soundRun.get()
    var options = RunOptions()
    options.scheduling = .seeded(5)
    let second = try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    #expect(first.fingerprint != second.fingerprint)
    for (a, b) in zip(first.csvTables, second.csvTables) where a.name != "scores" {
      #expect(a.text == b.text, "\(a.name)")
    }
    let scores = { (run: RunResult) in run.scores.map { [$0.observed, $0.governed] } }
    #expect(Set(scores(first)) == Set(scores(second)))
  }

  @Test("Muting ineligible users leaves everybody else's rows with their ids and instants")
  func muting() throws {
    let all = try ScenarioTexts.soundRun.get()
    var scenario = try ScenarioTexts.parsedTiny()
    scenario.population.muteIneligible = true
    let muted = try ScenarioRun(scenario).run()
    let governance = scenario.policy.governance
    let users = Dictionary(uniqueKeysWithValues: all.tables.users.map { ($0.id, $0) })
    func isEligible(_ user: UserID, _ time: EventTime) -> Bool {
      users[user].map { governance.isEligible($0, at: time) } ?? false
    }
    #expect(muted.tables.users == all.tables.users)
    let images = all.tables.images.filter { isEligible($0.userID, $0.createdAt) }
    #expect(muted.tables.images.map(\.id) == images.map(\.id))
    #expect(muted.tables.images.map(\.createdAt) == images.map(\.createdAt))
    #expect(muted.tables.images.map(\.caption) == images.map(\.caption))
    let seen = Set(images.map(\.id))
    let comments = all.tables.comments.filter {
      isEligible($0.userID, $0.createdAt) && seen.contains($0.imageID)
    }
    #expect(muted.tables.comments == comments)
    let said = Set(comments.map(\.id))
    let flags = all.tables.flags.filter { flag in
      isEligible(flag.userID, flag.createdAt) && (flag.imageID.map(seen.contains) ?? true)
        && (flag.commentID.map(said.contains) ?? true)
    }
    #expect(muted.tables.flags == flags)
    #expect(images.count < all.tables.images.count, "somebody was muted")
    #expect(!comments.isEmpty && !flags.isEmpty, "somebody wasn't")
  }

  @Test("Crashes and pauses change when things happen, not what the scores are")
  func faults() throws {
    let first = try ScenarioTexts.soundRun.get()
    let second = try ScenarioRun(
      ScenarioTexts.parsedTiny(
        """
        faults:
          - { at: 5m10s, crash: stream-consumer, for: 20s }
          - { at: 5m40s, pause: outbox-relay, for: 30s }
          - { at: 6m, crash: risk-scorer, for: 2m }
        """)
    ).run()
    #expect(second.crashes == 2)
    #expect(first.fingerprint != second.fingerprint)
    let scores = { (run: RunResult) in Set(run.scores.map { [$0.observed, $0.governed] }) }
    #expect(scores(first) == scores(second))
    #expect(Judgement(second).passed, "\(Judgement(second).checkers.flatMap(\.faults))")
  }

  /// The message of a run that stops for lack of progress.
  private static func stop(_ scenario: Scenario, _ options: RunOptions) throws -> String {
    let failure = try #require(throws: RunFailure.self) {
      try ScenarioRun(scenario, options: options).run()
    }
    guard case .noProgress(let text) = failure else {
      Issue.record(failure)
      return ""
    }
    return text
  }

  @Test("A run that can't settle is given up after six hours of virtual time, and says why")
  func unsettled() throws {
    var scenario = try ScenarioTexts.parsedTiny()
    // Rare polls: there is nothing to see.
    scenario.policy.pollWait = .seconds(3600)
    var options = RunOptions()
    options.isTraced = false
    options.plan = { operation in
      guard operation.name == "EventLog.append" else { return .pass }
      return .failBefore(
        PortError(.unavailable, port: "EventLog", operation: "append", hint: "no broker"))
    }
    let text = try Self.stop(scenario, options)
    #expect(text == "6h after the end, the outbox isn't empty")
  }

  @Test("A run that takes more steps than its budget is given up, with what waits")
  func budget() throws {
    var options = RunOptions()
    options.stepBudget = 500
    let text = try Self.stop(ScenarioTexts.parsedTiny(), options)
    #expect(text.hasPrefix("500 steps were not enough; waiting: "))
  }

  @Test("A backend that fails for good ends the run with its error")
  func backend() throws {
    let error = PortError(
      .unavailable, port: "ApplicationStore", operation: "snapshot", hint: "no server")
    let options = RunOptions.broken {
      $0.store = BrokenStore(base: $0.store, alters: { (_) throws(PortError) in throw error })
    }
    let failure = try #require(throws: RunFailure.self) {
      try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    }
    guard case .backend(error) = failure else {
      Issue.record(failure)
      return
    }
    #expect(failure.description.hasPrefix("a backend is unavailable: ApplicationStore.snapshot"))
    let refused = PortError(.denied, port: "ApplicationStore", operation: "open", hint: "no")
    #expect(RunFailure.backend(refused).description.hasPrefix("a backend refused: "))
  }
}
