import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Erasure: failures")
struct ErasureFaultTests {
  /// What the lake holds after an erasure that went wrong once.
  private func survey(
    _ fixture: TrainingFixture, _ change: @escaping @Sendable (World) async throws -> Void
  ) throws -> FaultSurvey<LakeView> {
    try FaultSurvey(limit: 200) { plan in
      try simulate { world in
        try await ErasureTests.prepare(world, fixture)
        try await change(world)
        try await world.complete(world.behind(plan).erasure)
        return try await world.lakeView()
      }
    }
  }

  @Test("After a failure or crash at any port operation a rerun erases deleted content")
  func deletedContent() throws {
    let survey = try survey(ErasureTests.fixture()) { world in
      try await world.intake.deleteImage(.number(2))
      try await world.intake.deleteComment(.number(212))
    }
    #expect(survey.expected.training.count == 6)
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns > 100)
  }

  @Test("After a failure or crash at any port operation a rerun erases a user found ineligible")
  func foundUser() throws {
    let survey = try survey(ErasureTests.fixture()) { world in
      _ = try await world.store.commit([.updateUser(ErasureTests.minor)])
    }
    #expect(survey.expected.training.count == 6)
    #expect(survey.deviations == [])
  }

  @Test("The same holds for a user who did nothing but upload an image")
  func uploader() throws {
    var fixture = ErasureTests.fixture()
    let user: UserID = .number(3)
    fixture.views.removeAll { $0.actor == user }
    fixture.comments.removeAll { $0.userID == user }
    fixture.flags.removeAll { $0.userID == user }
    let survey = try survey(fixture) { world in
      _ = try await world.store.commit([.updateUser(ErasureTests.minor)])
    }
    #expect(survey.expected.raw["images"]?.count == 2)
    #expect(survey.expected.events["views"]?.contains { $0.contains(" of 3 by") } == false)
    #expect(survey.deviations == [])
  }

  @Test("An erasure between a crashed aggregation and its rerun doubles and loses nothing")
  func betweenCrashAndRerun() throws {
    let survey = try FaultSurvey([.crashBefore, .crashAfter], limit: 200) { plan in
      try simulate { world in
        try await ErasureTests.prepare(world)
        try await world.append([
          Events.view(901, at: 291), Events.comment(902, at: 292, by: 2),
          Events.view(903, at: 293, by: 3), Events.flag(904, at: 294, by: 2),
        ])
        _ = try await failure { _ = try await world.behind(plan).aggregation.run() }
        _ = try await world.store.commit([.updateUser(ErasureTests.minor)])
        // While the aggregation is unfinished, the erasure refuses.
        _ = try await failure { _ = try await world.erasure.run() }
        _ = try await world.aggregation.run()
        // What came into the lake only now is found by the next erasure.
        _ = try await world.erasure.run()
        return try await world.lakeView().windows
      }
    }
    #expect(survey.expected["views"]?["1 @ 0"] == 4)
    #expect(survey.deviations == [])
  }

  @Test("An aggregation between any two steps of an erasure is neither doubled nor lost")
  func aggregationBetweenSteps() throws {
    var deviations: [String] = []
    var index = 0
    while true {
      let step = index
      let hit = Notes<String>()
      let plan = PortGate.Plan { operation in
        guard operation.index == step else { return .pass }
        hit.note(operation.name)
        return .delay(.seconds(10))
      }
      let windows = try simulate { try await Self.erased($0, behind: plan) }
      guard let name = hit.values.first else { break }
      if windows["views"]?["1 @ 300"] != 1 || windows["comments"]?["1 @ 300"] != 1 {
        deviations.append("before operation \(step), \(name)")
      }
      index += 1
    }
    #expect(index > 30)
    #expect(deviations == [])
  }

  /// The windows after an erasure of user 3, with an aggregation 5 seconds after its start.
  private static func erased(
    _ world: World, behind plan: PortGate.Plan
  ) async throws -> [String: [String: Int64]] {
    try await ErasureTests.prepare(world)
    _ = try await world.store.commit([.updateUser(ErasureTests.minor)])
    try await world.append([Events.view(901, at: 330), Events.comment(902, at: 331, by: 2)])
    try await withThrowingTaskGroup { group in
      group.addTask { _ = try await world.behind(plan).erasure.run() }
      group.addTask {
        await world.environment.time.sleep(for: .seconds(5))
        _ = try await world.aggregation.run()
      }
      try await group.waitForAll()
    }
    return try await world.lakeView().windows
  }
}
