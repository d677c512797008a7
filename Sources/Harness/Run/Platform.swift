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
  let faults: FaultPlan
  let plan: PortGate.Plan
  let injection: RunOptions.Injection?
  private(set) var yields: Bool
  let collector: RunCollector
  let crashes = CrashSignals()
  /// Sees what the backends do, beneath every gate.
  let watch: RunWatch

  /// A platform.
  ///
  /// - Parameter verdict: decides what the faults let pass.
  init(
    backends: Backends, environment: Environment, policy: PipelinePolicy, faults: FaultPlan,
    verdict: (@Sendable (PortOperation) -> Verdict)?, injection: RunOptions.Injection?,
    yields: Bool, collector: RunCollector
  ) {
    watch = RunWatch(allCheckers, environment: environment)
    self.backends = backends.watched(by: watch, collector)
    self.environment = environment
    self.policy = policy
    self.faults = faults
    plan =
      faults.faults.isEmpty
      ? PortGate.Plan(verdict)
      : PortGate.Plan { operation in
        let first = faults.verdict(of: operation)
        if case .pass = first { return verdict?(operation) ?? .pass }
        return first
      }
    self.injection = injection
    self.yields = yields
    self.collector = collector
  }

  /// The right clock.
  var time: any TimeSource { environment.time }

  /// A component's environment, with a clock of its own where a fault makes that wrong.
  func environment(_ component: String) -> Environment {
    guard faults.skews(component) else { return environment.named(component) }
    let (time, faults) = (environment.time, faults)
    return Environment(
      component: component, time: SkewedTime(time) { faults.skew(of: component, at: $0) },
      ids: environment.ids, trace: environment.trace)
  }

  /// The lake, whose own files and pointers are reached through the gate, too.
  private func lake(behind gate: PortGate) -> any Lake {
    guard let tables = backends.lake as? IcebergLake else { return backends.lake }
    return tables.through(
      objects: { GatedObjectStore($0, gate: gate) },
      catalog: { GatedTableCatalog($0, gate: gate) })
  }

  /// The same, with a pause for others at every port operation.
  var takingTurns: Platform {
    var platform = self
    platform.yields = true
    return platform
  }

  private func gate(_ component: String) -> PortGate {
    PortGate(plan: plan, environment: environment(component), yields: yields) { [crashes] in
      crashes.signal(of: $0).notify()
    }
  }

  /// The ports as a component sees them, asked for at each of its starts: what an injection puts in
  /// lies between gate and backend, and keeps nothing of an earlier start by itself.
  func ports(of component: String) -> Backends {
    let gate = gate(component)
    var ports = backends
    ports.lake = lake(behind: gate)
    if let injection { ports = injection(environment(component), ports) }
    return Backends(
      name: ports.name, store: GatedApplicationStore(ports.store, gate: gate),
      log: GatedEventLog(ports.log, gate: gate),
      features: GatedFeatureStore(ports.features, gate: gate),
      objects: GatedObjectStore(ports.objects, gate: gate),
      checkpoints: GatedCheckpointStore(ports.checkpoints, gate: gate),
      lake: GatedLake(WatchedLake(base: ports.lake, watch: watch), gate: gate))
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
        policy: policy)
    case .anchorScheduler:
      return AnchorScheduler(
        log: ports.log, features: ports.features, environment: environment, policy: policy)
    case .riskScorer:
      return RiskScorer(
        log: ports.log, features: ports.features, store: ports.store,
        registry: ModelRegistry(ports.objects), environment: environment, policy: policy,
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
  func job(_ scheduled: ScheduledJob) -> any Job {
    let name = scheduled.job
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
        environment: environment, policy: policy, onBuilt: { collector.note($0, of: name) })
    case .featureLog:
      return FeatureLogIngest(
        log: ports.log, lake: ports.lake, environment: environment, policy: policy)
    case .erasure:
      return Erasure(
        store: ports.store, lake: ports.lake, environment: environment, policy: policy,
        onErased: { collector.note($0, of: name) })
    case .training:
      return ModelTraining(
        lake: ports.lake, registry: ModelRegistry(ports.objects), environment: environment,
        policy: policy, options: scheduled.training)
    case .promote:
      return ModelPromotion(
        registry: ModelRegistry(ports.objects), environment: environment,
        order: scheduled.promotion)
    case .compaction:
      return LakeCompaction(lake: ports.lake, environment: environment)
    case .expire:
      return LakeExpiry(
        store: ports.store, objects: ports.objects, lake: ports.lake, environment: environment,
        policy: policy)
    }
  }
}
