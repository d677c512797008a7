import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Risk scorer: failures")
struct RiskScorerFaultTests {
  /// Requests that are ready, that wait for a later watermark, and that come twice.
  private static func outcome(_ world: World, behind plan: PortGate.Plan) async throws -> [String] {
    try await RiskScorerTests.prepare(world, resolved: 15)
    for second in [10, 20, 12] as [Int64] { try await world.request(at: second) }
    try await world.request(.viral, at: 13)
    let gated = world.behind(plan)
    await withTaskGroup { group in
      group.addTask { await world.run([gated.scorer()], for: 16) }
      group.addTask {
        await world.environment.time.sleep(for: .seconds(4))
        try? await world.request(.viral, at: 13)
        try? await world.resolve(22)
        await world.run([world.consumer()], for: 4)
      }
    }
    let rows = try await world.store.snapshot().moderation
    #expect(Set(rows.map(\.requestID)).count == rows.count)
    return rows.map { "\($0.triggerType ?? "?") \($0.riskScore) \($0.rationale ?? "")" }.sorted()
  }

  @Test("A failure of any port operation leaves the same rows")
  func everyOperation() throws {
    let survey = try FaultSurvey([.before, .after], limit: 300) { plan in
      try simulate { try await Self.outcome($0, behind: plan) }
    }
    #expect(
      survey.expected == [
        "score_at 0.0 none", "score_at 0.3 comment-burst", "score_at 0.7 flagged + comment-burst",
        "viral 0.3 comment-burst",
      ])
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns > 40)
  }

  @Test("Two scorers under any interleaving store each request once", arguments: 1...15)
  func interleavings(seed: UInt64) throws {
    let alone = try simulate { try await Self.outcome($0, behind: PortGate.Plan()) }
    let together = try simulate(.seeded(seed)) { world in
      let gated = world.behind(PortGate.Plan(), yields: true)
      return try await withThrowingTaskGroup { group in
        group.addTask {
          await world.environment.time.sleep(for: .seconds(3))
          await world.run([gated.scorer()], for: 4)
        }
        let rows = try await Self.outcome(world, behind: PortGate.Plan())
        try await group.waitForAll()
        return rows
      }
    }
    #expect(together == alone)
  }
}
