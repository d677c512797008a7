import Testing

@testable import Harness

@Suite("Scenario errors")
struct ScenarioErrorTests {
  static func check(_ text: BadText) throws {
    try text.check { yaml throws(ScenarioError) in
      _ = try Scenario(yaml: yaml, file: BadText.file)
    }
  }

  @Test(
    "An unknown key is told with what it may have meant",
    arguments: [
      BadText("▶nmae: x\nabout: y\nduration: 1h\n", "'nmae'", hint: "did you mean 'name'?"),
      BadText(after: "▶populaton: {}", "'populaton'", hint: "did you mean 'population'?"),
      BadText(after: "▶frobnication: {}", "'frobnication'", hint: "possible here: name, about"),
      BadText(after: "population: { ▶user: 3 }", "'user'", hint: "did you mean 'users'?"),
      BadText(
        after: "traffic:\n  - poisson:\n      rate: 1/s\n      mix: { ▶veiw: 1 }", "'veiw'",
        hint: "did you mean 'view'?"),
      BadText(traffic: "poisson: { rate: 1/s, ▶unti: 1m }", "'unti'", hint: "'until'?"),
      BadText(traffic: "burst: { as: a, at: 1m, over: 1m, ▶view: 3 }", "'view'", hint: "'views'?"),
      BadText(
        traffic: "user: { as: a, at: 1m, ▶year_of_brith: 2000 }", "'year_of_brith'",
        hint: "'year_of_birth'?"),
      BadText(traffic: "upload: { as: a, at: 1m, ▶catgory: Egg }", "'catgory'", hint: "'category'"),
      BadText(traffic: "view: { on: a, at: 1m, ▶time: 3 }", "'time'", hint: "'times'?"),
      BadText(
        traffic: "comment: { on: a, at: 1m, ▶comment: true }", "'comment'", hint: "possible here"),
      BadText(traffic: "duplicates: { at: 1m, last: 1, ▶every: 1s }", "'every'", hint: "at, last"),
      BadText(traffic: "poison: { at: 1m, topic: view, ▶byte: FF }", "'byte'", hint: "'bytes'?"),
      BadText(
        after: "traffic:\n  - ▶brust: {}", "none of the keys poisson, burst", hint: "'burst'?"),
      BadText(after: "traffic: [▶hero]", "this entry of traffic has none of the keys"),
      BadText(
        after: "actions: [▶{ at: 1m, remove: { image: image-1 } }]",
        "none of the keys delete, correct, review", hint: "possible here: delete"),
      BadText(
        after: "actions: [{ at: 1m, delete: { image: image-1 }, ▶decision: rejected }]",
        "'decision'", hint: "possible here: at, delete"),
      BadText(
        after: "actions: [{ at: 1m, delete: { ▶imag: image-1 } }]", "'imag'", hint: "'image'?"),
      BadText(
        after: "actions: [{ at: 1m, correct: { user: user-1, ▶yob: 2000 } }]", "'yob'",
        hint: "possible here: user, year_of_birth"),
      BadText(after: "jobs: [{ run: erasure, ▶evry: 1h }]", "'evry'", hint: "'every'?"),
      BadText(
        after: "faults: [{ at: 1m, crash: risk-scorer, ▶fro: 1s }]", "'fro'", hint: "'for'?"),
      BadText(after: "policy: { ▶scorin: watermark }", "'scorin'", hint: "'scoring'?"),
      BadText(after: "policy: { triggers: { ▶virul: 3 } }", "'virul'", hint: "'viral'?"),
      BadText(expect: "{ count: events, ▶at_lest: 3 }", "'at_lest'", hint: "'at_least'?"),
      BadText(after: "golden: { ▶keeps: 1/4 }", "'keeps'", hint: "'keep'?"),
      BadText(after: "▶<<: {}", "'<<'"), BadText(after: "▶[a]: b", "unknown key ''"),
    ])
  func unknownKeys(text: BadText) throws { try Self.check(text) }

  @Test(
    "A missing key is told with what it is for",
    arguments: [
      BadText("▶about: y\nduration: 1h\n", "'name' is missing", hint: "The name;"),
      BadText("▶name: x\nduration: 1h\n", "'about' is missing", hint: "One sentence"),
      BadText("▶name: x\nabout: y\n", "'duration' is missing", hint: "How long"),
      BadText("▶{}", "'name' is missing"),
      BadText(traffic: "poisson: ▶{}", "'rate' is missing", hint: "3000/h"),
      BadText(traffic: "burst: ▶{ at: 1m, over: 1m }", "'as' is missing", hint: "The image"),
      BadText(traffic: "poison: ▶{ at: 1m, value: x }", "'topic' is missing"),
      BadText(
        after: "actions: [▶{ at: 1m, review: { image: image-1 } }]", "'decision' is missing"),
      BadText(
        after: "faults: [▶{ at: 1m, pause: risk-scorer }]", "'for' is missing", hint: "how long"),
      BadText(expect: "▶{ absent: image-1 }", "'from' is missing", hint: "The table"),
      BadText(
        after: "jobs: [{ run: ▶erasure }]", "when? add `at: 1h`, `at: end` or `every: 1h`"),
      BadText(expect: "▶{ count: events }", "how much? add at_least, at_most or equals"),
      BadText(
        after: "actions: [{ at: 1m, correct: ▶{ user: user-1 } }]",
        "needs year_of_birth or date_of_birth"),
      BadText(after: "actions: [{ at: 1m, delete: ▶{} }]", "name an image or a comment"),
      BadText(
        after: "actions: [{ at: 1m, delete: ▶{ image: image-1, comment: c } }]", "one of the two"),
      BadText(traffic: "poison: { at: 1m, topic: ▶view }", "one of the two"),
      BadText(
        traffic: "poison: { at: 1m, topic: ▶view, value: x, bytes: FF }", "one of the two"),
    ])
  func missingKeys(text: BadText) throws { try Self.check(text) }

