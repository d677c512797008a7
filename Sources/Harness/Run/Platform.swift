import Lakehouse
import Moderation
import Pipeline
import Ports
import Simulation

/// The pipeline wired to its ports: each component behind a gate of its own.
struct Platform: Sendable {
  let backends: Backends
  let environment: Environment
  let policy: PipelinePolicy
  let plan: PortGate.Plan
  private(set) var yields: Bool
  let collector: RunCollector
  /// Sees what the backends do, beneath every gate.
  let watch: RunWatch

  init(
    backends: Backends, environment: Environment, policy: PipelinePolicy, plan: PortGate.Plan,
    yields: Bool, collector: RunCollector
  ) {
    watch = RunWatch(allCheckers, environment: environment)
    self.backends = backends.watched(by: watch)
    self.environment = environment
    self.policy = policy
    self.plan = plan
    self.yields = yields
    self.collector = collector
  }

  /// A component's environment.
  func environment(_ component: String) -> Environment { environment.named(component) }

  /// The lake, whose own files and pointers are reached through the gate, too.
  private func lake(behind gate: PortGate) -> any Lake {
    var lake = backends.lake
    if let tables = lake as? IcebergLake {
      lake = tables.through(
        objects: { GatedObjectStore($0, gate: gate) },
        catalog: { GatedTableCatalog($0, gate: gate) })
    }
    return WatchedLake(base: lake, watch: watch)
  }

  /// The same, with a pause for others at every port operation.
  var takingTurns: Platform {
    var platform = self
    platform.yields = true
    return platform
  }

  private func gate(_ component: String) -> PortGate {
    PortGate(plan: plan, environment: environment(component), yields: yields)
  }

  /// The ports as a component sees them.
  func ports(of component: String) -> Backends {
    let gate = gate(component)
    return Backends(
      name: backends.name, store: GatedApplicationStore(backends.store, gate: gate),
      log: GatedEventLog(backends.log, gate: gate),
      features: GatedFeatureStore(backends.features, gate: gate),
      objects: GatedObjectStore(backends.objects, gate: gate),
      checkpoints: GatedCheckpointStore(backends.checkpoints, gate: gate),
      lake: GatedLake(lake(behind: gate), gate: gate))
  }

  /// Makes the topics.
  func createTopics() async throws(PortError) {
    for topic in Catalog.partitionedTopics {
      try await backends.log.createTopic(topic, partitions: policy.partitions)
    }
    for topic in Catalog.singleTopics { try await backends.log.createTopic(topic, partitions: 1) }
  }

  /// The API.
  var intake: Intake {
    let ports = ports(of: "intake")
    return Intake(
      store: ports.store, objects: ports.objects, log: ports.log,
      environment: environment("intake"), policy: policy)
  }

  /// The moderators.
  var desk: ReviewDesk {
    ReviewDesk(store: ports(of: "review-desk").store, environment: environment("review-desk"))
  }

  /// The relay.
  var relay: OutboxRelay {
    let component = ServiceName.outboxRelay.rawValue
    let ports = ports(of: component)
    return OutboxRelay(
      store: ports.store, log: ports.log, environment: environment(component), policy: policy)
  }

  /// A fresh instance of a service: what a process start makes.
  func service(_ name: ServiceName, instance: Int = 1) -> any Service {
    let component = Self.component(name, instance)
    let ports = ports(of: component)
    let environment = environment(component)
    switch name {
    case .outboxRelay: return relay
    case .streamConsumer:
      return StreamConsumer(
        name: component, log: ports.log, features: ports.features, environment: environment,
        policy: policy,
        onApplied: { applied in
          watch.see(.applied(applied))
          collector.note(applied)
        })
    case .anchorScheduler:
      return AnchorScheduler(
        log: ports.log, features: ports.features, environment: environment, policy: policy)
    case .riskScorer:
      return RiskScorer(
        log: ports.log, features: ports.features, store: ports.store, environment: environment,
        policy: policy,
        onScored: { score in
          watch.see(.scored(score))
          collector.note(score)
        })
    }
  }

  /// The name of an instance: `stream-consumer`, `stream-consumer-2`, …
  static func component(_ name: ServiceName, _ instance: Int) -> String {
    instance == 1 ? name.rawValue : "\(name.rawValue)-\(instance)"
  }

  /// A job.
  func job(_ name: JobName) -> any Job {
    let ports = ports(of: name.rawValue)
    let environment = environment(name.rawValue)
    switch name {
    case .eventAggregation:
      return EventAggregation(
        log: ports.log, lake: ports.lake, checkpoints: ports.checkpoints, environment: environment,
        policy: policy)
    case .trainingSet:
      return TrainingSetBuild(
        store: ports.store, lake: ports.lake, checkpoints: ports.checkpoints,
        environment: environment, policy: policy)
    case .featureLog:
      return FeatureLogIngest(
        log: ports.log, lake: ports.lake, environment: environment, policy: policy)
    case .erasure:
      return Erasure(
        store: ports.store, lake: ports.lake, environment: environment, policy: policy)
    case .compaction:
      return LakeCompaction(lake: ports.lake, environment: environment)
    case .expire:
      return LakeExpiry(
        store: ports.store, objects: ports.objects, lake: ports.lake, environment: environment,
        policy: policy)
    }
  }
}
