import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@testable import Harness

@Suite("Scenario parsing")
struct ScenarioParsingTests {
  @Test("The full text has every key of the table of fields")
  func completeness() {
    for name in FieldNames.all {
      #expect(ScenarioTexts.full.contains("\(name):"), "\(name) is missing")
    }
  }

  @Test("Name, seed, start, duration, population and golden policy are as written")
  func head() throws {
    let scenario = try ScenarioTexts.parsedFull()
    #expect(scenario.name == "everything")
    #expect(scenario.about == "Every key.")
    #expect(scenario.seed == 7)
    #expect(scenario.start.description == "2026-03-01T12:30:00.000000Z")
    #expect(scenario.duration == .seconds(7200))
    #expect(scenario.end.description == "2026-03-01T14:30:00.000000Z")
    #expect(
      scenario.population
        == Population(
          users: 3, images: 2, testAccounts: 0.25, minors: 0.25, nearBirthday: 0.5,
          muteIneligible: true, badImages: 1.0 / 9))
    #expect(scenario.golden == GoldenPolicy(keepOneIn: 4, tolerances: ["risk_score": 0.01]))
    #expect(scenario.consumers == 2)
  }

  @Test("Traffic is as written, in file order")
  func traffic() throws {
    let minute = Duration.seconds(60)
    var view = TrafficEntry.EngagementStep(kind: .view, image: "cake", at: minute * 4)
    view.by = "ann"
    view.times = 3
    view.every = .milliseconds(250)
    view.lateBy = .seconds(5)
    var comment = TrafficEntry.EngagementStep(kind: .comment, image: "hero", at: minute * 31)
    comment.alias = "first"
    var flag = TrafficEntry.EngagementStep(kind: .flag, image: "hero", at: minute * 32)
    flag.onComment = true
    #expect(
      try ScenarioTexts.parsedFull().traffic == [
        .poisson(
          .init(
            perSecond: 120.0 / 3600,
            mix: TrafficMix(
              view: 6, comment: 2.5, upload: 0.5, user: 0, flag: 1, delete: 0.25),
            from: minute, until: minute * 60, anonymous: 0.125, lateShare: 0.05,
            lateBy: .seconds(90))),
        .burst(
          .init(
            image: "hero", at: minute * 30, over: minute, views: 110, comments: 8, flags: 2)),
        .user(
          .init(
            alias: "ann", at: minute * 2, yearOfBirth: 2010,
            dateOfBirth: CivilDate(year: 2010, month: 2, day: 28), isTestAccount: true,
            age: .seconds(400 * 86_400))),
        .upload(
          .init(
            alias: "cake", at: minute * 3, by: "ann", category: "Dessert", caption: "crème: 1")),
        .engagement(view), .engagement(comment), .engagement(flag),
        .duplicates(.init(at: minute * 33, last: 5)),
        .poison(
          .init(at: minute * 34, topic: .comment, value: [UInt8(ascii: "{")], times: 2)),
        .poison(.init(at: minute * 35, topic: .view, value: [0xFF, 0], times: 1)),
      ])
  }

  @Test("Actions are as written; repeated jobs are unrolled; faults are sorted by time")
  func operations() throws {
    let scenario = try ScenarioTexts.parsedFull()
    let minute = Duration.seconds(60)
    let date = CivilDate(year: 2009, month: 2, day: 28)
    let views = TableName("events", "views")
    let actions: [ScheduledAction] = [
      .init(at: minute * 40, action: .deleteImage("cake")),
      .init(at: minute * 41, action: .deleteComment("first")),
      .init(
        at: minute * 42, action: .correctUser("ann", yearOfBirth: 2009, dateOfBirth: date)),
      .init(at: minute * 43, action: .reviewImage("hero", .confirmed)),
      .init(at: minute * 44, action: .reviewComment("first", .rejected)),
      .init(at: minute * 45, action: .evolve(views, .add("device", type: "int"))),
      .init(at: minute * 46, action: .evolve(views, .rename("device", to: "client"))),
      .init(at: minute * 47, action: .evolve(views, .widen("client", to: "long"))),
    ]
    #expect(scenario.actions == actions)
    #expect(
      scenario.jobs == [
        .init(at: minute * 30, job: .eventAggregation),
        .init(at: minute * 90, job: .eventAggregation), .init(at: nil, job: .trainingSet),
        .init(at: minute * 30, job: .compaction, isBeside: true),
        .init(
          at: minute * 40, job: .promote, promotion: .init(model: "v2", stage: .shadow)),
        .init(at: minute * 41, job: .training, training: Self.ownTraining),
      ])
    #expect(scenario.faults == Self.faults)
  }

  private static let ownTraining: TrainingOptions = {
    var options = TrainingOptions()
    options.table = .featureLog
    options.split = .image
    options.epochs = 7
    return options
  }()

  static let faults: [ScheduledFault] = {
    let minute = Duration.seconds(60)
    var erasure = ScheduledFault(
      .crash, at: minute * 46, for: minute, of: "erasure", target: "Lake.commit")
    erasure.strikesBefore = true
    erasure.skip = 2
    var error = ScheduledFault(
      .error, at: minute, for: minute * 2, of: "outbox-relay", target: "EventLog")
    (error.ratio, error.stability, error.limit) = (0.25, .seconds(10), 3)
    var lostReply = ScheduledFault(.lostReply, target: "FeatureStore.apply")
    lostReply.skip = 1
    var rebalance = ScheduledFault(
      .rebalance, at: minute * 3, of: "risk-scorer", target: "ApplicationStore.commit")
    rebalance.skip = 3
    return [
      .init(.pause, at: minute * 50, for: .seconds(10), of: "risk-scorer"),
      .init(.crash, at: minute * 45, for: .microseconds(3), of: "stream-consumer"), erasure, error,
      lostReply, .init(.conflict, target: "TableCatalog.move"),
      .init(.duplicate, target: "EventLog.append"),
      .init(.slow(by: .milliseconds(250)), target: "ObjectStore"),
      .init(
        .partition, at: minute * 2, for: minute * 3, of: "intake", target: "ApplicationStore"),
      .init(.rebalance, at: minute * 3, for: minute * 4, of: "stream-consumer"), rebalance,
      .init(.redeliver(last: 9), at: minute * 4, of: "risk-scorer"),
      .init(.reorder, at: minute * 5, for: minute * 6, of: "stream-consumer"),
      .init(.evict(back: minute * 8), at: minute * 9, target: "FeatureStore"),
      .init(.skew(by: .seconds(1)), at: minute * 9, for: minute, of: "outbox-relay"),
      .init(.skew(by: .seconds(-2)), at: minute * 9, for: minute, of: "intake"),
    ]
  }()

  @Test("A fault prints as it is written", arguments: faults)
  func faultText(fault: ScheduledFault) throws {
    let text = "name: a\nabout: b\nduration: 1h\nfaults:\n  - \(fault)\n"
    #expect(try Scenario(yaml: text, file: "a.yaml").faults == [fault])
  }

  @Test("The policy is as written, and its horizon is the scenario's end")
  func policy() throws {
    let scenario = try ScenarioTexts.parsedFull()
    let policy = scenario.policy
    #expect(policy.snapshotRetention == .seconds(3600))
    #expect(policy.heuristic.name == "mine")
    #expect(policy.scoring == .immediate)
    #expect(policy.publication == .direct)
    #expect(policy.offline == .lab)
    #expect(policy.labels == .lab)
    #expect(policy.governance == Governance(ageRule: .yearOfBirth))
    #expect(policy.triggers.anchors == [0, 10])
    #expect(policy.triggers.viral == 50)
    #expect(policy.triggers.suspicious == nil, "0 switches a trigger off")
    #expect(policy.triggers.flagged == 3)
    #expect(policy.triggers.popular == 20)
    #expect(policy.partitions == 5)
    #expect(policy.batchLimit == 100)
    #expect(policy.relayInterval == .seconds(2))
    #expect(policy.inference == .shadow)
    #expect(policy.training.mode == .lab && policy.training.split == .image)
    #expect(policy.training.validationShare == 0.25 && policy.training.alpha == 0.02)
    #expect(policy.training.epochs == 7 && policy.training.patience == 2)
    #expect(!policy.training.balancesClasses)
    #expect(policy.horizon == scenario.end)
  }

  @Test("Expectations are as written, each with its text and line")
  func expectations() throws {
    let expectations = try ScenarioTexts.parsedFull().expectations
    let exact = { (value: Double) in Expectation.Bound(equals: value) }
    #expect(
      expectations.map(\.kind) == [
        .scored(
          image: "hero", trigger: "viral", .init(atLeast: 0.4, atMost: 1, equals: 0.5)),
        .unscored(image: "cake", trigger: "flagged"),
        .feature(
          image: "hero", trigger: "viral", feature: "views_5min", governed: true, exact(100)),
        .absent(image: "cake", table: "moderation.training_data"), .erased(image: "cake"),
        .present(image: "hero", table: "events.views"),
        .column(name: "client", table: "events.views"), .undisturbed,
        .training(image: "hero", decisionPoint: 30, column: "caption_length", exact(1)),
        .count(name: "crashes", exact(1)), .skew(feature: nil, .smape, .init(atMost: 0)),
      ])
    let lines = ScenarioTexts.full.split(separator: "\n", omittingEmptySubsequences: false)
    for expectation in expectations {
      #expect(lines[expectation.line - 1] == "  - \(expectation.text)")
    }
  }

  @Test("What isn't written has its default")
  func defaults() throws {
    let scenario = try Scenario(yaml: ScenarioTexts.header, file: "x.yaml")
    #expect(scenario.seed == 42)
    #expect(scenario.start.description == "2026-01-05T09:00:00.000000Z")
    #expect(scenario.population == Population())
    #expect(scenario.consumers == 1)
    #expect(scenario.golden == GoldenPolicy())
    #expect(scenario.traffic.isEmpty && scenario.actions.isEmpty && scenario.jobs.isEmpty)
    #expect(scenario.faults.isEmpty && scenario.expectations.isEmpty)
    var policy = PipelinePolicy(heuristic: try .builtIn("heuristic"))
    policy.horizon = scenario.end
    #expect(scenario.policy == policy)
  }

  @Test("Entries of traffic have their defaults")
  func trafficDefaults() throws {
    let text = """
      traffic:
        - poisson: { rate: 2/s }
        - burst: { as: hero, at: 0s, over: 1s }
        - user: { as: ann, at: 1h }
        - upload: { as: cake, at: 1h }
        - view: { on: cake, at: 1h }
        - poison: { at: 1h, topic: flag, value: "" }
      """
    let hour = Duration.seconds(3600)
    #expect(
      try Scenario(yaml: ScenarioTexts.header + text, file: "x.yaml").traffic == [
        .poisson(.init(perSecond: 2)), .burst(.init(image: "hero", at: .zero, over: .seconds(1))),
        .user(.init(alias: "ann", at: hour)), .upload(.init(alias: "cake", at: hour)),
        .engagement(.init(kind: .view, image: "cake", at: hour)),
        .poison(.init(at: hour, topic: .flag, value: [])),
      ])
  }

  @Test(
    "A repeated job runs from `at`, or from its first interval, up to and with the end",
    arguments: [
      ("every: 20m", [20, 40, 60]), ("at: 0s, every: 30m", [0, 30, 60]),
      ("at: 50m, every: 20m", [50]), ("at: end, every: 40m", [40, nil]), ("every: 2h", []),
    ] as [(String, [Int?])])
  func repeatedJobs(when: String, minutes: [Int?]) throws {
    let text = ScenarioTexts.header + "jobs: [{ run: erasure, \(when) }]\n"
    let jobs = try Scenario(yaml: text, file: "x.yaml").jobs
    #expect(jobs.map(\.at) == minutes.map { $0.map { Duration.seconds(60) * $0 } })
  }

  @Test("A YAML anchor may be used again")
  func anchors() throws {
    let text = "jobs: [{ run: erasure, at: &when 5m }, { run: training-set, at: *when }]\n"
    let jobs = try Scenario(yaml: ScenarioTexts.header + text, file: "x.yaml").jobs
    #expect(jobs.map(\.at) == [.seconds(300), .seconds(300)])
  }
}

/// The names of all fields, walked from the root.
enum FieldNames {
  static let all: Set<String> = names(ScenarioFields.scenario)

  private static func names(_ object: ScenarioObject) -> Set<String> {
    object.fields.reduce(into: []) { names, field in
      names.insert(field.name)
      names.formUnion(self.names(field.shape))
    }
  }

  private static func names(_ shape: ScenarioShape) -> Set<String> {
    switch shape {
    case .object(let object): names(object)
    case .list(let element), .map(let element): names(element)
    case .variants(let objects): objects.reduce(into: []) { $0.formUnion(names($1)) }
    default: []
    }
  }
}
