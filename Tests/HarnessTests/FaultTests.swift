import Foundation
import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@testable import Harness

/// Each kind of fault on a small world: it hits something, every checker holds, and what comes of
/// the run is what comes of it without.
@Suite("Faults in scenarios")
struct FaultTests {
  private static let text = """
    name: small
    about: A small world.
    seed: 3
    duration: 32m
    population: { users: 8, images: 4 }
    traffic:
      - poisson: { rate: 600/h, mix: { view: 6, comment: 3, upload: 1, user: 0, flag: 1 } }
    jobs:
      - { run: event-aggregation, at: 20m }
      - { run: event-aggregation, at: end }
      - { run: feature-log, at: end }
      - { run: training-set, at: end }
    policy: { triggers: { viral: 10 }, relay_every: 5s }
    """

  private static func play(_ faults: String = "") throws -> RunResult {
    let text = Self.text + (faults.isEmpty ? "" : "\nfaults:\n  - \(faults)")
    return try ScenarioRun(Scenario(yaml: text, file: "small.yaml")).run()
  }

  private static let undisturbed = Result { try RunOutcome(play()) }

  @Test(
    "Every kind hits, and changes nothing that comes of the run",
    arguments: [
      "{ at: 10m, pause: stream-consumer, for: 3m }",
      "{ at: 20m, pause: event-aggregation, for: 2m }",
      "{ at: 10m, crash: risk-scorer, for: 3m }",
      "{ at: 10m, crash: stream-consumer, for: 5s, on: FeatureStore.apply }",
      "{ at: 10m, crash: stream-consumer, for: 5s, on: FeatureStore.apply, before: true }",
      "{ at: 10m, crash: outbox-relay, for: 5s, on: EventLog.append }",
      "{ at: 10m, crash: risk-scorer, for: 5s, on: ApplicationStore.commit }",
      "{ at: 10m, crash: anchor-scheduler, for: 5s, on: EventLog.append }",
      "{ at: 20m, crash: event-aggregation, for: 5s, on: Lake.commit, skip: 1 }",
      "{ at: 10m, crash: intake, for: 0s, on: ApplicationStore.commit }",
      "{ at: 20m, crash: event-aggregation, for: 30s }",
      "{ error: ApplicationStore, of: outbox-relay, ratio: 1/3 }",
      "{ lost_reply: EventLog.append, ratio: 1/3, stable: 20s }",
      "{ lost_reply: FeatureStore.apply, times: 5 }",
      "{ conflict: ApplicationStore.commit, of: risk-scorer, times: 3 }",
      "{ conflict: TableCatalog.move, times: 2 }",
      "{ duplicate: ApplicationStore.commit }",
      "{ duplicate: EventLog.append }",
      "{ duplicate: FeatureStore.apply }",
      "{ slow: FeatureStore, of: risk-scorer, by: 3s, at: 10m, for: 10m }",
      "{ slow: Lake, by: 10s }",
      "{ at: 10m, partition: stream-consumer, from: FeatureStore, for: 4m }",
      "{ at: 10m, partition: risk-scorer, from: EventConsumer, for: 4m }",
      "{ at: 10m, rebalance: stream-consumer, for: 90s }",
      "{ at: 10m, rebalance: stream-consumer, on: FeatureStore.apply }",
      "{ at: 10m, rebalance: risk-scorer, on: ApplicationStore.commit }",
      "{ at: 10m, redeliver: stream-consumer, last: 50 }",
      "{ at: 10m, redeliver: risk-scorer, last: 50 }",
      "{ at: 10m, reorder: stream-consumer, for: 20m }",
      "{ at: 20m, evict: FeatureStore, back: 5m }",
      "{ at: 20m, evict: FeatureStore, back: 20m }",
      "{ at: 10m, skew: risk-scorer, ahead: 2m, for: 10m }",
      "{ at: 10m, skew: stream-consumer, behind: 2m, for: 10m }",
      "{ at: 10m, skew: anchor-scheduler, ahead: 2m, for: 10m }",
    ])
  func invariant(fault: String) throws {
    let run = try Self.play(fault)
    #expect(run.faultHits.allSatisfy { $0 > 0 }, "\(run.faultHits)")
    #expect(Judgement(run).passed, "\(Judgement(run).checkers.filter { !$0.holds })")
    let difference = try Self.undisturbed.get().firstDifference(RunOutcome(run))
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test("A fault that hits nothing fails the run, by its text")
  func unfired() throws {
    let fault = "{ at: 10m, crash: erasure, on: Lake.commit, for: 5s }"
    let run = try Self.play(fault)
    let faults = try #require(EveryFaultFired().faults(run))
    #expect(faults == ["\(fault) hit nothing"])
    #expect(EveryFaultFired().faults(try Self.play()) == nil)
  }

  @Test("While the API is away, clients give up after three tries, and nothing is half done")
  func intakeAway() throws {
    let run = try Self.play("{ at: 10m, partition: intake, from: ApplicationStore, for: 5m }")
    #expect(run.apiRefused > 20)
    #expect(Judgement(run).passed)
  }

  @Test("The names of operations are those that pass the gates")
  func operationNames() throws {
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/Simulation/GatedPorts.swift")
    let text = try String(contentsOf: source, encoding: .utf8)
    let names = text.matches(of: /(?:around|decided)\("([A-Za-z.]+)"\)/).map { String($0.1) }
    #expect(Set(names).sorted() == PortOperation.names)
  }
}
