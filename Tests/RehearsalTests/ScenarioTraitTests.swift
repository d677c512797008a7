import Synchronization
import Testing

@testable import RehearsalTesting

@Suite struct ScenarioTraitTests {
  private static let soup = ScenarioTrait.scenario { try Rehearsal(yaml: Soup.yaml) }

  /// The seeds that a body saw.
  private final class SeenSeeds: Sendable {
    let seeds = Mutex<[UInt64]>([])

    func note() throws {
      let seed = try Rehearsal.Run.current.seed
      seeds.withLock { $0.append(seed) }
    }
  }

  /// Plays a body for seeds 3 to 5 and gives the issues it recorded, each as its texts.
  private static func issues(
    of trait: ScenarioTrait = soup, _ body: @concurrent @Sendable () async throws -> Void
  ) async throws -> [[String]] {
    let test = try #require(Test.current)
    let issues = Mutex<[[String]]>([])
    let collecting = IssueHandlingTrait.compactMapIssues { issue in
      let error = issue.error.map { ["\($0)"] } ?? []
      issues.withLock { $0.append(error + issue.comments.map(\.rawValue)) }
      return nil
    }
    try await collecting.provideScope(for: test, testCase: Test.Case.current) {
      try await trait.play([3, 4, 5], for: test, Test.Case.current, body)
    }
    return issues.withLock { $0 }
  }

  private static func line(_ seed: Int) -> String {
    "soup, seed \(seed); again: run(seed: \(seed))"
  }

  @Test("A test gets the run of its scenario", .scenario("viral-burst"))
  func current() throws {
    let run = try Rehearsal.Run.current
    #expect(run.name == "viral-burst" && run.seed == 42)
    #expect(run.passed)
  }

  @Test(
    "Seeds and changes in code reach the run",
    .seeds(7...8), .scenario("viral-burst") { $0.scenario.traffic.removeFirst() })
  func changed() throws {
    let run = try Rehearsal.Run.current
    #expect((7...8).contains(run.seed))
    #expect(run.counts["views"] == nil && run.counts["events"] == 120 + 20 + 1)
  }

  @Test("The body runs once for each seed, in their order, on that seed's run")
  func eachSeed() async throws {
    let seen = SeenSeeds()
    let issues = try await Self.issues { try seen.note() }
    #expect(seen.seeds.withLock { $0 } == [3, 4, 5])
    #expect(issues.isEmpty)
  }

  @Test("Without seeds, the scenario's own is played once")
  func ownSeed() async throws {
    let test = try #require(Test.current)
    let seen = SeenSeeds()
    try await Self.soup.play(nil, for: test, Test.Case.current) { try seen.note() }
    #expect(seen.seeds.withLock { $0 } == [42])
  }

  @Test("An expectation that fails names its seed and how to run it again")
  func failingExpectation() async throws {
    let issues = try await Self.issues {
      let seed = try Rehearsal.Run.current.seed
      #expect(seed != 4, "of the test itself")
    }
    #expect(issues == [["of the test itself", Self.line(4)]])
  }

  @Test("A requirement that fails is told once for each seed, and the next seed runs")
  func failingRequirement() async throws {
    let issues = try await Self.issues { try #require(Bool(false)) }
    #expect(issues == [3, 4, 5].map { [Self.line($0)] })
  }

  @Test("An error that the body throws names its seed, and the next seed runs")
  func thrownError() async throws {
    let issues = try await Self.issues { throw TraitError(message: "thrown") }
    #expect(issues == [3, 4, 5].map { ["thrown", Self.line($0)] })
  }

  @Test("A run that can't be judged fails without its body, and names its seed")
  func stoppedRun() async throws {
    let bodies = Mutex(0)
    let trait = ScenarioTrait.scenario {
      var rehearsal = try Rehearsal(yaml: Soup.yaml)
      rehearsal.options.stepBudget = 10
      return rehearsal
    }
    let issues = try await Self.issues(of: trait) { bodies.withLock { $0 += 1 } }
    #expect(bodies.withLock { $0 } == 0)
    #expect(issues.count == 3)
    #expect(issues[0].first?.hasPrefix("no progress: 10 steps were not enough") == true)
    #expect(issues.map { $0.last ?? "" } == [3, 4, 5].map(Self.line))
  }

  @Test("A cancelled test doesn't go on with the next seed")
  func cancelled() async throws {
    let seen = SeenSeeds()
    let (test, testCase) = (try #require(Test.current), Test.Case.current)
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await #expect(throws: CancellationError.self) {
          try await Self.soup.play([3, 4, 5], for: test, testCase) {
            try seen.note()
            withUnsafeCurrentTask { $0?.cancel() }
            try Task.checkCancellation()
          }
        }
      }
    }
    #expect(seen.seeds.withLock { $0 } == [3])
  }

  @Test("Without a scenario there is no run, and the error says what is missing")
  func noScenario() async throws {
    let error = #expect(throws: TraitError.self) { try Rehearsal.Run.current }
    #expect(error?.description.contains("add `.scenario(…)`") == true)
    let test = try #require(Test.current)
    await #expect(throws: TraitError.self) { try await SeedsTrait.seeds([1]).prepare(for: test) }
  }

  @Test("A seed below 0 is refused", .scenario { try Rehearsal(yaml: Soup.yaml) })
  func negativeSeed() async throws {
    let test = try #require(Test.current)
    await #expect(throws: TraitError.self) { try await SeedsTrait.seeds(-1...3).prepare(for: test) }
    try await SeedsTrait.seeds(0...3).prepare(for: test)
  }

  @Test("A misspelt scenario fails before anything runs")
  func unknownScenario() async throws {
    let test = try #require(Test.current)
    let error = await #expect(throws: ScenarioError.self) {
      try await ScenarioTrait.scenario("viral-brust").prepare(for: test)
    }
    #expect(error?.hint == "did you mean 'viral-burst'?")
  }
}

/// A suite's traits are those of its tests; a test's own come first.
@Suite(.scenario { try Rehearsal(yaml: Soup.yaml) }, .seeds([11]))
struct SuiteScenarioTests {
  @Test("A test takes the suite's scenario and seeds")
  func inherited() throws {
    let run = try Rehearsal.Run.current
    #expect(run.name == "soup" && run.seed == 11)
  }

  @Test(
    "A test's own scenario and seeds come first", .scenario { try Rehearsal(yaml: Soup.red) },
    .seeds([12]))
  func own() throws {
    let run = try Rehearsal.Run.current
    #expect(run.name == "red" && run.seed == 12)
  }
}
