import RehearsalHarness
import Testing

/// Scenarios made in code are those of files.
@Suite struct ScenarioInCodeTests {
  private static func soup() throws -> Scenario {
    var scenario = try Scenario(name: "soup", duration: .seconds(3600))
    scenario.population.users = 5
    scenario.population.images = 3
    scenario.population.minors = 0
    scenario.population.testAccounts = 0
    scenario.traffic = [
      .upload(as: "soup", at: .seconds(300), category: "Soup"),
      .engagement(.view, on: "soup", at: .seconds(360), times: 12, every: .seconds(5)),
      .engagement(.flag, on: "soup", at: .seconds(480), times: 2, every: .seconds(20)),
    ]
    scenario.policy.relayInterval = .seconds(20)
    scenario.policy.pollWait = .seconds(20)
    scenario.jobs = [.atEnd(.eventAggregation), .atEnd(.trainingSet)]
    return scenario
  }

  @Test("The same scenario in code and in YAML has the same trace")
  func sameTrace() async throws {
    let code = try await Rehearsal(Self.soup()).run()
    let file = try await Rehearsal(yaml: Soup.yaml).run()
    #expect(code.result.fingerprint == file.result.fingerprint)
    #expect(code.counts["flagged"] == 1)
  }

  @Test("Bursts, random arrivals, users, actions and jobs at an instant are played")
  func everyKind() async throws {
    var scenario = try Self.soup()
    scenario.traffic += [
      .poisson(perHour: 60),
      .user(as: "ann", at: .seconds(60), isTestAccount: true),
      .upload(as: "cake", at: .seconds(120), by: "ann"),
      .burst(on: "hero", at: .seconds(600), over: .seconds(60), views: 110, comments: 2, flags: 1),
      .engagement(.comment, on: "cake", at: .seconds(180), by: "user-1", as: "remark"),
    ]
    scenario.actions = [
      .at(.seconds(1200), .deleteComment("remark")), .at(.seconds(1300), .deleteImage("cake")),
    ]
    scenario.jobs.insert(.at(.seconds(1800), .eventAggregation), at: 0)
    let run = try await Rehearsal(scenario).run()
    #expect(run.passed, "\(run)")
    #expect(run.scores(of: "hero").contains { $0.trigger == "viral" })
    #expect(run.result.tables.comments.count { $0.deletedAt != nil } == 1)
    #expect(run.result.tables.images.count { $0.deletedAt != nil } == 1)
    #expect(run.jobs.count == 3)
    #expect(run.result.tables.users.contains { $0.username == "ann" && $0.isTestAccount })
  }

  @Test("An alias that nothing makes is an error that names the nearest")
  func unknownAlias() async throws {
    var scenario = try Self.soup()
    scenario.traffic.append(.engagement(.view, on: "soop", at: .seconds(600)))
    let error = await #expect(throws: ScenarioError.self) { try await Rehearsal(scenario).run() }
    #expect(error?.description == "soup: there is no image 'soop'\n  did you mean 'soup'?")
    scenario.traffic.removeLast()
    scenario.actions = [.at(.seconds(600), .deleteComment("remark"))]
    let other = await #expect(throws: ScenarioError.self) { try await Rehearsal(scenario).run() }
    #expect(other?.message == "there is no comment 'remark'")
  }

  @Test("What lies after the end is an error")
  func afterTheEnd() async throws {
    var scenario = try Self.soup()
    scenario.duration = .seconds(400)
    await #expect(throws: ScenarioError.self) { try await Rehearsal(scenario).run() }
  }

  @Test("A longer duration, set later, moves the end up to which anchors are asked for")
  func horizon() async throws {
    var scenario = try Scenario(name: "late", duration: .seconds(600))
    scenario.duration = .seconds(3600)
    scenario.traffic = [.upload(as: "cake", at: .seconds(900))]
    let run = try await Rehearsal(scenario).run()
    #expect(
      run.scores(of: "cake").map(\.trigger) == ["anchor_0m", "anchor_5m", "anchor_30m"])
  }

  @Test("A bad name is refused, whatever is in it", arguments: ["", "A", "a\"b", "a\nseed: 1"])
  func badName(name: String) {
    #expect(throws: ScenarioError.self) { try Scenario(name: name, duration: .seconds(60)) }
  }
}
