import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@testable import Harness

@Suite("Model lineage")
struct ModelLineageTests {
  private static let yaml = """
    name: models
    about: Two models within the hour, by the lab's labels.
    duration: 40m
    population: { users: 6, images: 12, minors: 0, test_accounts: 0 }
    traffic:
      - poisson: { rate: 12/min, mix: { view: 6, comment: 1, upload: 1, flag: 2, user: 0 } }
    jobs:
      - { at: 15m, run: event-aggregation }
      - { at: 16m, run: training-set }
      - { at: 17m, run: training }
      - { at: 18m, run: promote, stage: STAGE }
      - { at: 25m, run: event-aggregation }
      - { at: 26m, run: training-set }
      - { at: 27m, run: training }
      - { at: 28m, run: promote, stage: STAGE }
    policy:
      { inference: INFERENCE, labels: lab, relay_every: 5s, training: { mode: lab } }
    """

  private static func scenario(
    _ inference: PipelinePolicy.Inference, _ stage: ModelStage
  ) throws -> Scenario {
    let text = yaml.replacing("INFERENCE", with: inference.rawValue)
      .replacing("STAGE", with: stage.rawValue)
    return try Scenario(yaml: text, file: "models.yaml")
  }

  private static func run(
    _ inference: PipelinePolicy.Inference = .model, _ stage: ModelStage = .deployed,
    _ break: (@Sendable (inout Backends) -> Void)? = nil
  ) throws -> RunResult {
    var options = RunOptions()
    if let `break` {
      options.injection = { component, ports in
        var ports = ports
        if component.component == "risk-scorer" { `break`(&ports) }
        return ports
      }
    }
    return try ScenarioRun(try scenario(inference, stage), options: options).run()
  }

  @Test("Two models, each scores from its promotion on; both modes are sound")
  func sound() throws {
    let run = try Self.run()
    #expect(run.models.journal.versions == ["v1", "v2"])
    #expect(ModelLineageHolds().faults(run) == [])
    #expect(Judgement(run).passed, "\(Judgement(run).checkers.filter { !$0.holds })")
    #expect(Set(run.scores.map { $0.row.modelVersion ?? "-" }) == ["-", "v1", "v2"])
    let promoted = try #require(run.models.journal.changes.last)
    #expect(promoted.stage == .deployed && promoted.version == "v2")
    for score in run.scores where score.asOf >= promoted.effectiveAt {
      #expect(score.row.modelVersion == "v2")
    }
    let shadow = try Self.run(.shadow, .shadow)
    #expect(ModelLineageHolds().faults(shadow) == [])
    #expect(shadow.scores.contains { $0.row.inferenceMode == "shadow" })
    #expect(EveryRequestScoredOnce().faults(shadow) == [])
    #expect(ModelLineageHolds().faults(try ScenarioTexts.soundRun.get()) == nil)
  }

  @Test("Why a model scored so: its heaviest features, with what they count")
  func why() throws {
    let run = try Self.run()
    let score = try #require(run.scores.last { $0.row.modelVersion == "v2" })
    let cause = try CauseTracer(run).explain(.score(score.request.id.description))
    #expect(cause.text.contains("by model v2 (model): "), "\(cause.text)")
    let weights = cause.causes.filter { $0.kind == .weight }
    #expect(weights.count == 5)
    let model = try #require(run.models.models["v2"])
    let inputs = ModelInputs(score.governed.numeric, category: score.category)
    #expect(weights.map(\.name) == model.reasons(inputs, limit: 5).map(\.feature))
    #expect(!cause.causes.contains { $0.kind == .rule })
  }

  @Test("A scorer that keeps the first journal is noticed")
  func stale() throws {
    let run = try Self.run { ports in ports.objects = StaleObjects(base: ports.objects, keeps: 2) }
    let faults = try #require(ModelLineageHolds().faults(run))
    #expect(faults.contains { $0.contains("scored by v1, but v2 was deployed") }, "\(faults)")
  }

