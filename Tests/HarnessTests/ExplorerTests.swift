import Foundation
import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@testable import Harness

@Suite("The explorer")
struct ExplorerTests {
  private static func base(_ more: String = "") throws -> Scenario {
    try Scenario(
      yaml: """
        name: base
        about: A small world.
        duration: 10m
        population: { users: 4, images: 2 }
        traffic:
          - poisson: { rate: 200/h, mix: { view: 4, comment: 3, upload: 1, user: 0, flag: 1 } }
        jobs:
          - { run: event-aggregation, at: end }
          - { run: training-set, at: end }
        policy: { anchors: [0m], relay_every: 10s\(more) }
        """, file: "base.yaml")
  }

  @Test("A seed plays the same again, and other seeds play otherwise")
  func deterministic() throws {
    let explorer = Explorer(try Self.base())
    let texts = (0..<40).map { explorer.scenario($0).yaml() }
    #expect(texts == (0..<40).map { explorer.scenario($0).yaml() })
    #expect(Set(texts).count == 40)
    let report = try JSONEncoder().encode(explorer.explore(17))
    let again = try JSONEncoder().encode(Explorer(try Self.base()).explore(17))
    #expect(
      try JSONDecoder().decode(SeedReport.self, from: report).events
        == JSONDecoder().decode(SeedReport.self, from: again).events)
  }

  @Test("Eight seeds share their traffic; what disturbs is over after three quarters")
  func shape() throws {
    let base = try Self.base()
    let explorer = Explorer(base)
    for block in 0..<10 as Range<UInt64> {
      let scenarios = (0..<8).map { explorer.scenario(block * 8 + $0) }
      #expect(Set(scenarios.map(\.seed)).count == 1)
      #expect(Set(scenarios.map(\.traffic)).count == 1)
    }
    let faults = (0..<200).flatMap { explorer.scenario($0).faults }
    #expect(faults.count > 200)
    #expect(Set(faults.map(\.kind.name)).count == 13, "every kind is drawn")
    for fault in faults where fault.duration != nil {
      let end = fault.at + (fault.duration ?? .zero)
      #expect(end <= max(base.duration * 3 / 4, fault.at + .seconds(1)), "\(fault)")
    }
  }

  @Test("On the sound pipeline no seed finds anything")
  func sound() throws {
    let explorer = Explorer(try Self.base())
    for seed in 0..<8 as Range<UInt64> {
      let report = explorer.explore(seed)
      #expect(report.violation == nil, "seed \(seed): \(report.violation?.faults ?? [])")
    }
  }

  /// Published after the transaction by the API, an event is lost when that crashes in between.
  @Test("A lost event is found, and made small: an upload or comment, and a crash")
  func shrinks() throws {
    let explorer = Explorer(try Self.base(", publish: direct"))
    let found = try #require(
      (0..<200).lazy.map { explorer.explore($0) }.first {
        $0.violation?.checker == "NoEventLost"
      })
    let violation = try #require(found.violation)
    let small = Shrinker.shrink(
      explorer.scenario(found.seed), violation, by: explorer, budget: 300)
    #expect(small.actionCount <= 4, "\(small.scenario.yaml())")
    #expect(small.violation.checker == violation.checker)

    let file = small.file(base: "base", seed: found.seed)
    #expect(file.name == "no-event-lost-\(found.seed)")
    #expect(file.yaml.hasPrefix("# Found by `rehearsal explore base --seeds"))
    let again = try Scenario(yaml: file.yaml, file: "again.yaml")
    #expect(explorer.violation(of: again)?.checker == "NoEventLost")
    var mended = again
    mended.policy.publication = .outbox
    #expect(explorer.violation(of: mended) == nil)
  }

  @Test("What faults change is found by comparing with the undisturbed run")
  func undisturbed() throws {
    var scenario = try Self.base()
    scenario.expectations = [.undisturbed]
    scenario.faults = [
      ScheduledFault(
        .partition, at: .seconds(60), for: .seconds(400), of: "intake",
        target: "ApplicationStore")
    ]
    let violation = try #require(Explorer(scenario).violation(of: scenario))
    #expect(violation.checker == "{ same_without: faults }")
    #expect(violation.faults.contains { $0.hasPrefix("first ") })
    scenario.faults[0].component = "outbox-relay"
    #expect(Explorer(scenario).violation(of: scenario) == nil)
  }

  @Test("A run that gets nowhere is a finding, too")
  func noProgress() throws {
    var scenario = try Self.base()
    var never = ScheduledFault(.error, for: .seconds(86_400), target: "FeatureStore.apply")
    never.component = "stream-consumer"
    scenario.faults = [never]
    let explorer = Explorer(scenario) {
      var options = RunOptions()
      options.settlingLimit = .seconds(120)
      return options
    }
    let violation = try #require(explorer.violation(of: scenario))
    #expect(violation.checker == "progress")
  }

  @Test("A campaign adds up its seeds and names the marks that none reached")
  func campaign() {
    var campaign = Campaign()
    var first = SeedReport(seed: 3)
    (first.hits, first.marks, first.virtualSeconds) = (["crash": 2], [Mark.late.rawValue], 1800)
    campaign.add(first)
    let violation = Violation(checker: "NoEventLost", faults: ["one"])
    var second = SeedReport(seed: 2, violation: violation)
    (second.hits, second.virtualSeconds) = (["crash": 1, "pause": 4], 1800)
    campaign.add(second)
    campaign.add(SeedReport(seed: 1, violation: violation))
    #expect(campaign.seeds == 3)
    #expect(campaign.firstFindings.map(\.seed) == [1])
    #expect(campaign.unreached.count == Mark.allCases.count - 1)
    let lines = campaign.lines(wallSeconds: 2)
    #expect(lines.contains("seeds a minute 90"))
    #expect(lines.contains("virtual/wall   1800"))
    #expect(lines.contains("crash          3         2"))
    #expect(lines.contains("1       an event came late"))
  }
}
