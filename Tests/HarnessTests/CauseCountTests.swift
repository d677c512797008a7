import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@testable import Harness

/// The records that an explanation lists are as many as the value says: of every score, training
/// row and window, in runs of all kinds.
@Suite("Cause counts")
struct CauseCountTests {
  /// Where the records and a value disagree.
  static func disagreements(_ run: RunResult) -> [String] {
    let tracer = CauseTracer(run)
    return run.scores.flatMap { scoreFaults(tracer, $0) }
      + run.trainingRows.flatMap { rowFaults(tracer, $0, run.scenario.policy.offline) }
      + Metric.allCases.flatMap { windowFaults(tracer, $0) }
  }

  private static func scoreFaults(_ tracer: CauseTracer, _ score: ScoredRequest) -> [String] {
    let name = "\(tracer.name(score.request.image))/\(score.request.trigger.name)"
    var faults = CountedFeature.all.compactMap { feature -> String? in
      let records = tracer.evidence(feature, of: score).counted
      let found = [Double(records.count), Double(records.count { $0.isEligible })]
      let values = [score.observed[feature.name], score.governed[feature.name]]
      return found == values ? nil : "\(name) \(feature.name): \(values), found \(found)"
    }
    if tracer.crossing(score.request) == nil { faults.append("\(name): nothing crossed") }
    return faults
  }

  private static func rowFaults(
    _ tracer: CauseTracer, _ row: TrainingRow, _ offline: PipelinePolicy.Offline
  ) -> [String] {
    guard let source = tracer.source(row.image, row.decisionPointMinutes) else {
      return ["\(tracer.name(row.image)) at \(row.decisionPointMinutes) min: no source"]
    }
    return CountedFeature.all.compactMap { feature in
      let found =
        switch offline {
        case .pointInTime: tracer.evidence(feature, of: source).counted.count
        case .lab: tracer.windows(feature, source).reduce(0) { $0 + $1.count }
        }
      let value = FeatureVector.index(of: feature.name).map { row.features[$0] }
      guard value != Double(found) else { return nil }
      return "\(tracer.name(row.image)) at \(row.decisionPointMinutes) min, \(feature.name): "
        + "\(value ?? -1), found \(found)"
    }
  }

  private static func windowFaults(_ tracer: CauseTracer, _ metric: Metric) -> [String] {
    tracer.run.windows(metric).compactMap { window in
      guard let image = ImageID(window.image) else { return nil }
      let start = EventTime(microseconds: window.start)
      let found = tracer.records(in: metric, image, start).count
      return found == Int(window.count)
        ? nil : "\(metric.windowTable) \(start): \(window.count), found \(found)"
    }
  }

  /// ``ScenarioTexts/tiny`` with lateness, duplicates, outages, or the lab's definitions.
  private static func scenario(_ variant: String) throws -> Scenario {
    var scenario = try ScenarioTexts.parsedTiny()
    switch variant {
    case "late":
      scenario.traffic = scenario.traffic.map { entry in
        guard case .poisson(var poisson) = entry else { return entry }
        poisson.lateShare = 0.3
        poisson.lateBy = .seconds(300)
        return .poisson(poisson)
      }
      scenario.traffic.append(.duplicates(.init(at: .seconds(500), last: 6)))
    case "faults":
      scenario.consumers = 2
      scenario.faults = [
        .init(at: .seconds(310), duration: .seconds(60), kind: .crash, service: .streamConsumer),
        .init(at: .seconds(340), duration: .seconds(90), kind: .pause, service: .outboxRelay),
      ]
    case "lab":
      scenario.policy.scoring = .immediate
      scenario.policy.offline = .lab
      scenario.policy.labels = .lab
    case "erasure":
      scenario.jobs.append(ScheduledJob(at: nil, job: .erasure))
      scenario.jobs.append(ScheduledJob(at: nil, job: .compaction))
      scenario.actions.append(
        ScheduledAction(
          at: .seconds(2000),
          action: .correctUser("user-4", yearOfBirth: 2015, dateOfBirth: nil)))
      // The rows were built before the correction: the erasure writes some of them again.
      scenario.jobs.removeAll { $0.job == .trainingSet && $0.at == nil }
    default: break
    }
    return scenario
  }

  @Test(
    "The records of every score, training row and window are as many as it says",
    arguments: ["plain", "late", "faults", "lab", "erasure"])
  func counts(variant: String) throws {
    let run = try ScenarioRun(Self.scenario(variant)).run()
    #expect(Self.disagreements(run) == [])
    #expect(run.scores.contains { ($0.observed["views_5min"] ?? 0) > 0 })
    #expect(run.trainingRows.contains { $0.features[5] > 0 })
    switch variant {
    case "late": #expect(!run.late.isEmpty && run.duplicates > 0)
    case "erasure": #expect(run.trainingRows.contains { !run.builtRows.contains($0) })
    default: break
    }
    let tracer = CauseTracer(run)
    for row in run.trainingRows.prefix(30) {
      let question = CauseQuestion.row(
        image: row.image.description, minutes: row.decisionPointMinutes)
      #expect(try tracer.explain(question).all(.contradiction).isEmpty)
    }
  }

  @Test("A feature store that miscounts disagrees with the records, and the explanation says so")
  func miscounting() throws {
    let options = RunOptions.broken {
      $0.features = BrokenFeatures(base: $0.features) { $0.views1hr.observed += 1 }
    }
    let run = try ScenarioRun(Self.scenario("plain"), options: options).run()
    let faults = Self.disagreements(run)
    #expect(faults.count == run.scores.count && faults.allSatisfy { $0.contains("views_1hr") })
    let cause = try CauseTracer(run).explain(.score("hero,viral"), about: "views_1hr")
    let contradiction = try #require(cause.all(.contradiction).first)
    #expect(contradiction.text.hasPrefix("the value is "))
    #expect(contradiction.text.hasSuffix(" such records are found"))
  }

  @Test("A training row and a window that say too much disagree with the lake's events")
  func overstated() throws {
    let options = RunOptions.lake { (change, table) throws(PortError) in
      for name in ["total_flags", "event_count"] {
        guard let column = change.append?.schema.index(of: name),
          case .integers(let values)? = change.append?.columns[column].values
        else { continue }
        change.append?.columns[column].values = .integers(values.map { $0 + 1 })
      }
    }
    let run = try ScenarioRun(Self.scenario("plain"), options: options).run()
    let faults = Self.disagreements(run)
    #expect(faults.contains { $0.contains("total_flags") })
    #expect(faults.contains { $0.contains("view_windows_5min") })
    let cause = try CauseTracer(run).explain(.row("hero,5m"))
    #expect(cause.all(.contradiction).count == 1)
  }
}
