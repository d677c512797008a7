import Moderation
import Pipeline
import Testing

@testable import Harness

/// The value that a finding names, and the few lines about it.
@Suite("Causes of findings")
struct FindingCauseTests {
  private static func named(_ sentence: String) throws -> (CauseQuestion, String?)? {
    try CauseTests.run.get().namedValue(in: sentence)
  }

  @Test("Every checker's way to name a score, a row or a window is understood")
  func sentences() throws {
    let run = try CauseTests.run.get()
    let image = try #require(run.aliases.uploadedImage("soup"))
    let score = try #require(
      run.scores.first { $0.request.image == image && $0.request.trigger == .anchor(minutes: 5) })
    for sentence in [
      "soup anchor_5m as of \(score.asOf): views_5min is 7, the naive count is 8",
      "the score of soup/anchor_5m: views_5min is 7",
      "\(image) (anchor_5m) as of \(score.asOf), views_5min",
    ] {
      let (question, column) = try #require(try Self.named(sentence))
      #expect(question == .score("\(score.request.id)"), "\(sentence)")
      #expect(column == "views_5min")
    }
    for sentence in [
      "soup at 5 min: views_5min is 9, eligible actors make it 8",
      "views_5min of \(image) at 5 min: the scorer saw 9, the row says 8",
    ] {
      let (question, column) = try #require(try Self.named(sentence))
      guard case .row(_, 5) = question else {
        Issue.record("\(sentence) gave \(question)")
        continue
      }
      #expect(column == "views_5min")
    }
    let start = try #require(ISO8601.parse("2026-01-05T09:05:00Z"))
    let window = try #require(
      try Self.named("flag_windows_5min \(image) \(start): 3 in the table, 2 events"))
    #expect(window.0 == .window(table: "flag_windows_5min", image: "\(image)", start: start))
    for sentence in [
      "views-1 was applied from 3, though only up to 2 before", "soup", "stew at 5 min",
      "soup anchor_77m as of \(score.asOf)",
    ] { #expect(try Self.named(sentence) == nil, "\(sentence)") }
  }

  @Test("A run whose finding fails is explained; a sound one isn't")
  func failure() throws {
    let expected =
      "\nexpect:\n  - { feature: views_5min, of: soup, trigger: flagged, equals: 99 }\n"
    let scenario = try Scenario(yaml: CauseTests.soup + expected, file: "soup.yaml")
    let run = try ScenarioRun(scenario).run()
    let lines = CauseTests.brief(run.causes(of: Judgement(run)))
    #expect(lines.hasPrefix("soup/flagged scored 0.4 as of 09:08:20 by heuristic v1"), "\(lines)")
    #expect(lines.contains("views_5min = 9: views in (09:03:20, 09:08:20]"), "\(lines)")
    let sound = try CauseTests.run.get()
    #expect(sound.causes(of: Judgement(sound)) == [])
  }

  @Test("What faults changed is explained by the first cell that differs from the undisturbed run")
  func undisturbed() throws {
    let scenario = try Scenario(
      yaml: CauseTests.soup.replacing(
        "jobs:", with: "policy: { scoring: immediate }\njobs:")
        + "expect:\n  - { same_without: faults }\n", file: "soup.yaml")
    let explorer = Explorer(scenario)
    let violation = try #require(explorer.violation(of: scenario))
    let lines = CauseTests.brief(explorer.causes(of: violation.checker, in: scenario))
    #expect(lines.hasPrefix("cause of "), "\(lines)")
    #expect(lines.contains("soup"), "\(lines)")
  }
}
