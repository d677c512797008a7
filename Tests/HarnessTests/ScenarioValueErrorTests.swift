import Testing

@testable import Harness

@Suite("Scenario values out of range")
struct ScenarioValueErrorTests {
  @Test(
    "A name, duration or instant that is none is told with how to write it",
    arguments: [
      BadText("name: ▶Big Name\nabout: y\nduration: 1h", "'Big Name' is no name", hint: "lower"),
      BadText("name: ▶''\nabout: y\nduration: 1h", "'' is no name"),
      BadText("name: ▶../x\nabout: y\nduration: 1h", "'../x' is no name"),
      BadText(duration: "▶soon", "'soon' is no duration", hint: "90s, 30m, 1h5m or 250ms"),
      BadText(duration: "▶5", "'5' is no duration"), BadText(duration: "▶1.5h", "no duration"),
      BadText(duration: "▶-5m", "no duration"), BadText(duration: "▶1h 5m", "no duration"),
      BadText(duration: "▶99999d", "no duration"),
      BadText(duration: "▶99999999999999999999h", "no duration"),
      BadText(duration: "▶0s", "the duration must be positive"),
      BadText(after: "start: ▶yesterday", "'yesterday' is no instant", hint: "2026-01-05T09:00"),
      BadText(after: "start: ▶2026-13-01T00:00:00Z", "no instant"),
      BadText(after: "start: ▶2026-01-05", "no instant"),
      BadText(after: "start: ▶1999-12-31T23:59:59Z", "the years 2000 to 2200"),
      BadText(after: "start: ▶2201-01-01T00:00:00Z", "the years 2000 to 2200"),
      BadText(
        traffic: "user: { as: a, at: 1m, date_of_birth: ▶2010-02-30 }", "'2010-02-30' is no date",
        hint: "YYYY-MM-DD"),
      BadText(traffic: "user: { as: a, at: 1m, date_of_birth: ▶28.02.2010 }", "is no date"),
    ])
  func times(text: BadText) throws { try ScenarioErrorTests.check(text) }

  @Test(
    "A number out of its range is told with the range",
    arguments: [
      BadText(after: "seed: ▶-1", "seed must be 0 or more, not -1"),
      BadText(after: "seed: ▶99999999999999999999", "expected a whole number"),
      BadText(after: "consumers: ▶0", "consumers must be 1 to 16, not 0"),
      BadText(after: "consumers: ▶17", "consumers must be 1 to 16, not 17"),
      BadText(after: "population: { users: ▶-1 }", "users must be 0 to 1000000, not -1"),
      BadText(after: "population: { images: ▶1000001 }", "images must be 0 to 1000000"),
      BadText(after: "population: { users: 0, images: ▶5 }", "at least one user to upload"),
      BadText(after: "population: ▶{ users: 0 }", "at least one user to upload"),
      BadText(after: "population: { minors: ▶2 }", "between 0 and 1, found '2'", hint: "1/50"),
      BadText(after: "population: { minors: ▶-1/2 }", "between 0 and 1"),
      BadText(after: "population: { minors: ▶1/0 }", "between 0 and 1"),
      BadText(after: "population: { minors: ▶nan }", "between 0 and 1"),
      BadText(after: "population: { minors: ▶110% }", "between 0 and 1"),
      BadText(traffic: "poisson: { rate: ▶fast }", "'fast' is no rate", hint: "50/min or 2/s"),
      BadText(traffic: "poisson: { rate: ▶0/h }", "'0/h' is no rate"),
      BadText(traffic: "poisson: { rate: ▶-3/h }", "is no rate"),
      BadText(traffic: "poisson: { rate: ▶3/week }", "is no rate"),
      BadText(traffic: "poisson: { rate: ▶inf/s }", "is no rate"),
      BadText(traffic: "poisson: { rate: 1/s, mix: { view: ▶-1 } }", "weight can't be negative"),
      BadText(traffic: "poisson: { rate: 1/s, mix: { view: ▶nan } }", "expected a number"),
      BadText(traffic: "poisson: { rate: 1/s, mix: { view: ▶1e999 } }", "expected a number"),
      BadText(
        traffic:
          "poisson: { rate: 1/s, mix: ▶{ view: 0, comment: 0, upload: 0, user: 0, flag: 0 } }",
        "all weights are 0"),
      BadText(traffic: "view: { on: image-1, at: 1m, times: ▶0 }", "times must be 1 to 1000000"),
      BadText(traffic: "user: { as: a, at: 1m, year_of_birth: ▶1899 }", "must be 1900 to 2100"),
      BadText(
        traffic: "user: { as: a, at: 1m, year_of_birth: ▶2050 }",
        "2050 is still to come at 1m, in 2026"),
      BadText(
        traffic: "user: { as: a, at: 1m, date_of_birth: ▶2026-01-06 }",
        "the date is still to come at 1m"),
      BadText(
        traffic: "user: { as: a, at: 1m, year_of_birth: ▶2009, date_of_birth: 2010-01-01 }",
        "2009 isn't the year of date_of_birth"),
      BadText(traffic: "duplicates: { at: 1m, last: ▶100001 }", "last must be 1 to 100000"),
      BadText(traffic: "poison: { at: 1m, topic: view, bytes: ▶F }", "'F' is no list of hexa"),
      BadText(traffic: "poison: { at: 1m, topic: view, bytes: ▶XY }", "'XY' is no list of hexa"),
      BadText(after: "jobs: [{ run: erasure, every: ▶10ms }]", "must be at least 1s"),
      BadText(
        "name: x\nabout: y\nduration: 30d\njobs: [{ run: erasure, every: ▶1s }]",
        "more than 100000 runs"),
      BadText(after: "policy: { anchors: [5m, ▶90s] }", "a whole number of minutes"),
      BadText(after: "policy: { anchors: [▶soon] }", "'soon' is no duration"),
      BadText(after: "policy: { triggers: { viral: ▶-1 } }", "viral must be 0 or more, not -1"),
      BadText(after: "policy: { partitions: ▶65 }", "partitions must be 1 to 64, not 65"),
      BadText(after: "policy: { batch: ▶0 }", "batch must be 1 to 100000, not 0"),
      BadText(after: "policy: { relay_every: ▶1ms }", "must be 10ms to 30s"),
      BadText(after: "golden: { keep: ▶0 }", "at least one image in a million"),
      BadText(after: "golden: { keep: ▶3 }", "between 0 and 1"),
      BadText(after: "golden: { tolerance: { views: ▶-1 } }", "can't be negative"),
    ])
  func numbers(text: BadText) throws { try ScenarioErrorTests.check(text) }