  @Test("A scorer that never looks is noticed")
  func blind() throws {
    let run = try Self.run { ports in ports.objects = StaleObjects(base: ports.objects, keeps: 0) }
    let faults = try #require(ModelLineageHolds().faults(run))
    #expect(
      faults.contains { $0.contains("scored by the rules, though v1 was deployed") }, "\(faults)")
    let shadow = try Self.run(.shadow, .shadow) { ports in
      ports.objects = StaleObjects(base: ports.objects, keeps: 0)
    }
    let missing = try #require(ModelLineageHolds().faults(shadow))
    #expect(missing.contains { $0.contains("v1 is the shadow, but has no score") }, "\(missing)")
  }

  @Test("A score that the model wouldn't give is noticed")
  func altered() throws {
    let run = try Self.run { ports in ports.objects = AlteredObjects(base: ports.objects) }
    let faults = try #require(ModelLineageHolds().faults(run))
    #expect(faults.contains { $0.contains("v1 says") }, "\(faults)")
  }

  @Test("A trainer that scans whatever is current is noticed")
  func unpinned() throws {
    var text = Self.yaml.replacing("INFERENCE", with: "model").replacing("STAGE", with: "deployed")
    text = text.replacing(
      "  - { at: 27m, run: training }\n",
      with: "  - { at: 26m, run: training, beside: true }\n")
    // Many passes, so that the other job's commit comes between two.
    text = text.replacing("{ mode: lab }", with: "{ epochs: 40, patience: 40 }")
    let scenario = try Scenario(yaml: text, file: "models.yaml")
    #expect(ModelLineageHolds().faults(try ScenarioRun(scenario).run()) == [])
    var options = RunOptions()
    options.injection = { component, ports in
      var ports = ports
      if component.component == "training" {
        ports.lake = BrokenLake(base: ports.lake, asks: { $0.snapshot = nil })
      }
      return ports
    }
    let faults = try #require(
      ModelLineageHolds().faults(try ScenarioRun(scenario, options: options).run()))
    #expect(faults.contains { $0.contains("training again comes to another model") }, "\(faults)")
  }

  @Test("Who scores doesn't follow from when the scorer gets to it")
  func lag() throws {
    let expected = RunOutcome(try Self.run())
    for kind in [ScheduledFault.Kind.pause, .crash] {
      var scenario = try Self.scenario(.model, .deployed)
      scenario.faults.append(
        ScheduledFault(
          at: .seconds(17 * 60), duration: .seconds(13 * 60), kind: kind, service: .riskScorer))
      let run = try ScenarioRun(scenario).run()
      let difference = expected.firstDifference(RunOutcome(run))
      #expect(difference == nil, "\(kind.name): \(difference ?? "")")
      #expect(ModelLineageHolds().faults(run) == [])
    }
  }
}

/// A store whose listing of the journal never grows beyond its first entries.
private struct StaleObjects: ObjectStore {
  let base: any ObjectStore
  let keeps: Int

  func put(_ key: String, _ bytes: [UInt8]) async throws(PortError) {
    try await base.put(key, bytes)
  }

  func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool {
    try await base.putIfAbsent(key, bytes)
  }

  func get(_ key: String) async throws(PortError) -> [UInt8] { try await base.get(key) }

  func list(prefix: String) async throws(PortError) -> [String] {
    Array(try await base.list(prefix: prefix).prefix(keeps))
  }

  func delete(_ key: String) async throws(PortError) { try await base.delete(key) }
}

/// A store that gives models with another intercept.
private struct AlteredObjects: ObjectStore {
  let base: any ObjectStore

  func put(_ key: String, _ bytes: [UInt8]) async throws(PortError) {
    try await base.put(key, bytes)
  }

  func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool {
    try await base.putIfAbsent(key, bytes)
  }

  func get(_ key: String) async throws(PortError) -> [UInt8] {
    let bytes = try await base.get(key)
    guard key.hasSuffix(ModelRegistry.modelFile) else { return bytes }
    do {
      let model = try LearnedModel(json: bytes)
      return try LearnedModel(
        encoding: model.encoding, weights: model.weights, intercept: model.intercept + 1
      ).json
    } catch {
      throw PortError(.corrupt, port: "ObjectStore", operation: "get", hint: "\(error)")
    }
  }

  func list(prefix: String) async throws(PortError) -> [String] {
    try await base.list(prefix: prefix)
  }

  func delete(_ key: String) async throws(PortError) { try await base.delete(key) }
}
