import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Event aggregation: failures")
struct EventAggregationFaultTests {
  private static let later: [PlatformEvent] = [
    Events.view(31, at: 30), Events.view(1, at: 0), Events.comment(32, at: 40, by: 2),
    Events.flag(33, image: 2, at: 50), Events.flag(6, at: 30, by: 2),
  ]

  /// A run over the first half of the log, and a faulty one over the second.
  private static func outcome(
    _ world: World, behind plan: PortGate.Plan, earlierRun: Bool
  ) async throws -> LakeView {
    try await world.append(EventAggregationTests.script)
    if earlierRun { _ = try await world.aggregation.run() }
    try await world.append(later)
    try await world.complete(world.behind(plan).aggregation)
    _ = try await world.aggregation.run()
    return try await world.lakeView()
  }

  @Test(
    "A failure or crash at any port operation and a rerun give exactly the counts of the log",
    arguments: [false, true])
  func everyOperation(earlierRun: Bool) throws {
    let expected = try simulate { world in
      _ = try await Self.outcome(world, behind: PortGate.Plan(), earlierRun: earlierRun)
      return [try await world.expectedWindows()]
    }
    let survey = try FaultSurvey(limit: 200) { plan in
      try simulate { try await Self.outcome($0, behind: plan, earlierRun: earlierRun) }
    }
    #expect(survey.expected.windows == expected[0])
    #expect(survey.expected.windows["views"] == ["1 @ 0": 3, "1 @ 300": 1, "2 @ 0": 1])
    #expect(survey.expected.events.mapValues(\.count) == ["views": 5, "comments": 2, "flags": 2])
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns > 100)
  }

  @Test("What arrives between a crash and the rerun is counted once, too")
  func arrivals() throws {
    let survey = try FaultSurvey([.crashBefore, .crashAfter], limit: 200) { plan in
      try simulate { world in
        try await world.append(EventAggregationTests.script)
        _ = try await failure { _ = try await world.behind(plan).aggregation.run() }
        try await world.append(Self.later)
        _ = try await world.aggregation.run()
        return try await world.lakeView()
      }
    }
    #expect(survey.expected.windows["views"] == ["1 @ 0": 3, "1 @ 300": 1, "2 @ 0": 1])
    #expect(survey.deviations == [])
  }

  @Test("Two runs at once under any interleaving don't double", arguments: 1...30)
  func concurrent(seed: UInt64) throws {
    let view = try simulate(.seeded(seed)) { world in
      try await world.append(EventAggregationTests.script)
      let gated = world.behind(PortGate.Plan(), yields: true)
      try await withThrowingTaskGroup { group in
        for _ in 0..<2 { group.addTask { _ = try await gated.aggregation.run() } }
        group.addTask { try await world.append(Self.later) }
        try await group.waitForAll()
      }
      _ = try await world.aggregation.run()
      return try await world.lakeView()
    }
    #expect(view.windows["views"] == ["1 @ 0": 3, "1 @ 300": 1, "2 @ 0": 1])
    #expect(view.windows["comments"] == ["1 @ 0": 2])
    #expect(view.windows["flags"] == ["1 @ 0": 1, "2 @ 0": 1])
    #expect(view.events.mapValues(\.count) == ["views": 5, "comments": 2, "flags": 2])
  }
}

extension World {
  /// The windows that the log's events make, counted naively: each id once.
  func expectedWindows() async throws -> [String: [String: Int64]] {
    var all: [String: [String: Int64]] = [:]
    for metric in Metric.allCases {
      var seen: Set<EventID> = []
      var counts: [String: Int64] = [:]
      for event in try await events(metric.topic) {
        guard let image = event.image, seen.insert(event.id).inserted else { continue }
        let start = event.time.sinceStart / 300 * 300
        counts["\(image.number) @ \(start)", default: 0] += 1
      }
      all[metric.name] = counts
    }
    return all
  }
}