  @Test(
    "A value of the wrong type is told with what was wanted and what was found",
    arguments: [
      BadText("▶hello", "expected keys and values here, found 'hello'"),
      BadText("▶- a\n", "expected keys and values here, found a list"),
      BadText("name: ▶[x]\nabout: y\nduration: 1h\n", "expected text here, found a list"),
      BadText("name: x\nabout: y\nduration: ▶{}\n", "expected a duration here"),
      BadText(after: "population: ▶[]", "expected keys and values here, found a list"),
      BadText(after: "traffic: ▶{}", "expected a list here, found keys and values"),
      BadText(after: "jobs: ▶hero", "expected a list here, found 'hero'"),
      BadText(after: "seed: ▶[1]", "expected a whole number here, found a list"),
      BadText(after: "seed: ▶abc", "expected a whole number, found 'abc'"),
      BadText(after: "seed: ▶1.5", "expected a whole number, found '1.5'"),
      BadText(after: "start: ▶{}", "expected an instant here"),
      BadText(
        after: "population: { mute_ineligible: ▶yes }", "expected true or false, found 'yes'"),
      BadText(traffic: "poisson: ▶3", "expected keys and values here, found '3'"),
      BadText(traffic: "poisson: { rate: 1/s, mix: ▶1 }", "expected keys and values here"),
      BadText(
        traffic: "poisson: { rate: 1/s, mix: { view: ▶many } }", "expected a number, found 'many'"),
      BadText(traffic: "user: { as: a, at: 1m, date_of_birth: ▶[] }", "expected a date here"),
      BadText(after: "policy: { anchors: ▶5m }", "expected a list here, found '5m'"),
      BadText(after: "policy: { scoring: ▶{} }", "expected text here"),
      BadText(expect: "{ count: events, equals: ▶lots }", "expected a number, found 'lots'"),
      BadText(after: "golden: { tolerance: ▶3 }", "expected keys and values here, found '3'"),
      BadText(
        after: "golden: { tolerance: { risk_score: ▶[1] } }", "expected a number here"),
      BadText(after: "golden: { keep: ▶[] }", "expected a ratio here"),
    ])
  func wrongTypes(text: BadText) throws { try Self.check(text) }

  @Test(
    "What isn't YAML is told at its place",
    arguments: [
      BadText(after: "population:\n▶\tusers: 3\n", "not YAML: ", hint: "check quotes, brackets"),
      BadText(after: "seed: ▶*nope", "not YAML: found undefined alias"),
      BadText(after: "seed: &a [▶*a]", "not YAML: found undefined alias"),
      BadText(after: "population: &p { ▶seed: 3 }\ngolden: *p", "unknown key 'seed'"),
      BadText(after: "▶---\nname: y\n", "but found another document"),
      BadText(after: "seed: ▶@", "not YAML: "), BadText("", "the file is empty"),
      BadText("# nothing\n\n", "the file is empty"),
      BadText("▶~", "expected keys and values here, found '~'"),
      BadText("about: y\nduration: 1h\nname: \"a\n▶", "not YAML: "),
      BadText("about: y\nduration: 1h\nname: [a\n▶", "not YAML: "),
    ])
  func notYAML(text: BadText) throws { try Self.check(text) }

  @Test("A key that stands twice is told at one of its places, without the file's whole text")
  func duplicateKeys() throws {
    let text = ScenarioTexts.header + "seed: 1\nseed: 2\n"
    let error = try #require(throws: ScenarioError.self) {
      try Scenario(yaml: text, file: BadText.file)
    }
    #expect((4...5).contains(error.line) && error.column == 1, "\(error)")
    #expect(error.message.contains("'seed'"))
    #expect(!error.description.contains("duration: 1h"), "the message holds the whole file")
  }

  @Test("A character that YAML forbids is told with its line")
  func controlCharacter() throws {
    let error = try #require(throws: ScenarioError.self) {
      try Scenario(yaml: ScenarioTexts.header + "seed: \u{1}\n", file: BadText.file)
    }
    #expect(error.line == 4, "\(error)")
    #expect(error.message.contains("control characters are not allowed"))
  }

  @Test("An error shows file, line, column and message, and its hint on a line of its own")
  func description() {
    let error = ScenarioError(file: "a.yaml", line: 3, column: 5, message: "bad", hint: "mend it")
    #expect(error.description == "a.yaml:3:5: bad\n  mend it")
    #expect(ScenarioError(file: "a.yaml", message: "bad").description == "a.yaml: bad")
  }
}

extension BadText {
  /// One entry of `traffic:`.
  init(traffic entry: String, _ message: String, hint: String = "") {
    self.init(after: "traffic:\n  - \(entry)\n", message, hint: hint)
  }

  /// One entry of `expect:`.
  init(expect entry: String, _ message: String, hint: String = "") {
    self.init(after: "expect:\n  - \(entry)\n", message, hint: hint)
  }
}
