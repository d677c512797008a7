import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Stream consumer: failures")
struct StreamConsumerFaultTests {
  /// What a consumer and the scheduler leave behind.
  private struct Outcome: Hashable, Sendable {
    var counts: [EngagementCounts] = []
    var requests: [String] = []
    var watermarks: [EventTime?] = []
  }

  /// Two rounds of events with a mark after each, so that there are late events and triggers.
  private static func outcome(
    _ world: World, onApplied: @escaping @Sendable (AppliedPoll) -> Void = { _ in },
    behind plan: PortGate.Plan
  ) async throws -> Outcome {
    let gated = world.behind(plan)
    await withTaskGroup { group in
      group.addTask { await world.run([gated.consumer(onApplied: onApplied)], for: 14) }
      group.addTask {
        try? await world.append(StreamConsumerTests.script)
        await world.reach(3)
        try? await world.resolve(2)
        try? await world.append([
          Events.view(20, at: 1), Events.view(21, image: 2, at: 6), Events.flag(22, at: 6),
        ])
        try? await world.append("nonsense", to: "gourmetgram.comments")
        try? await world.resolve(6)
      }
    }
    try await world.scheduler.publishDue()
    var outcome = Outcome()
    for image in 1...2 as ClosedRange<UInt64> {
      for second in [0, 1, 2, 5, 6, 300, 4000] as [Int64] {
        outcome.counts.append(try await world.counts(image: image, at: second))
      }
    }
    outcome.requests = Array(Set(try await world.requests())).sorted()
    outcome.watermarks = try await world.features.progress().sorted { $0.key < $1.key }
      .map(\.value.watermark)
    return outcome
  }

  @Test("A failure of any port operation leaves the same counts, requests and watermarks")
  func everyOperation() throws {
    let survey = try FaultSurvey([.before, .after], limit: 300) { plan in
      try simulate { try await Self.outcome($0, behind: plan) }
    }
    #expect(survey.expected.requests == ["anchor_0m of 1 @ 0", "flagged of 1 @ 6"])
    #expect(survey.expected.counts[5].views1hr.observed == 4)
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns > 60)
  }

  @Test("Every record and trigger is reported even when the reply of its apply is lost")
  func reported() throws {
    let survey = try FaultSurvey([.before, .after], limit: 300) { plan in
      try simulate { world in
        let seen = Notes<String>()
        let world = world.with { $0.triggers.milestones = [2] }
        _ = try await Self.outcome(
          world,
          onApplied: { poll in
            for record in poll.records { seen.note("\(record.partition)@\(record.offset)") }
            for fired in poll.result.fired { seen.note("\(fired.trigger.name)") }
          }, behind: plan)
        return Set(seen.values).sorted()
      }
    }
    #expect(survey.expected.contains("milestone_2"))
    #expect(survey.expected.count == 14 + 5, "records, and kinds of trigger")
    #expect(survey.deviations == [])
  }

  @Test("Two instances under any interleaving leave what one does", arguments: 1...15)
  func interleavings(seed: UInt64) throws {
    let alone = try simulate { try await Self.outcome($0, behind: PortGate.Plan()) }
    let together = try simulate(.seeded(seed)) { world in
      let gated = world.behind(PortGate.Plan(), yields: true)
      return try await withThrowingTaskGroup { group in
        group.addTask { await world.run([gated.consumer("other")], for: 9) }
        let outcome = try await Self.outcome(world, behind: PortGate.Plan())
        try await group.waitForAll()
        return outcome
      }
    }
    #expect(together.counts == alone.counts)
    #expect(together.requests == alone.requests)
  }
}
