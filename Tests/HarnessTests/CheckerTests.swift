import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@testable import Harness

@Suite("Checkers")
struct CheckerTests {
  /// A way to break a property, and what the checker says then.
  struct Breakage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let fault: String
    let options: RunOptions

    init(_ name: String, _ fault: String, _ options: RunOptions) {
      testDescription = name
      self.fault = fault
      self.options = options
    }

    /// Runs the tiny scenario, or another, with it.
    func expect(_ checker: some Checker, in scenario: Scenario? = nil) throws {
      let run = try ScenarioRun(scenario ?? ScenarioTexts.parsedTiny(), options: options).run()
      let faults = try #require(checker.faults(run))
      #expect(faults.contains { $0.contains(fault) }, "\(faults.prefix(5))")
    }
  }

  private static let reviewed = """
    name: reviewed
    about: A flag, a decision, and a flag after it.
    duration: 10m
    population: { users: 2, images: 1 }
    traffic:
      - flag: { on: image-1, at: 1m }
      - flag: { on: image-1, at: 5m }
    actions: [{ at: 3m, review: { image: image-1 }, decision: rejected }]
    """

  @Test("A decision that leaves a flag pending is noticed, and a sound one isn't")
  func decisions() throws {
    let scenario = try Scenario(yaml: Self.reviewed, file: "reviewed.yaml")
    let checker = DecisionsSettleFlags()
    #expect(checker.faults(try ScenarioRun(scenario).run()) == [])
    #expect(checker.faults(try ScenarioTexts.soundRun.get()) == nil)
    var options = RunOptions()
    options.injection = { component, ports in
      var ports = ports
      if component.component == "review-desk" {
        ports.store = BrokenStore(
          base: ports.store, drops: { if case .resolveFlags = $0 { true } else { false } })
      }
      return ports
    }
    let faults = try #require(checker.faults(ScenarioRun(scenario, options: options).run()))
    #expect(faults.count == 1 && faults[0].contains("is pending"), "\(faults)")
  }

  /// Nothing is erased or decided there, and there are neither faults nor models.
  @Test("On a sound run all but four apply and none finds a fault")
  func soundRun() throws {
    let run = try ScenarioTexts.soundRun.get()
    let applicable = allCheckers.filter {
      ![
        ErasureIsComplete().name, DecisionsSettleFlags().name, EveryFaultFired().name,
        ModelLineageHolds().name,
      ].contains($0.name)
    }
    for checker in applicable {
      let faults = try #require(checker.faults(run), "\(checker.name) doesn't apply")
      #expect(faults.isEmpty, "\(checker.name): \(faults.prefix(5))")
    }
    #expect(applicable.map(\.name) == Judgement(run).checkers.map(\.what))
    #expect(Judgement(run).passed)
    #expect(run.scores.count > 10 && !run.trainingRows.isEmpty, "there is something to check")
  }

  @Test("A run of another kind isn't judged by checkers that don't apply to it")
  func applicability() throws {
    let text =
      "name: x\nabout: y\nduration: 2m\n"
      + "policy: { publish: none, scoring: immediate }\n"
    let run = try ScenarioRun(Scenario(yaml: text, file: "x.yaml")).run()
    #expect(allCheckers.compactMap { $0.faults(run) }.isEmpty)
  }

  @Test(
    "NoEventLost notices rows and views whose events never came",
    arguments: [
      ("gourmetgram.uploads", "image"), ("gourmetgram.comments", "comment"),
      ("gourmetgram.flags", "flag"), ("gourmetgram.views", "views, the stream brought"),
    ])
  func noEventLost(topic: String, fault: String) throws {
    let options = RunOptions.dropping { mutation in
      if case .enqueue(let event) = mutation { event.topic == topic } else { false }
    }
    try Breakage(topic, fault, options).expect(NoEventLost())
  }

  @Test(
    "WindowsMatchNaive notices a count that is off by one, in either flavour",
    arguments: [
      ("views_5min", \EngagementCounts.views5min.observed),
      ("views_1hr", \.views1hr.governed), ("comments_5min", \.comments5min.governed),
      ("comments_1hr", \.comments1hr.observed), ("flags_5min", \.flags5min.observed),
      ("flags_1hr", \.flags1hr.governed), ("total_flags", \.totalFlags.observed),
    ] as [(String, any WritableKeyPath<EngagementCounts, Int> & Sendable)])
  func windowsMatchNaive(
    feature: String, count: any WritableKeyPath<EngagementCounts, Int> & Sendable
  ) throws {
    let options = RunOptions.broken {
      $0.features = BrokenFeatures(base: $0.features) { $0[keyPath: count] += 1 }
    }
    try Breakage(feature, ": \(feature) is ", options).expect(WindowsMatchNaive())
  }

  @Test(
    "EveryRequestScoredOnce notices rows that are missing or stand twice",
    arguments: [
      Breakage(
        "dropped", "hero viral as of",
        .dropping { mutation in
          guard case .insertModeration(let row) = mutation else { return false }
          return row.triggerType == "viral"
        }),
      Breakage(
        "dropped, counted", "has 0 rows",
        .dropping { if case .insertModeration = $0 { true } else { false } }),
      Breakage(
        "twice", "has 2 rows",
        .broken {
          $0.store = BrokenStore(
            base: $0.store,
            alters: { (snapshot) throws(PortError) in
              snapshot.moderation += snapshot.moderation.suffix(1)
            })
        }),
    ])
  func everyRequestScoredOnce(breakage: Breakage) throws {
    try breakage.expect(EveryRequestScoredOnce())
  }

  @Test(
    "TriggersMatchNaive notices requests that are missing, too many, or as of another instant",
    arguments: [
      Breakage(
        "a threshold one higher", "with 11 was asked for; the events ask for hero viral as of",
        .features { $0.altersPolicy = { $0.viral = 11 } }),
      Breakage(
        "a trigger lost", "with 10 was never asked for",
        .features {
          $0.altersFired = { $0.removeAll { $0.trigger == .viral } }
          $0.altersPending = { $0.removeAll { $0.trigger == .viral } }
        }),
      Breakage(
        "anchors too early", "was asked for; the events ask for hero anchor_5m as of",
        .features {
          $0.altersPending = { requests in
            for index in requests.indices {
              requests[index].asOf = requests[index].asOf - .seconds(1)
            }
          }
        }),
      Breakage(
        "a trigger made up", "was asked for; the events ask for none",
        .features {
          $0.altersFired = { fired in
            fired += fired.filter { $0.trigger == .viral }.map {
              FiredTrigger(image: $0.image, trigger: .suspicious, asOf: $0.asOf, count: 1)
            }
          }
        }),
    ])
  func triggersMatchNaive(breakage: Breakage) throws {
    try breakage.expect(TriggersMatchNaive())
  }

  @Test("A threshold that a late event crosses is crossed as of the watermark that it found")
  func lateTrigger() throws {
    let text = """
      name: late
      about: A flag that comes late is the second one.
      duration: 20m
      population: { users: 3, images: 1, minors: 0 }
      traffic:
        - upload: { as: hero, at: 5m }
        - flag: { on: hero, at: 10m }
        - flag: { on: hero, at: 12m, late_by: 1m }

      """
    let run = try ScenarioRun(Scenario(yaml: text, file: "late.yaml")).run()
    let request = try #require(run.requests.first { $0.trigger == .flagged })
    let late = try #require(run.late.first)
    #expect(late.time < late.visibleFrom && request.asOf == late.visibleFrom)
    #expect(TriggersMatchNaive().faults(run) == [])
  }

  @Test(
    "FeatureLogMatchesScores notices vectors that are lost, logged twice, or not what was seen",
    arguments: [
      Breakage(
        "lost", "hero viral as of 2026-01-05T09:05:",
        .lake { (change, table) throws(PortError) in
          if table == LakeTables.featureLog { change.append = nil }
        }),
      Breakage(
        "twice", "stands twice, or was never scored",
        .lake { (change, table) throws(PortError) in
          guard table == LakeTables.featureLog, let rows = change.append else { return }
          change.append?.append(rows)
        }),
      Breakage(
        "altered", "observed_total_flags is 77, the scorer saw 0",
        .lake { (change, table) throws(PortError) in
          guard table == LakeTables.featureLog, let rows = change.append,
            let column = rows.schema.index(of: "observed_total_flags")
          else { return }
          let values = Array(repeating: Int64(77), count: rows.count)
          change.append?.columns[column] = .init(.integers(values))
        }),
    ])
  func featureLogMatchesScores(breakage: Breakage) throws {
    try breakage.expect(FeatureLogMatchesScores())
  }

  /// Commits training rows as they are not meant.
  private static func training(
    _ alters: @escaping @Sendable (inout TableChange) -> Void
  ) -> RunOptions {
    .lake { (change, table) throws(PortError) in
      if table == LakeTables.trainingData { alters(&change) }
    }
  }

  @Test(
    "TrainingSetIsGoverned notices rows that stand twice, are excluded, or of no image",
    arguments: [
      Breakage("appended", "stands twice", training { $0.removal = .nothing }),
      Breakage("deleted", "cake at 0 min is of an excluded", training { $0.removal = .nothing }),
      Breakage(
        "unknown", "at 5 min is of an image that isn't in the database",
        training {
          $0.append = TrainingRow.batch([
            TrainingRow(
              image: ImageID(high: 1, low: 2), decisionPointMinutes: 5,
              features: Array(repeating: 0, count: 18), category: nil, label: nil)
          ])
        }),
    ])
  func trainingSetIsGoverned(breakage: Breakage) throws {
    try breakage.expect(TrainingSetIsGoverned())
  }

  @Test("JobsSucceeded says which job failed, when and why")
  func jobsSucceeded() throws {
    let options = RunOptions.lake { (_, table) throws(PortError) in
      guard table == LakeTables.trainingData else { return }
      throw PortError(.invalid, port: "Lake", operation: "commit", hint: "no space left")
    }
    let fault = "training-set at 2026-01-05T09:20:00.000000Z: Lake.commit: invalid: no space left"
    try Breakage("throws", fault, options).expect(JobsSucceeded())
  }

  @Test("A failing checker fails the judgement, with at most five of its faults")
  func judgement() throws {
    let options = RunOptions.dropping { if case .insertModeration = $0 { true } else { false } }
    let run = try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    let judgement = Judgement(run)
    #expect(!judgement.passed)
    let failing = judgement.checkers.filter { !$0.holds }
    #expect(failing.map(\.what) == ["EveryRequestScoredOnce"])
    #expect(failing.first?.faults.count == 5)
  }
}
