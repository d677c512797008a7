import Harness
import Moderation
import Pipeline
import Ports
import Testing

@Suite("Outage sweep")
struct OutageSweepTests {
  private static let start = EventTime(microseconds: 1_767_603_600_000_000)

  private static func scenario(_ policy: String = "") throws(ScenarioError) -> Scenario {
    try Scenario(
      yaml: """
        name: sweep
        about: A few events around an outage.
        start: 2026-01-05T09:00:00Z
        duration: 20m
        population: { users: 2, images: 1, minors: 0 }
        traffic:
          - upload: { as: cake, at: 5m }
          - view: { on: cake, at: 6m, times: 3 }
        jobs:
          - { at: end, run: event-aggregation }
        policy: { relay_every: 10s\(policy) }
        """, file: "sweep.yaml")
  }

  @Test("Nothing that a sound pipeline suffers changes what comes out")
  func sound() throws {
    let sweep = try OutageSweep(Self.scenario())
    for variant in sweep.variants {
      #expect(try sweep.fault(variant) == nil, "\(variant)")
    }
  }

  @Test("A relay that the scenario doesn't have isn't taken away", arguments: ["direct", "none"])
  func relay(publication: String) throws {
    let sweep = try OutageSweep(Self.scenario(", publish: \(publication)"))
    let names = sweep.variants.map(\.description)
    #expect(!names.contains { $0.hasPrefix("outbox-relay") })
    #expect(names.contains { $0.hasPrefix("risk-scorer") })
  }

  @Test("A run that comes to no end is a finding of its variant, not the sweep's end")
  func stuck() throws {
    var options = RunOptions()
    options.settlingLimit = .seconds(60)
    // A scorer that is started later than the run stores nothing.
    options.injection = { environment, ports in
      let isRestart = environment.now.asEventTime > Self.start + .seconds(60)
      guard environment.component == "risk-scorer", isRestart else { return ports }
      var ports = ports
      ports.store = BrokenStore(base: ports.store, refuses: Self.isScore)
      return ports
    }
    let sweep = try OutageSweep(Self.scenario(), options: options)
    func fault(_ name: String) throws -> String? {
      try sweep.fault(#require(sweep.variants.first { $0.description == name }))
    }
    let crash = try fault("risk-scorer crashes from 5m10s to 15m10s")
    #expect(crash?.hasPrefix("no progress: 1m after the end, ") == true, "\(crash as Any)")
    #expect(try fault("risk-scorer pauses from 5m10s to 15m10s") == nil)
  }

  private static func isScore(_ mutation: Mutation) -> Bool {
    if case .insertModeration = mutation { true } else { false }
  }
}
