import Harness
import Moderation
import Pipeline
import Testing

/// Governance is transitive: what ineligible users do changes no training row of anybody else.
@Suite struct TransitiveGovernanceTests {
  @Test(
    "With and without the ineligible users' actions, everyone else's training rows are the same",
    arguments: ["minors", "late-and-duplicate-events"])
  func transitive(name: String) throws {
    var scenario = try scenario(name)
    scenario.faults = []
    scenario.population.minors = max(scenario.population.minors, 0.2)
    scenario.population.testAccounts = max(scenario.population.testAccounts, 0.2)
    let loud = try play(scenario)
    scenario.population.muteIneligible = true
    let muted = try play(scenario)
    #expect(loud.applied.count > muted.applied.count, "somebody ineligible did something")
    #expect(Set(loud.trainingRows) == Set(muted.trainingRows))
    #expect(!loud.trainingRows.isEmpty)
  }

  @Test("The lab's windows count ineligible clicks: its governance isn't transitive (defect 2)")
  func labIsNotTransitive() throws {
    var scenario = try scenario("minors")
    scenario.policy.offline = .lab
    let loud = try play(scenario)
    scenario.population.muteIneligible = true
    let muted = try play(scenario)
    #expect(Set(loud.trainingRows) != Set(muted.trainingRows))
  }

  @Test("An ineligible user's flag raises the heuristic's score online")
  func flagsStillCount() throws {
    let run = try played("minors")
    let image = try #require(run.aliases.image("dinner"))
    let score = try #require(
      run.scores.first {
        $0.request.image == image && $0.request.trigger == .anchor(minutes: 5)
      })
    #expect(score.row.riskScore == 0.4)
    #expect(score.observed["total_flags"] == 1)
    #expect(score.governed["total_flags"] == 0)
  }
}
