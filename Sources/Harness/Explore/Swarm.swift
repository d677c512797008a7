import Moderation
import Pipeline
import Ports
import Simulation

/// What one seed of the explorer makes of a scenario: other traffic, other settings, and a random
/// subset of the kinds of faults, so that each seed is strong where others are weak.
///
/// Eight seeds in a row share their traffic and differ in what disturbs it. Faults begin after a
/// tenth of the time and are over after three quarters.
struct Swarm: Sendable {
  /// How many seeds in a row share their traffic.
  static let sharing: UInt64 = 8

  let base: Scenario

  /// What seed `seed` plays.
  func scenario(_ seed: UInt64) -> Scenario {
    var scenario = shaped(seed / Self.sharing)
    var random = RandomStreams(seed: seed).stream("swarm")
    scenario.consumers = 1 + random.below(3)
    scenario.policy.batchLimit = [1, 5, 40, 500][random.below(4)]
    scenario.schedule = random.chance(0.5) ? random.next() >> 33 : nil
    scenario.faults = faults(of: scenario, &random)
    scenario.about = "\(base.name), disturbed by seed \(seed)."
    let isComparable =
      scenario.policy.scoring == .watermark && scenario.policy.publication == .outbox
      && !scenario.hasLateTraffic && !scenario.faults.contains(where: \.reachesClients)
    scenario.expectations = isComparable ? [.undisturbed] : []
    return scenario
  }

  /// The scenario with other traffic.
  private func shaped(_ number: UInt64) -> Scenario {
    var scenario = base
    scenario.seed = base.seed &+ number
    scenario.golden = GoldenPolicy()
    var random = RandomStreams(seed: scenario.seed).stream("shape")
    let scale = [0.25, 0.5, 1, 1, 2][random.below(5)]
    let isLate = random.chance(0.2)
    scenario.policy.partitions = 1 + random.below(4)
    for index in scenario.traffic.indices {
      guard case .poisson(var poisson) = scenario.traffic[index] else { continue }
      poisson.perSecond *= scale
      poisson.mix.delete += random.chance(0.3) ? 0.3 : 0
      poisson.mix.flag *= [0, 1, 4][random.below(3)]
      if isLate { (poisson.lateShare, poisson.lateBy) = (0.1, .seconds(300)) }
      scenario.traffic[index] = .poisson(poisson)
    }
    if random.chance(0.3) {
      scenario.traffic.append(.duplicates(.init(at: at(&random), last: 1 + random.below(30))))
    }
    if random.chance(0.3) {
      let kind = EventKind.allCases[random.below(EventKind.allCases.count)]
      scenario.traffic.append(.poison(.init(at: at(&random), topic: kind, value: Array("{".utf8))))
    }
    var jobs: [JobName] = [.eventAggregation, .eventAggregation, .featureLog, .trainingSet]
    jobs += [.erasure, .compaction]
    for _ in 0..<random.below(4) {
      let beside = random.chance(0.3)
      let job = ScheduledJob(at: at(&random), job: jobs[random.below(jobs.count)])
      scenario.jobs.insert(job, at: 0)
      if beside {
        scenario.jobs.insert(.init(at: job.at, job: .eventAggregation, isBeside: true), at: 1)
      }
    }
    // What a job makes in the middle depends on what is there by then; only its last run, when all
    // has settled, must come to the same.
    for job in [JobName.eventAggregation, .featureLog, .erasure, .trainingSet]
    where scenario.jobs.contains(where: { $0.job == job })
      && !scenario.jobs.contains(where: { $0.job == job && $0.at == nil })
    {
      scenario.jobs.append(ScheduledJob(at: nil, job: job))
    }
    return scenario
  }

  /// An instant in the middle of the scenario, in whole seconds.
  private func at(_ random: inout SeededRandom) -> Duration {
    let seconds = base.duration.microseconds / 1_000_000
    return .seconds(seconds / 10 + Int64(random.below(max(1, Int(seconds * 13 / 20)))))
  }

  /// The seconds around bursts, operators' actions and jobs.
  private func busyTimes(_ scenario: Scenario) -> [Range<Int64>] {
    let heal = base.duration.microseconds * 3 / 4_000_000
    var times: [(Duration, Duration)] = scenario.traffic.compactMap { entry in
      if case .burst(let burst) = entry { (burst.at, burst.over) } else { nil }
    }
    times += scenario.actions.map { ($0.at, .seconds(5)) }
    times += scenario.jobs.compactMap { job in job.at.map { ($0, .seconds(1)) } }
    return times.compactMap { at, over in
      let first = max(0, at.microseconds / 1_000_000 - 2)
      let last = min(heal - 1, (at + over).microseconds / 1_000_000)
      return first < last ? first..<last : nil
    }
  }

