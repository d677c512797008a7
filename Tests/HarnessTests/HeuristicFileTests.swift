import Moderation
import Pipeline
import Testing

@testable import Harness

@Suite("Heuristic policy files")
struct HeuristicFileTests {
  /// What the rules of REFERENCE §6 look at, and what both policies make of it.
  struct Row: Sendable, CustomTestStringConvertible {
    var flags = 0
    var comments5 = 0
    var comments60 = 0
    var views5 = 0
    var views60 = 0
    var images = 0
    var plain: Double
    var weighted: Double

    var testDescription: String {
      "flags \(flags), comments \(comments5)/\(comments60), views \(views5)/\(views60), "
        + "images \(images)"
    }

    var vector: FeatureVector {
      let time = EventTime(microseconds: 1_767_603_600_000_000)
      let subject = ScoringSubject(
        uploadedAt: time, category: nil, captionLength: 0, accountCreatedAt: time,
        userImageCount: images)
      func tally(_ count: Int) -> RollingCounter.Tally { .init(observed: count, governed: 0) }
      let counts = EngagementCounts(
        views5min: tally(views5), views1hr: tally(views60), comments5min: tally(comments5),
        comments1hr: tally(comments60), totalFlags: tally(flags))
      return FeatureVector(subject, counts: counts, flavour: .observed, asOf: time)
    }
  }

  @Test(
    "The policies built in score as REFERENCE §6 says",
    arguments: [
      Row(plain: 0, weighted: 0.3), Row(flags: 1, plain: 0.4, weighted: 0.7),
      Row(comments5: 10, comments60: 10, views60: 100, plain: 0, weighted: 0.3),
      Row(comments5: 11, comments60: 11, views60: 100, plain: 0.3, weighted: 0.6),
      Row(views5: 100, views60: 100, plain: 0, weighted: 0.3),
      Row(views5: 101, views60: 101, plain: 0.2, weighted: 0.65),
      Row(comments60: 51, views60: 99, plain: 0, weighted: 0.8),
      Row(comments60: 51, views60: 100, plain: 0, weighted: 0.5),
      Row(comments60: 50, views60: 100, plain: 0, weighted: 0.3),
      Row(images: 10, plain: 0, weighted: 0.3), Row(images: 11, plain: 0, weighted: 0.2),
      Row(
        flags: 3, comments5: 11, comments60: 60, views5: 101, views60: 101, images: 0, plain: 0.9,
        weighted: 1),
    ])
  func builtIn(row: Row) throws {
    let plain = try HeuristicPolicy.builtIn("heuristic").score(row.vector).risk
    let weighted = try HeuristicPolicy.builtIn("heuristic-weighted").score(row.vector).risk
    #expect(abs(plain - row.plain) < 1e-12)
    #expect(abs(weighted - row.weighted) < 1e-12)
  }

  @Test("A scenario chooses a policy built in by its name", arguments: HeuristicPolicy.builtInNames)
  func choice(name: String) throws {
    let text = ScenarioTexts.header + "policy: { heuristic: \(name) }\n"
    let policy = try Scenario(yaml: text, file: "x.yaml").policy.heuristic
    #expect(policy == (try HeuristicPolicy.builtIn(name)))
    #expect(policy.name == name)
    #expect(policy.version == "v1")
  }

  @Test("Any other name is asked of the caller, and the file's rules are read")
  func custom() throws {
    var asked: [String] = []
    let scenario = try Scenario(yaml: ScenarioTexts.full, file: "full.yaml") {
      (name) throws(ScenarioError) in
      asked.append(name)
      return ScenarioTexts.heuristic
    }
    #expect(asked == ["mine"])
    let policy = scenario.policy.heuristic
    #expect(policy.version == "v7")
    #expect(policy.start == 0.25)
    #expect(policy.rules.map(\.name) == ["seen", "talked"])
    #expect(policy.rules.map(\.adds) == [0.5, -0.125])
    let scores = [
      Row(views5: 1, plain: 0, weighted: 0), Row(views5: 2, plain: 0, weighted: 0),
      Row(comments5: 5, comments60: 5, plain: 0, weighted: 0),
    ].map { policy.score($0.vector) }
    #expect(scores.map(\.risk) == [0.125, 0.625, 0.25])
    #expect(scores.map(\.rationale) == ["talked", "seen + talked", "none"])
  }

  @Test("An error of the caller's comes through as it is")
  func callersError() {
    let error = ScenarioError(file: "mine", line: 3, column: 1, message: "unreadable")
    #expect(throws: error) {
      try Scenario(yaml: ScenarioTexts.full, file: "full.yaml") { (_) throws(ScenarioError) in
        throw error
      }
    }
  }

  @Test("A version that isn't written is v1, and there may be no rules")
  func minimal() throws {
    let policy = try HeuristicPolicy(yaml: "{ name: m, start: 0.5, rules: [] }", file: "m.yaml")
    #expect(policy == HeuristicPolicy(name: "m", version: "v1", start: 0.5, rules: []))
  }

  @Test(
    "What is wrong in a policy file is told at its place, marked by ▶",
    arguments: [
      BadText("▶hello", "expected keys and values here, found 'hello'"),
      BadText("▶{ name: m, start: 0 }", "the key 'rules' is missing", hint: "Applied in order."),
      BadText("{ name: m, ▶stat: 0, rules: [] }", "'stat'", hint: "did you mean 'start'?"),
      BadText("{ name: m, start: ▶low, rules: [] }", "expected a number, found 'low'"),
      BadText("{ name: m, start: 0, rules: ▶none }", "expected a list here, found 'none'"),
      BadText(rule: "▶{ name: r, when: {} }", "the key 'add' is missing"),
      BadText(rule: "{ name: r, when: {}, ▶ad: 1 }", "'ad'", hint: "did you mean 'add'?"),
      BadText(rule: "{ name: r, when: {}, add: ▶[1] }", "expected a number here, found a list"),
      BadText(rule: "{ name: r, when: ▶views, add: 1 }", "expected keys and values here"),
      BadText(
        rule: "{ name: r, when: { ▶view_5min: '> 1' }, add: 1 }", "no feature 'view_5min'",
        hint: "did you mean 'views_5min'?"),
      BadText(comparison: "▶3", "'3' is no comparison", hint: "\"> 10\""),
      BadText(comparison: "▶'=> 3'", "'=> 3' is no comparison"),
      BadText(comparison: "▶'> 3 4'", "'> 3 4' is no comparison"),
      BadText(comparison: "▶'> many'", "'> many' is no comparison"),
      BadText(comparison: "▶'> nan'", "'> nan' is no comparison"),
      BadText(comparison: "▶[1]", "expected a comparison here, found a list"),
    ])
  func badFiles(text: BadText) throws {
    try text.check { yaml throws(ScenarioError) in
      _ = try HeuristicPolicy(yaml: yaml, file: BadText.file)
    }
  }
}

extension BadText {
  fileprivate init(rule: String, _ message: String, hint: String = "") {
    self.init("name: m\nstart: 0\nrules:\n  - \(rule)\n", message, hint: hint)
  }

  fileprivate init(comparison: String, _ message: String, hint: String = "") {
    self.init(
      rule: "{ name: r, when: { views_5min: \(comparison) }, add: 1 }", message, hint: hint)
  }
}
