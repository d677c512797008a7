import InMemoryBackends
import Moderation
import Pipeline
import Ports
import Simulation

/// A whole platform on in-memory backends: the ports, and the services and jobs over them.
struct World: Sendable {
  let environment: Environment
  let journal: Journal
  var store: any ApplicationStore = InMemoryApplicationStore()
  var objects: any ObjectStore = InMemoryObjectStore()
  var log: any EventLog
  var features: any FeatureStore = InMemoryFeatureStore()
  var lake: any Lake = InMemoryLake()
  var checkpoints: any CheckpointStore = InMemoryCheckpointStore()
  var policy = PipelinePolicy(heuristic: .lab)

  /// Empty backends with all topics.
  init(_ environment: Environment, _ journal: Journal) async throws(PortError) {
    self.environment = environment
    self.journal = journal
    log = InMemoryEventLog(time: environment.time)
    for topic in Catalog.partitionedTopics {
      try await log.createTopic(topic, partitions: policy.partitions)
    }
    for topic in Catalog.singleTopics { try await log.createTopic(topic, partitions: 1) }
  }

  /// The same platform with a gate before every port.
  func behind(_ plan: PortGate.Plan, yields: Bool = false) -> World {
    let gate = PortGate(plan: plan, environment: environment, yields: yields)
    var world = self
    world.store = GatedApplicationStore(store, gate: gate)
    world.objects = GatedObjectStore(objects, gate: gate)
    world.log = GatedEventLog(log, gate: gate)
    world.features = GatedFeatureStore(features, gate: gate)
    world.lake = GatedLake(lake, gate: gate)
    world.checkpoints = GatedCheckpointStore(checkpoints, gate: gate)
    return world
  }

  /// The same platform under another policy.
  func with(_ change: (inout PipelinePolicy) -> Void) -> World {
    var world = self
    change(&world.policy)
    return world
  }

  /// Waits until so many seconds after the start.
  func reach(_ seconds: Int64) async {
    let instant = Sample.at(seconds)
    await environment.time.sleep(until: ProcessingTime(microseconds: instant.microseconds))
  }

  /// Runs services for so many seconds, then ends them.
  func run(_ services: [any Service], for seconds: Int64) async {
    await withTaskGroup { group in
      for service in services { group.addTask { await service.run() } }
      await environment.time.sleep(for: .seconds(seconds))
      group.cancelAll()
    }
  }
}

extension World {
  var intake: Intake {
    Intake(store: store, objects: objects, log: log, environment: environment, policy: policy)
  }

  var relay: OutboxRelay {
    OutboxRelay(store: store, log: log, environment: environment, policy: policy)
  }

  var scheduler: AnchorScheduler {
    AnchorScheduler(log: log, features: features, environment: environment, policy: policy)
  }

  var desk: ReviewDesk { ReviewDesk(store: store, environment: environment) }

  var aggregation: EventAggregation {
    EventAggregation(
      log: log, lake: lake, checkpoints: checkpoints, environment: environment, policy: policy)
  }

  var training: TrainingSetBuild {
    TrainingSetBuild(
      store: store, lake: lake, checkpoints: checkpoints, environment: environment, policy: policy)
  }

  var featureLog: FeatureLogIngest {
    FeatureLogIngest(log: log, lake: lake, environment: environment, policy: policy)
  }

  var erasure: Erasure {
    Erasure(store: store, lake: lake, environment: environment, policy: policy)
  }

  var expiry: LakeExpiry {
    LakeExpiry(
      store: store, objects: objects, lake: lake, environment: environment, policy: policy)
  }

  func consumer(
    _ name: String = "stream-consumer",
    onApplied: @escaping @Sendable (AppliedPoll) -> Void = { _ in }
  ) -> StreamConsumer {
    StreamConsumer(
      name: name, log: log, features: features, environment: environment, policy: policy,
      onApplied: onApplied)
  }

  func scorer(
    onScored: @escaping @Sendable (ScoredRequest) -> Void = { _ in }
  ) -> RiskScorer {
    RiskScorer(
      log: log, features: features, store: store, registry: ModelRegistry(objects),
      environment: environment, policy: policy, onScored: onScored)
  }
}

extension HeuristicPolicy {
  /// The lab text's rules (REFERENCE §6).
  static let lab = HeuristicPolicy(
    name: "heuristic", version: "v1", start: 0,
    rules: [
      rule("flagged", "total_flags", above: 0, adds: 0.4),
      rule("comment-burst", "comments_5min", above: 10, adds: 0.3),
      rule("view-burst", "views_5min", above: 100, adds: 0.2),
    ])

  private static func rule(
    _ name: String, _ feature: String, above threshold: Double, adds: Double
  ) -> Rule {
    let condition = Condition(feature: feature, comparison: .greater, threshold: threshold)
    return Rule(name: name, conditions: [condition].compactMap { $0 }, adds: adds)
  }
}
