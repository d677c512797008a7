import Foundation
import RehearsalHarness
import Synchronization
import Testing

@Suite struct RehearsalTests {
  /// Counts from 0.
  private final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
      value.withLock { value in
        defer { value += 1 }
        return value
      }
    }
  }

  @Test("A scenario is found by name; its results are called by alias")
  func byName() async throws {
    let run = try await Rehearsal(scenario: "viral-burst", in: "\(Soup.root)/scenarios").run()
    #expect(run.passed)
    #expect(run.findings.isEmpty)
    #expect(run.description == "viral-burst, seed 42: passed")
    #expect(run.scores(of: "hero").contains { $0.trigger == "viral" && $0.risk >= 0.4 })
    #expect(run.feature("views_5min", of: "hero", at: "viral") == 100)
    #expect(run.feature("views_5min", of: "hero", at: "popular") == nil)
    #expect(run.scores.count == run.counts["scores"])
    #expect(run.jobs.map(\.job).contains(.erasure))
    #expect(run.trainingRows(of: "hero").isEmpty, "it was deleted")
    #expect(run.images.contains("hero") && run.scores(of: "heroine").isEmpty)
  }

  @Test("Training rows and windows are those of the lake, by alias")
  func rows() async throws {
    let run = try await Rehearsal(yaml: Soup.yaml).run()
    let rows = run.trainingRows(of: "soup")
    #expect(rows.map(\.decisionPoint) == [0, 5, 30])
    #expect(rows.map { $0["views_5min"] } == [0, 12, 0])
    #expect(rows[0]["no_such_feature"] == nil)
    #expect(run.trainingRows.count == run.counts["training_rows"])
    #expect(run.windows(.views, of: "soup").map(\.count) == [12])
    #expect(run.windows(.flags).map(\.image) == ["soup"])
    let start = try #require(run.windows(.views, of: "soup").first?.start)
    #expect(start == run.result.scenario.start + .seconds(5 * 60))
  }

  @Test("A run that fails says what, why, and how to run it again")
  func red() async throws {
    let run = try await Rehearsal(yaml: Soup.red).run()
    #expect(!run.passed)
    #expect(run.findings.map(\.what) == ["{ scored: soup, trigger: viral }"])
    let text = run.description
    #expect(
      text.hasPrefix(
        """
        red, seed 42: FAILED
        FAIL { scored: soup, trigger: viral } (line 13)
             soup has no score by viral
             requests: anchor_0m as of 2026-01-05T09:05:00.000000Z, flagged as of
        """.trimmingCharacters(in: .newlines)), "\(text)")
    #expect(text.hasSuffix("\nagain: run(seed: 42)"))
  }

  @Test("The command of a scenario in a file can be pasted")
  func command() throws {
    let file = "\(Soup.root)/scenarios/viral-burst.yaml"
    #expect(try Rehearsal(file: file).command(7) == "rehearsal run \(file) --seed 7")
  }

  @Test("A misspelt name says the folder and the name that is near")
  func unknownName() {
    let folder = "\(Soup.root)/scenarios"
    let error = #expect(throws: ScenarioError.self) {
      try Rehearsal(scenario: "viral-brust", in: folder)
    }
    #expect(error?.file == folder)
    #expect(error?.hint == "did you mean 'viral-burst'?")
    let noFolder = #expect(throws: ScenarioError.self) {
      try Rehearsal(scenario: "viral-burst", in: "\(Soup.root)/no-such-folder")
    }
    #expect(noFolder?.file == "\(Soup.root)/no-such-folder")
  }

  @Test("The nearest folder 'scenarios' above is taken; where there is none, the error says so")
  func nearestFolder() throws {
    let deep = "\(Soup.root)/Tests/RehearsalTests"
    #expect(try ScenarioFolder.nearest(to: deep).path == "\(Soup.root)/scenarios")
    let error = #expect(throws: ScenarioError.self) { try ScenarioFolder.nearest(to: "/") }
    #expect(error?.file == "/")
  }

  @Test("A given seed is played, and decides alone what comes of it")
  func seed() async throws {
    var rehearsal = try Rehearsal(yaml: Soup.yaml)
    let first = try await rehearsal.run(seed: 9)
    rehearsal.options.seed = 9
    let second = try await rehearsal.run()
    let other = try await rehearsal.run(seed: 10)
    #expect([first.seed, second.seed, other.seed] == [9, 9, 10])
    #expect(first.result.fingerprint == second.result.fingerprint)
    #expect(first.result.fingerprint != other.result.fingerprint)
  }

  @Test("Another schedule and lost replies, in code, change no score, window or training row")
  func faultsInCode() async throws {
    let plain = try await Rehearsal(yaml: Soup.yaml).run()
    var rehearsal = try Rehearsal(yaml: Soup.yaml)
    rehearsal.options.scheduling = .seeded(3)
    let commits = Counter()
    rehearsal.options.plan = { operation in
      guard operation.component == "risk-scorer", operation.name == "ApplicationStore.commit",
        commits.next().isMultiple(of: 2)
      else { return .pass }
      return .failAfter(
        PortError(
          .unavailable, port: "ApplicationStore", operation: "commit", hint: "the reply is lost"))
    }
    let run = try await rehearsal.run()
    #expect(commits.next() > 4, "replies were lost")
    #expect(run.passed, "\(run)")
    let difference = RunOutcome(plain.result).firstDifference(RunOutcome(run.result))
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test("A golden that differs fails with the diff, one that was accepted doesn't")
  func golden() async throws {
    let process = ProcessInfo.processInfo.processIdentifier
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "rehearsal-facade-\(process)").path
    let rehearsal = try Rehearsal(yaml: Soup.yaml)
    let run = try await rehearsal.run()
    let missing = #expect(throws: GoldenMismatch.self) { try run.matchesGolden(in: folder) }
    #expect(missing?.description.hasPrefix("soup: no golden yet") == true)
    _ = try GoldenStore(root: folder).accept(run.result.golden(run.judgement))
    defer {
      do {
        try FileManager.default.removeItem(atPath: folder)
      } catch {
        Issue.record(error, "the temporary folder stays behind")
      }
    }
    try run.matchesGolden(in: folder)
    var changed = rehearsal
    changed.scenario.traffic.append(
      .engagement(.view, on: "soup", at: .seconds(7 * 60 + 30)))
    let other = try await changed.run()
    let mismatch = #expect(throws: GoldenMismatch.self) { try other.matchesGolden(in: folder) }
    #expect(mismatch?.description.contains("12 → 13") == true, "\(mismatch as Any)")
  }
}