  private func faults(of scenario: Scenario, _ random: inout SeededRandom) -> [ScheduledFault] {
    let kinds = FaultChoice.all.filter { _ in random.chance(0.3) }
    guard !kinds.isEmpty else { return [] }
    let busy = busyTimes(scenario)
    return (0..<(1 + random.below(6))).map { _ in
      var at = at(&random)
      // Half of them strike when something happens: most of the time little does.
      if random.chance(0.5), !busy.isEmpty {
        let time = busy[random.below(busy.count)]
        at = .seconds(time.lowerBound + Int64(random.below(time.count)))
      }
      let heal = base.duration.microseconds * 3 / 4
      let left = max(1_000_000, heal - at.microseconds)
      let choice = kinds[random.below(kinds.count)]
      return choice.fault(at, left, scenario, &random)
    }.filter { !$0.breaksCommitGrace }
  }
}

extension Scenario {
  var hasLateTraffic: Bool {
    traffic.contains { entry in
      switch entry {
      case .poisson(let poisson): poisson.lateShare > 0
      case .engagement(let step): step.lateBy > .zero
      default: false
      }
    }
  }
}

extension Expectation {
  /// The outcome is that without faults.
  static let undisturbed = Expectation(
    kind: .undisturbed, text: "{ same_without: faults }", line: 0)
}

extension ScheduledFault {
  /// Whether it makes the API commit rows long after their `created_at`. A deployment's database
  /// must give up such a transaction (``PipelinePolicy/commitGrace``): no order of events mends it.
  fileprivate var breaksCommitGrace: Bool {
    guard component.map(Component.api.contains) ?? true else { return false }
    switch kind {
    case .pause: return true
    case .slow(let by): return by >= .seconds(1)
    case .skew(let by): return by < .zero
    default: return false
    }
  }

  /// Whether clients notice, so that the traffic itself may become another one.
  var reachesClients: Bool {
    guard let component else { return target != nil && !isHarmlessToClients }
    if Component.api.contains(component) { return true }
    if case .skew = kind { return component == ServiceName.outboxRelay.rawValue }
    return false
  }

  private var isHarmlessToClients: Bool {
    if case .evict = kind { return true }
    return !["ApplicationStore", "ObjectStore"].contains { (target ?? "").hasPrefix($0) }
  }
}

/// A kind of fault as the explorer draws it.
private struct FaultChoice: Sendable {
  /// Draws a fault that begins at an instant and may last so many microseconds.
  let fault: @Sendable (Duration, Int64, Scenario, inout SeededRandom) -> ScheduledFault

  /// What each component calls.
  static let calls: [(component: String, calls: [String])] = [
    (
      "outbox-relay",
      ["ApplicationStore.outbox", "ApplicationStore.markPublished", "EventLog.append"]
    ),
    (
      "stream-consumer",
      [
        "EventConsumer.poll", "EventConsumer.seek", "EventLog.join", "EventLog.read",
        "EventLog.append", "FeatureStore.apply", "FeatureStore.progress",
        "FeatureStore.acknowledge",
      ]
    ),
    ("anchor-scheduler", ["FeatureStore.pending", "FeatureStore.acknowledge", "EventLog.append"]),
    (
      "risk-scorer",
      [
        "EventConsumer.poll", "EventConsumer.commit", "FeatureStore.progress",
        "FeatureStore.counts", "ApplicationStore.subjects", "ApplicationStore.commit",
        "EventLog.ends",
      ]
    ),
    (
      "event-aggregation",
      [
        "Lake.commit", "Lake.scan", "ObjectStore.put", "TableCatalog.move", "CheckpointStore.save",
        "EventLog.read",
      ]
    ),
    ("training-set", ["ApplicationStore.snapshot", "Lake.commit", "ObjectStore", "TableCatalog"]),
    ("feature-log", ["EventLog.read", "Lake.commit", "TableCatalog.move", "ObjectStore.put"]),
    ("erasure", ["ApplicationStore.snapshot", "Lake.commit", "Lake.scan", "TableCatalog.move"]),
    ("intake", ["ApplicationStore.fetch", "ApplicationStore.commit", "ObjectStore.putIfAbsent"]),
  ]