  @Test(
    "What comes after the scenario's end is told with the duration",
    arguments: [
      BadText(traffic: "poisson: { rate: 1/s, from: ▶2h }", "from lies after", hint: "3600"),
      BadText(traffic: "poisson: { rate: 1/s, until: ▶2h }", "until lies after"),
      BadText(traffic: "burst: { as: a, at: ▶61m, over: 1m }", "at lies after"),
      BadText(traffic: "user: { as: a, at: ▶2h }", "at lies after"),
      BadText(traffic: "upload: { as: a, at: ▶2h }", "at lies after"),
      BadText(traffic: "comment: { on: image-1, at: ▶2h }", "at lies after"),
      BadText(
        traffic: "view: { on: image-1, at: 59m, every: 1m, times: ▶3 }", "the last of them lies"),
      BadText(traffic: "duplicates: { at: ▶2h, last: 1 }", "at lies after"),
      BadText(traffic: "poison: { at: ▶2h, topic: view, value: x }", "at lies after"),
      BadText(after: "actions: [{ at: ▶2h, delete: { image: image-1 } }]", "at lies after"),
      BadText(after: "jobs: [{ at: ▶2h, run: erasure }]", "at lies after"),
      BadText(after: "faults: [{ at: ▶2h, crash: risk-scorer, for: 1s }]", "at lies after"),
      BadText(after: "faults: [{ error: ▶EventLog.apend }]", "none of", hint: "'EventLog.append'?"),
      BadText(after: "faults: [{ slow: ▶Lake.scans, by: 1s }]", "none of", hint: "'Lake.scan'?"),
      BadText(after: "faults: [▶{ slow: Lake }]", "'by' is missing"),
      BadText(after: "faults: [{ error: Lake, stable: ▶0s }]", "longer than 0s"),
      BadText(after: "faults: [{ error: Lake, of: ▶nobody }]", "'nobody' is none of"),
      BadText(
        after: "faults: [{ at: 1m, evict: FeatureStore, back: ▶2m }]", "before the start"),
      BadText(after: "faults: [{ at: 1m, skew: ▶intake, for: 1m }]", "by how much"),
      BadText(
        after: "faults: [{ at: 1m, skew: ▶intake, for: 1m, ahead: 1s, behind: 1s }]",
        "by how much"),
      BadText(
        after: "faults: [{ at: 1m, crash: intake, for: 1m, skip: ▶1 }]", "concerns a fault at",
        hint: "on: Port.method"),
      BadText(
        after: "faults: [{ at: 1m, rebalance: risk-scorer, on: Lake, for: ▶1m }]", "at once"),
      BadText(after: "faults: [{ at: 1m, redeliver: ▶erasure, last: 1 }]", "none of"),
    ])
  func afterTheEnd(text: BadText) throws { try ScenarioErrorTests.check(text) }

