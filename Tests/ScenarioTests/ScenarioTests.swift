import Foundation
import Harness
import Moderation
import Testing

/// The scenarios of the tree against their goldens; the long ones run in release mode only
/// (`make scenarios`).
@Suite struct ScenarioTests {
  private static let long: Set = [
    "backfill-then-live", "day-of-traffic", "expired-snapshots", "feature-log",
    "midnight-and-birthday", "rough-day", "schema-evolution",
  ]

  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/scenarios")) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
      .filter { !long.contains($0) }.sorted()
  }()

  @Test("Every expectation and checker holds, and the golden matches", arguments: names)
  func golden(name: String) throws {
    let scenario = try scenario(name)
    let run = try play(scenario)
    let judgement = Judgement(run)
    let faults = (judgement.expectations + judgement.checkers).filter { !$0.holds }
    #expect(faults.isEmpty, "\(faults)")
    let comparison = try GoldenStore(root: "\(root)/golden").compare(
      run.golden(judgement), tolerances: scenario.golden.tolerances)
    let matches = comparison.matches
    #expect(matches, "\(comparison.render(limit: 5, isColoured: false))")
  }

  @Test("The same seed gives the same trace, another seed another")
  func determinism() throws {
    let scenario = try scenario("comment-spam")
    let prints = try [nil, nil, 77].map { (seed: UInt64?) in
      var options = RunOptions()
      options.seed = seed
      return try ScenarioRun(scenario, options: options).run().fingerprint
    }
    #expect(prints[0] == prints[1])
    #expect(prints[0] != prints[2])
  }
}