  /// The components, services more often than jobs, the API seldom.
  private static func component(_ random: inout SeededRandom) -> (
    component: String, calls: [String]
  ) {
    let services = random.chance(0.7)
    if services { return calls[random.below(4)] }
    return calls[random.chance(0.85) ? 4 + random.below(4) : 8]
  }

  private static func consumer(_ random: inout SeededRandom) -> String {
    Component.consumers[random.below(2)].rawValue
  }

  /// Whole seconds, most of them short.
  private static func lasting(_ left: Int64, _ random: inout SeededRandom) -> Duration {
    let most = max(1, min(left / 1_000_000, [5, 60, 600][random.below(3)]))
    return .seconds(1 + Int64(random.below(Int(most))))
  }

  private static func ofCalls(_ kind: ScheduledFault.Kind) -> FaultChoice {
    FaultChoice { at, left, _, random in
      let (component, calls) = component(&random)
      var fault = ScheduledFault(
        kind, at: at, for: lasting(left, &random), of: component,
        target: calls[random.below(calls.count)])
      if random.chance(0.5) { fault.limit = 1 + random.below(3) }
      if random.chance(0.4) { fault.ratio = [0.1, 0.5][random.below(2)] }
      if fault.ratio < 1, random.chance(0.3) { fault.stability = .seconds(5) }
      if random.chance(0.3) { fault.skip = random.below(6) }
      return fault
    }
  }

  private static func atCall(_ kind: ScheduledFault.Kind) -> FaultChoice {
    FaultChoice { at, left, _, random in
      var place = component(&random)
      if kind == .rebalance { place = calls[random.chance(0.7) ? 1 : 3] }
      var fault = ScheduledFault(
        kind, at: at, for: kind == .crash ? lasting(left, &random) : nil, of: place.component,
        target: place.calls[random.below(place.calls.count)])
      if kind == .crash { fault.strikesBefore = random.chance(0.3) }
      if random.chance(0.5) { fault.skip = random.below(6) }
      return fault
    }
  }

  static let all: [FaultChoice] = [
    ofCalls(.error), ofCalls(.lostReply), ofCalls(.conflict), ofCalls(.duplicate),
    FaultChoice { at, left, scenario, random in
      let by = Duration.milliseconds([200, 3000, 20_000][random.below(3)])
      return ofCalls(.slow(by: by)).fault(at, left, scenario, &random)
    },
    atCall(.crash), atCall(.crash), atCall(.rebalance),
    FaultChoice { at, left, _, random in
      ScheduledFault(.crash, at: at, for: lasting(left, &random), of: component(&random).component)
    },
    FaultChoice { at, left, _, random in
      ScheduledFault(.pause, at: at, for: lasting(left, &random), of: component(&random).component)
    },
    FaultChoice { at, left, _, random in
      let (component, calls) = component(&random)
      let port = String(calls[random.below(calls.count)].prefix { $0 != "." })
      return ScheduledFault(
        .partition, at: at, for: lasting(left, &random), of: component, target: port)
    },
    FaultChoice { at, left, _, random in
      ScheduledFault(
        .rebalance, at: at, for: random.chance(0.3) ? nil : lasting(left, &random),
        of: consumer(&random))
    },
    FaultChoice { at, _, _, random in
      ScheduledFault(
        .redeliver(last: 1 + random.below(40)), at: at, of: consumer(&random))
    },
    FaultChoice { at, left, _, random in
      ScheduledFault(.reorder, at: at, for: lasting(left, &random), of: consumer(&random))
    },
    FaultChoice { at, _, _, random in
      let back = Int64(random.below(Int(at.microseconds / 1_000_000) + 1))
      return ScheduledFault(.evict(back: .seconds(back)), at: at, target: "FeatureStore")
    },
    FaultChoice { at, left, _, random in
      let (component, _) = component(&random)
      // A relay whose clock is ahead claims what isn't so; that is beyond the contract.
      let isBehind = random.chance(0.5) || component == ServiceName.outboxRelay.rawValue
      let by = Int64([1, 20, 300][random.below(3)]) * (isBehind ? -1 : 1)
      return ScheduledFault(
        .skew(by: .seconds(by)), at: at, for: lasting(left, &random), of: component)
    },
  ]
}