  @Test("A burst that lasts beyond the end is an error, since what comes after isn't played")
  func burstBeyondTheEnd() throws {
    let text = ScenarioTexts.header + "traffic: [burst: { as: a, at: 59m, over: 2m, views: 9 }]\n"
    let error = try #require(throws: ScenarioError.self) {
      try Scenario(yaml: text, file: BadText.file)
    }
    #expect(error.line == 4)
  }

  @Test(
    "A word that isn't among the choices is told with them",
    arguments: [
      BadText(traffic: "poison: { at: 1m, topic: ▶views, value: x }", "'views'", hint: "'view'?"),
      BadText(after: "jobs: [{ run: ▶erase, at: end }]", "'erase' is none", hint: "'erasure'?"),
      BadText(
        after: "faults: [{ at: 1m, crash: ▶database, for: 1s }]", "'database' is none of",
        hint: "possible here: outbox-relay"),
      BadText(after: "policy: { scoring: ▶now }", "'now' is none of watermark, immediate"),
      BadText(after: "policy: { publish: ▶out-box }", "'out-box'", hint: "'outbox'?"),
      BadText(after: "policy: { labels: ▶riper }", "'riper'", hint: "'ripe'?"),
      BadText(
        after: "actions: [{ at: 1m, review: { image: image-1 }, decision: ▶confirm }]", "'confirm'",
        hint: "'confirmed'?"),
      BadText(
        after: "policy: { heuristic: ▶mine }", "there is no heuristic 'mine'",
        hint: "possible: heuristic, heuristic-weighted"),
      BadText(expect: "{ scored: image-1, trigger: ▶virl }", "there is no trigger 'virl'"),
      BadText(expect: "{ unscored: image-1, trigger: ▶anchor_05m }", "no trigger 'anchor_05m'"),
      BadText(
        expect: "{ feature: ▶view_5min, of: image-1, trigger: viral, equals: 1 }",
        "there is no feature 'view_5min'", hint: "'views_5min'?"),
      BadText(
        expect: "{ training: ▶view_5min, of: image-1, decision_point: 0m, equals: 1 }",
        "there is no column of training rows 'view_5min'", hint: "'views_5min'?"),
      BadText(
        expect: "{ training: views_5min, of: image-1, decision_point: ▶7m, equals: 1 }",
        "there are no training rows of 7m", hint: "0m, 5m, 30m"),
      BadText(
        expect: "{ count: ▶event, equals: 1 }", "there is no count 'event'", hint: "'events'?"),
      BadText(
        expect: "{ skew: ▶view_5min, equals: 0 }", "there is no feature 'view_5min'",
        hint: "'views_5min'?"),
      BadText(
        expect: "{ absent: image-1, from: ▶training }", "'training' is no table",
        hint: "namespace.name"),
      BadText(expect: "{ present: image-1, in: ▶a.b.c }", "'a.b.c' is no table"),
      BadText(
        expect: "{ feature: views_5min, of: image-1, trigger: viral, flavour: ▶all, equals: 1 }",
        "'all' is none of observed, governed"),
    ])
  func choices(text: BadText) throws { try ScenarioErrorTests.check(text) }

  @Test(
    "An alias that nothing makes is told with what it may have meant",
    arguments: [
      BadText(uses: "view: { on: ▶heor, at: 2m }", "there is no image 'heor'", hint: "'hero'?"),
      BadText(uses: "view: { on: ▶image-3, at: 2m }", "there is no image 'image-3'"),
      BadText(uses: "view: { on: hero, at: 2m, by: ▶an }", "no user 'an'", hint: "'ann'?"),
      BadText(uses: "upload: { as: b, at: 2m, by: ▶user-3 }", "there is no user 'user-3'"),
      BadText(uses: "view: { on: ▶ann, at: 2m }", "there is no image 'ann'"),
      BadText(made: "actions: [{ at: 3m, delete: { image: ▶her } }]", "no image 'her'"),
      BadText(made: "actions: [{ at: 3m, delete: { comment: ▶frist } }]", "no comment 'frist'"),
      BadText(
        made: "actions: [{ at: 3m, correct: { user: ▶bob, year_of_birth: 2000 } }]",
        "no user 'bob'"),
      BadText(made: "expect: [{ scored: ▶heroo }]", "no image 'heroo'"),
      BadText(made: "expect: [{ unscored: ▶heroo }]", "no image 'heroo'"),
      BadText(
        made: "expect: [{ training: has_caption, of: ▶x, decision_point: 0m, equals: 1 }]",
        "no image 'x'"),
      BadText(made: "expect: [{ absent: ▶x, from: events.views }]", "no image 'x'"),
      BadText(made: "expect: [{ present: ▶x, in: events.views }]", "no image 'x'"),
    ])
  func aliases(text: BadText) throws { try ScenarioErrorTests.check(text) }
}

extension BadText {
  fileprivate init(duration: String, _ message: String, hint: String = "") {
    self.init("name: x\nabout: y\nduration: \(duration)\n", message, hint: hint)
  }

  /// What `hero`, `ann` and `first` are made by.
  private static let makers = """
    population: { users: 2, images: 2 }
    traffic:
      - upload: { as: hero, at: 1m }
      - user: { as: ann, at: 1m }
      - comment: { on: hero, at: 1m, as: first }

    """

  /// An entry of `traffic:` after `hero`, `ann` and `first` are made.
  fileprivate init(uses entry: String, _ message: String, hint: String = "") {
    self.init(after: Self.makers + "  - \(entry)\n", message, hint: hint)
  }

  /// A section after that which makes `hero`, `ann` and `first`.
  fileprivate init(made section: String, _ message: String, hint: String = "") {
    self.init(after: Self.makers + section + "\n", message, hint: hint)
  }
}
