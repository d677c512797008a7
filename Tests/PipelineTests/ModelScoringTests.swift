import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// Who scores: rules, a deployed model, a shadow beside the rules.
@Suite("Scoring by models")
struct ModelScoringTests {
  /// A world with image 1 (flags at 20 and 40) and models v1 (flags speak for moderation) and v2
  /// (against it), under a way of inference.
  private static func prepare(
    _ world: World, _ inference: PipelinePolicy.Inference
  ) async throws -> (World, ModelRegistry) {
    try await RiskScorerTests.prepare(world, resolved: 100)
    let registry = ModelRegistry(world.objects)
    for weight in [2.0, -2.0] {
      _ = try await ModelFixture.register(try ModelFixture.model(weight: weight), in: registry)
    }
    return (world.with { $0.inference = inference }, registry)
  }

  /// `second mode version risk`, by instant.
  private static func scores(_ scored: Notes<ScoredRequest>) -> [String] {
    scored.values.sorted { ($0.asOf, $0.row.inferenceMode) < ($1.asOf, $1.row.inferenceMode) }.map {
      "\($0.asOf.sinceStart) \($0.row.inferenceMode) \($0.row.modelVersion ?? "-") "
        + "\(($0.row.riskScore * 100).rounded() / 100)"
    }
  }

