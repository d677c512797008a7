import RehearsalTesting
import Testing

@Suite struct SoupTests {
  @Test("The second flag asks for a score, which has seen the views")
  func flagged() async throws {
    let run = try await Rehearsal(scenario: "soup").run()
    #expect(run.passed)
    let score = try #require(run.scores(of: "soup").first { $0.trigger == "flagged" })
    #expect(score.risk >= 0.4)
    #expect(score.features["views_5min"] ?? 0 >= 12)
    #expect(run.trainingRows(of: "soup").map(\.decisionPoint) == [0, 5, 30])
  }

  @Test("It is scored whatever else happens on the site", .scenario("soup"), .seeds(1...100))
  func anyTraffic() throws {
    let run = try Rehearsal.Run.current
    #expect(run.passed)
    #expect(run.scores(of: "soup").contains { $0.trigger == "flagged" && $0.risk >= 0.4 })
  }

  @Test("A scorer that hears nothing of its commits for ten minutes stores each score once")
  func lostReplies() async throws {
    var rehearsal = try Rehearsal(scenario: "soup")
    let plain = try await rehearsal.run()
    let outage = rehearsal.scenario.start + .seconds(480)
    rehearsal.options.plan = { operation in
      let minutes = (operation.time.microseconds - outage.microseconds) / 60_000_000
      guard operation.component == "risk-scorer", operation.name == "ApplicationStore.commit",
        (0..<10).contains(minutes)
      else { return .pass }
      return .failAfter(
        PortError(.unavailable, port: "ApplicationStore", operation: "commit", hint: "no reply"))
    }
    let run = try await rehearsal.run()
    #expect(run.passed)
    #expect(run.scores.count == plain.scores.count)
    let late = run.scores(of: "soup").first { $0.trigger == "flagged" }
    let early = plain.scores(of: "soup").first { $0.trigger == "flagged" }
    #expect(late?.risk == early?.risk)
  }

  @Test("A scenario made in code: 110 views in a minute are viral")
  func inCode() async throws {
    var scenario = try Scenario(name: "burst", duration: .seconds(1800))
    scenario.traffic = [.burst(on: "hero", at: .seconds(600), over: .seconds(60), views: 110)]
    let run = try await Rehearsal(scenario).run()
    #expect(run.passed)
    #expect(run.feature("views_5min", of: "hero", at: "viral") == 100)
  }
}
