import Harness
import Moderation
import Testing

/// Scenarios of the tree against their goldens, in a debug build; `make scenarios` plays all of
/// them in release mode.
@Suite struct ScenarioTests {
  static let names = ["all-rules", "comment-spam", "deleted-content", "job-faults"]

  @Test("Every expectation and checker holds, and the golden matches", arguments: names)
  func golden(name: String) throws {
    let scenario = try scenario(name)
    let run = try played(name)
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
