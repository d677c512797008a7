import Foundation
import Harness
import Moderation
import Pipeline
import Ports

/// Scenarios that several suites play or read.
enum ScenarioTexts {
  /// Three lines that every scenario needs; what a test is about starts at line 4.
  static let header = "name: x\nabout: y\nduration: 1h\n"

  /// Every key that a scenario may have.
  static let full = """
    name: everything
    about: Every key.
    seed: 7
    start: 2026-03-01T12:30:00Z
    duration: 2h
    population:
      { users: 3, images: 2, test_accounts: 1/4, minors: 25%, near_birthday: 0.5,
        mute_ineligible: true, bad_images: 1/9 }
    traffic:
      - poisson:
          rate: 120/h
          mix: { view: 6, comment: 2.5, upload: 0.5, user: 0, flag: 1, delete: 0.25 }
          from: 1m
          until: 1h
          anonymous: 1/8
          late: 5%
          late_by: 90s
      - burst: { as: hero, at: 30m, over: 1m, views: 110, comments: 8, flags: 2 }
      - user:
          { as: ann, at: 2m, age: 400d, year_of_birth: 2010, date_of_birth: 2010-02-28,
            test_account: true }
      - upload: { as: cake, at: 3m, by: ann, category: Dessert, caption: "crème: 1" }
      - view: { on: cake, at: 4m, by: ann, times: 3, every: 250ms, late_by: 5s }
      - comment: { on: hero, at: 31m, as: first }
      - flag: { on: hero, at: 32m, comment: true }
      - duplicates: { at: 33m, last: 5 }
      - poison: { at: 34m, topic: comment, value: "{", times: 2 }
      - poison: { at: 35m, topic: view, bytes: fF00 }
    actions:
      - { at: 40m, delete: { image: cake } }
      - { at: 41m, delete: { comment: first } }
      - { at: 42m, correct: { user: ann, year_of_birth: 2009, date_of_birth: 2009-02-28 } }
      - { at: 43m, review: { image: hero }, decision: confirmed }
      - { at: 44m, review: { comment: first }, decision: rejected }
      - { at: 45m, evolve: events.views, add: device, type: int }
      - { at: 46m, evolve: events.views, rename: device, to: client }
      - { at: 47m, evolve: events.views, widen: client, to: long }
    jobs:
      - { run: event-aggregation, at: 30m, every: 1h }
      - { run: training-set, at: end }
      - { run: compaction, at: 30m, beside: true }
      - { run: promote, at: 40m, model: v2, stage: shadow }
      - { run: training, at: 41m, training: { from: feature_log, epochs: 7 } }
    faults:
      - { at: 50m, pause: risk-scorer, for: 10s }
      - { at: 45m, crash: stream-consumer, for: 3us }
      - { at: 46m, crash: erasure, on: Lake.commit, before: true, for: 1m, skip: 2 }
      - { at: 1m, error: EventLog, for: 2m, of: outbox-relay, ratio: 1/4, stable: 10s, times: 3 }
      - { lost_reply: FeatureStore.apply, skip: 1 }
      - { conflict: TableCatalog.move }
      - { duplicate: EventLog.append }
      - { slow: ObjectStore, by: 250ms }
      - { at: 2m, partition: intake, from: ApplicationStore, for: 3m }
      - { at: 3m, rebalance: stream-consumer, for: 4m }
      - { at: 3m, rebalance: risk-scorer, on: ApplicationStore.commit, skip: 3 }
      - { at: 4m, redeliver: risk-scorer, last: 9 }
      - { at: 5m, reorder: stream-consumer, for: 6m }
      - { at: 9m, evict: FeatureStore, back: 8m }
      - { at: 9m, skew: outbox-relay, ahead: 1s, for: 1m }
      - { at: 9m, skew: intake, behind: 2s, for: 1m }
    policy:
      heuristic: mine
      scoring: immediate
      inference: shadow
      training:
        { mode: lab, split: image, validation: 0.25, epochs: 7, patience: 2, balanced: false,
          alpha: 0.02 }
      publish: direct
      offline: lab
      labels: lab
      minors: year-of-birth
      anchors: [0m, 10m]
      triggers: { viral: 50, suspicious: 0, flagged: 3, popular: 20 }
      partitions: 5
      batch: 100
      relay_every: 2s
      snapshot_retention: 1h
    consumers: 2
    schedule: 5
    expect:
      - { scored: hero, trigger: viral, at_least: 0.4, at_most: 1, equals: 0.5 }
      - { unscored: cake, trigger: flagged }
      - { feature: views_5min, of: hero, trigger: viral, flavour: governed, equals: 100 }
      - { absent: cake, from: moderation.training_data }
      - { erased: cake }
      - { present: hero, in: events.views }
      - { column: client, in: events.views }
      - { same_without: faults }
      - { training: caption_length, of: hero, decision_point: 30m, equals: 1 }
      - { count: crashes, equals: 1 }
      - { skew: any, metric: smape, at_most: 0 }
    golden: { keep: 1/4, tolerance: { risk_score: 0.01 } }

    """

  /// The heuristic that ``full`` names `mine`.
  static let heuristic = """
    name: mine
    version: v7
    start: 0.25
    rules:
      - { name: seen, when: { views_5min: ">= 2", comments_5min: "== 0" }, add: 0.5 }
      - { name: talked, when: { comments_5min: "< 5", comments_1hr: "<= 9" }, add: -0.125 }

    """

  /// ``full`` as a value.
  static func parsedFull(_ text: String = full) throws(ScenarioError) -> Scenario {
    try Scenario(yaml: text, file: "full.yaml") { (name) throws(ScenarioError) in
      name == "mine" ? heuristic : nil
    }
  }

  /// 40 minutes with every kind of event, a deleted image, and both jobs.
  static let tiny = """
    name: tiny
    about: A hero draws some attention, a cake is deleted.
    seed: 7
    duration: 40m
    population: { users: 8, images: 4, test_accounts: 1/5, minors: 1/5 }
    traffic:
      - poisson: { rate: 120/h }
      - upload: { as: cake, at: 2m, category: Dessert }
      - view: { on: cake, at: 3m, times: 3 }
      - burst: { as: hero, at: 5m, over: 1m, views: 12, comments: 3, flags: 2 }
    actions:
      - { at: 30m, delete: { image: cake } }
    jobs:
      - { at: 20m, run: event-aggregation }
      - { at: 20m, run: training-set }
      - { at: end, run: event-aggregation }
      - { at: end, run: training-set }
      - { at: end, run: feature-log }
    policy: { triggers: { viral: 10 }, relay_every: 20s }

    """

  /// ``tiny`` as a value, with more lines at its end; services look around rarely, to be quick.
  static func parsedTiny(_ more: String = "") throws(ScenarioError) -> Scenario {
    var scenario = try Scenario(yaml: tiny + more, file: "tiny.yaml")
    scenario.policy.pollWait = .seconds(20)
    return scenario
  }

  /// ``tiny`` as it runs on sound backends: run once, looked at by many tests.
  static let soundRun = Result { try ScenarioRun(parsedTiny()).run() }
}

/// A folder of a test's own, removed afterwards.
func withTemporaryFolder<Value>(
  _ test: String = #function, _ body: (String) throws -> Value
) throws -> Value {
  let process = ProcessInfo.processInfo.processIdentifier
  let name = test.filter { $0.isLetter || $0.isNumber }
  let path = FileManager.default.temporaryDirectory
    .appending(path: "rehearsal-harness-\(process)-\(name)").path
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  let result = Result { try body(path) }
  try FileManager.default.removeItem(atPath: path)
  return try result.get()
}