  @Test("A promotion takes effect at its instant, whenever the scorer gets to a request")
  func promotion() throws {
    try simulate { world in
      let (world, registry) = try await Self.prepare(world, .model)
      try await registry.move("v1", to: .deployed, effectiveAt: Sample.at(30))
      try await registry.move("v2", to: .deployed, effectiveAt: Sample.at(50))
      let scored = Notes<ScoredRequest>()
      for second in [25, 45, 60] as [Int64] { try await world.request(at: second) }
      await world.run([world.scorer { scored.note($0) }], for: 2)
      #expect(
        Self.scores(scored) == ["25 heuristic - 0.7", "45 model v1 0.98", "60 model v2 0.02"])
      let rows = try await world.store.snapshot().moderation
      let fallback = try #require(rows.first { $0.modelVersion == nil })
      #expect(fallback.rationale?.hasPrefix("fallback: no model is deployed") == true)
      let byModel = try #require(rows.first { $0.modelVersion == "v1" })
      #expect(byModel.rationale == "total_flags +4.0")
    }
  }

  @Test("A promotion is picked up without a restart")
  func withoutRestart() throws {
    try simulate { world in
      let (world, registry) = try await Self.prepare(world, .model)
      let scored = Notes<ScoredRequest>()
      await withTaskGroup { group in
        group.addTask { await world.scorer { scored.note($0) }.run() }
        group.addTask {
          do {
            try await world.request(at: 41)
            await world.environment.time.sleep(for: .seconds(5))
            try await registry.move("v1", to: .deployed, effectiveAt: Sample.at(42))
            try await world.request(at: 43)
            await world.environment.time.sleep(for: .seconds(5))
          } catch {
            Issue.record(error)
          }
        }
        await world.environment.time.sleep(for: .seconds(20))
        group.cancelAll()
      }
      #expect(Self.scores(scored) == ["41 heuristic - 0.7", "43 model v1 0.98"])
    }
  }

  @Test("A shadow's row stands beside the deciding one, of the same request")
  func shadow() throws {
    try simulate { world in
      let (world, registry) = try await Self.prepare(world, .shadow)
      try await registry.move("v1", to: .shadow, effectiveAt: Sample.at(30))
      let scored = Notes<ScoredRequest>()
      for second in [25, 45] as [Int64] { try await world.request(at: second) }
      await world.run([world.scorer { scored.note($0) }], for: 2)
      #expect(
        Self.scores(scored) == ["25 heuristic - 0.7", "45 heuristic - 0.7", "45 shadow v1 0.98"])
      let rows = try await world.store.snapshot().moderation.filter {
        $0.requestID == scored.values.last?.request.id
      }
      #expect(rows.count == 2 && Set(rows.map(\.id)).count == 2)
    }
  }

  @Test("A model that can't be read or has other inputs never gets a vector")
  func fallback() throws {
    try simulate { world in
      let (world, registry) = try await Self.prepare(world, .model)
      var text = String(decoding: try ModelFixture.model(weight: 1).json, as: UTF8.self)
      text = text.replacing("views_1hr", with: "views_2hr")
      _ = try await registry.register(
        [(ModelRegistry.modelFile, Array(text.utf8))], source: "t.t@1", at: Sample.start)
      try await registry.move("v3", to: .deployed, effectiveAt: Sample.at(1))
      try await world.request(at: 45)
      await world.run([world.scorer()], for: 2)
      let row = try #require(try await world.store.snapshot().moderation.first)
      #expect(row.inferenceMode == "heuristic" && row.riskScore == 0.7)
      #expect(row.rationale?.contains("v3: its numeric features aren't those of images") == true)
      try await world.objects.put("models/v2/model.json", Array("{".utf8))
      try await registry.move("v2", to: .deployed, effectiveAt: Sample.at(50))
      try await world.request(at: 55)
      await world.run([world.scorer()], for: 2)
      let rows = try await world.store.snapshot().moderation
      #expect(rows.count == 2)
      #expect(rows.contains { $0.rationale?.contains("models/v2/model.json") == true })
    }
  }

  @Test("A rollback whose reply is lost, or that is run again, is done once")
  func rollback() throws {
    try simulate { world in
      let (_, registry) = try await Self.prepare(world, .model)
      try await registry.move("v1", to: .deployed, effectiveAt: Sample.at(30))
      try await registry.move("v2", to: .deployed, effectiveAt: Sample.at(50))
      let lost = world.behind(
        PortGate.Plan { operation in
          operation.name == "ObjectStore.putIfAbsent"
            ? .failAfter(
              PortError(.unavailable, port: "ObjectStore", operation: "putIfAbsent", hint: "lost"))
            : .pass
        })
      let once = ModelPromotion(
        registry: ModelRegistry(lost.objects), environment: world.environment,
        order: .init(model: "previous"))
      #expect(try await once.run() == ["moved": 0], "it was done when it was tried again")
      #expect(try await registry.journal().changes.map(\.version).last == "v1")
      let again = ModelPromotion(
        registry: registry, environment: world.environment, order: .init(model: "previous"))
      #expect(try await again.run() == ["moved": 0])
      let journal = try await registry.journal()
      #expect(journal.version(.deployed, at: Sample.at(10_000)) == "v1")
      #expect(journal.changes.count == 5)
    }
  }

  @Test("Training pins the snapshot, registers once, and promotion gives notice")
  func jobs() throws {
    try simulate { world in
      let rows = ModelFixture.rows(images: 40)
      try await world.lake.createTable(
        LakeTables.trainingData, schema: LakeTables.trainingSchema)
      let registry = ModelRegistry(world.objects)
      let training = ModelTraining(
        lake: world.lake, registry: registry, environment: world.environment,
        policy: world.policy)
      let early = try await failure { try await training.run() }
      #expect(early?.code == .notFound && early?.hint.contains("training-set") == true)
      let snapshot = try await world.lake.commit(
        TableChange(
          id: 7, committedAt: Sample.start, append: TrainingRow.batch(rows)),
        to: LakeTables.trainingData, expecting: nil)
      #expect(try await training.run()["rows"] == 96)
      _ = try await training.run()
      var journal = try await registry.journal()
      #expect(journal.versions == ["v1"])
      #expect(journal.changes[0].source == "moderation.training_data@\(snapshot.id)")
      let lineage = ModelLineage(try await registry.artifact(ModelLineage.file, of: "v1"))
      #expect(lineage.count == 40 && lineage.contains(image: rows[0].image.description))
      #expect(!lineage.contains(image: ImageID.number(99).description))

      let promotion = ModelPromotion(
        registry: registry, environment: world.environment, order: .init())
      #expect(try await promotion.run() == ["moved": 1])
      journal = try await registry.journal()
      let now = world.environment.now.asEventTime
      #expect(journal.changes.last?.effectiveAt == now + ModelPromotion.notice)
      #expect(journal.version(.deployed, at: now) == nil)
      let back = ModelPromotion(
        registry: registry, environment: world.environment,
        order: .init(model: "previous"))
      #expect(try await failure { try await back.run() }?.code == .notFound)

      var proof = ErasureProof(of: rows[0].image.description)
      try await proof.search(registry, world.store)
      #expect(proof.places.map(\.name) == ["v1, deployed"] && !proof.holds)
      try await world.store.insert(users: [Rows.user(3)], images: [Rows.image(1, by: 3)])
      proof = ErasureProof(of: UserID.number(3).description)
      try await proof.search(registry, world.store)
      #expect(proof.places.map(\.name) == ["v1, deployed"], "the user's image")
      try await registry.move("v1", to: .retired, effectiveAt: now)
      proof = ErasureProof(of: rows[0].image.description)
      try await proof.search(registry, world.store)
      #expect(proof.places.map(\.name) == ["v1, retired"] && proof.holds)
    }
  }
}
