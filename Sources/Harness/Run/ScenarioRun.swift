import Moderation
import Pipeline
import Ports
import Simulation

/// Why a run can't be judged: it stopped, a backend failed, or the scenario can't be played.
public enum RunFailure: Error, Sendable, CustomStringConvertible {
  /// The executor stopped: deadlock or budget; exit code 3.
  case noProgress(String)
  /// Work left the simulation; exit code 3.
  case escaped([String])
  /// A backend failed; exit code 4.
  case backend(PortError)

  /// What happened.
  public var description: String {
    switch self {
    case .noProgress(let text): "no progress: \(text)"
    case .escaped(let what): "work left the simulation: \(what.joined(separator: "; "))"
    case .backend(let error): "a backend is unavailable: \(error)"
    }
  }
}

/// One run of a scenario in a simulation.
public struct ScenarioRun: Sendable {
  private let scenario: Scenario
  private let options: RunOptions
  private let feed: ReplayFeed?

  /// A run.
  public init(_ scenario: Scenario, options: RunOptions = RunOptions()) {
    self.init(scenario, options: options, feed: nil)
  }

  init(_ scenario: Scenario, options: RunOptions, feed: ReplayFeed?) {
    var scenario = scenario
    if let seed = options.seed { scenario.seed = seed }
    self.scenario = scenario
    self.options = options
    self.feed = feed
  }

  /// Runs to the end of the scenario, lets everything settle, and gathers what came of it.
  public func run() throws(RunFailure) -> RunResult {
    let clock = VirtualClock(
      start: ProcessingTime(microseconds: scenario.start.microseconds))
    let executor = SimulationExecutor(clock: clock, scheduling: options.scheduling)
    let recorder = TraceRecorder(sink: options.traceSink)
    recorder.guardThread { executor.noteIfForeign("wrote to the trace") }
    let streams = RandomStreams(seed: scenario.seed)
    let platform = Platform(
      backends: options.backends(clock),
      environment: Environment(
        component: "harness", time: clock, ids: SeededIDs(streams: streams),
        trace: options.isTraced ? recorder : NoTrace()),
      policy: scenario.policy, plan: plan(), injection: options.injection,
      yields: options.scheduling != .fifo, collector: RunCollector())
    let stop = executor.run(budget: options.stepBudget) {
      await play(platform, streams)
    }
    recorder.flush()
    switch stop {
    case .finished(let outcome):
      var result = try outcome.get()
      result.fingerprint = options.isTraced ? recorder.fingerprint : "none"
      result.traceLines = recorder.lineCount
      return result
    case .deadlocked(let waiting):
      throw .noProgress("deadlock; waiting: \(waiting.joined(separator: ", "))")
    case .budgetExceeded(let steps, let waiting):
      throw .noProgress(
        "\(steps) steps were not enough; waiting: \(waiting.joined(separator: ", "))")
    case .escaped(let what):
      throw .escaped(what)
    }
  }

  /// The scenario's pauses as verdicts on port operations, before the caller's own.
  private func plan() -> PortGate.Plan {
    let pauses = scenario.faults.filter { $0.kind == .pause }
    let (start, own) = (scenario.start, options.plan)
    return PortGate.Plan { operation in
      for pause in pauses where operation.component.hasPrefix(pause.service.rawValue) {
        let from = (start + pause.at).microseconds
        let until = from + pause.duration.microseconds
        if (from..<until).contains(operation.time.microseconds) {
          return .delay(.microseconds(until - operation.time.microseconds))
        }
      }
      return own?(operation) ?? .pass
    }
  }

  private func play(
    _ platform: Platform, _ streams: RandomStreams
  ) async -> Result<RunResult, RunFailure> {
    do throws(PortError) {
      try await platform.createTopics()
      var source = TrafficSource(scenario, platform, streams, options.progress, feed)
      await source.prepare()
      var failure: RunFailure?
      await withTaskGroup(of: Void.self) { group in
        startServices(platform, &group)
        group.addTask(name: "jobs") { await runScheduledJobs(platform) }
        await source.play()
        if source.failure == nil { failure = await settle(platform) }
        if failure == nil, source.failure == nil { await runFinalJobs(platform) }
        group.cancelAll()
      }
      if let failure { return .failure(failure) }
      return .success(try await RunResult(scenario, platform, source, options))
    } catch {
      return .failure(.backend(error))
    }
  }

  private func startServices(_ platform: Platform, _ group: inout TaskGroup<Void>) {
    for name in ServiceName.allCases {
      let isRelayed = scenario.policy.publication == .outbox && feed == nil
      if name == .outboxRelay && !isRelayed { continue }
      let instances = name == .streamConsumer ? scenario.consumers : 1
      for instance in 1...instances {
        let crashes = scenario.faults.filter { $0.kind == .crash && $0.service == name }
        group.addTask(name: Platform.component(name, instance)) {
          await supervise(name, instance, crashes, platform)
        }
      }
    }
  }

  /// Runs a service, ending it at each crash and starting a fresh one when the crash is over.
  private func supervise(
    _ name: ServiceName, _ instance: Int, _ crashes: [ScheduledFault], _ platform: Platform
  ) async {
    let environment = platform.environment("supervisor")
    let component = Platform.component(name, instance)
    for crash in crashes {
      let at = ProcessingTime(microseconds: (scenario.start + crash.at).microseconds)
      await withTaskGroup(of: Void.self) { group in
        group.addTask(name: component) { await platform.service(name, instance: instance).run() }
        await environment.time.sleep(until: at)
        group.cancelAll()
      }
      if Task.isCancelled { return }
      environment.record("crashed", [.text("service", component)])
      platform.collector.noteCrash()
      await environment.time.sleep(until: at + crash.duration)
      environment.record("restarted", [.text("service", component)])
    }
    await platform.service(name, instance: instance).run()
  }

  /// The scheduled jobs by instant, then as written; those that run side by side in one group.
  private var jobGroups: [(at: Duration, names: [JobName])] {
    var groups: [(at: Duration, names: [JobName])] = []
    let scheduled = scenario.jobs.enumerated().compactMap { index, job in
      job.at.map { (at: $0, index: index, job: job) }
    }.sorted { ($0.at, $0.index) < ($1.at, $1.index) }
    for entry in scheduled {
      if entry.job.isBeside, groups.last?.at == entry.at {
        groups[groups.count - 1].names.append(entry.job.job)
      } else {
        groups.append((entry.at, [entry.job.job]))
      }
    }
    return groups
  }

  /// Jobs side by side take turns at every port operation, so that their commits collide.
  private func runScheduledJobs(_ platform: Platform) async {
    for (offset, names) in jobGroups {
      let at = ProcessingTime(microseconds: (scenario.start + offset).microseconds)
      await platform.environment.time.sleep(until: at)
      if Task.isCancelled { return }
      guard names.count > 1 else {
        await run(names[0], platform)
        continue
      }
      let takingTurns = platform.takingTurns
      await withTaskGroup { group in
        for name in names {
          group.addTask(name: name.rawValue) { await run(name, takingTurns) }
        }
      }
    }
  }

  private func runFinalJobs(_ platform: Platform) async {
    for job in scenario.jobs where job.at == nil { await run(job.job, platform) }
  }

  private func run(_ name: JobName, _ platform: Platform) async {
    let isDone = await attempt(name, platform)
    if !isDone && options.restartsJobs { _ = await attempt(name, platform) }
  }

  /// Runs a job; whether it came to its end.
  private func attempt(_ name: JobName, _ platform: Platform) async -> Bool {
    var run = JobRun(job: name, at: platform.environment.now, counts: [:])
    do throws(PortError) {
      run.counts = try await platform.job(name).run()
    } catch {
      run.failure = error.description
      platform.environment.record(
        "job-failed", [.text("job", name.rawValue), .text("error", error.description)])
    }
    platform.collector.note(run)
    return run.failure == nil
  }

  /// Waits until everything that happened by the scenario's end has been published, applied and
  /// scored; a run that can't get there within six hours has stopped making progress.
  private func settle(_ platform: Platform) async -> RunFailure? {
    let deadline = scenario.end + .seconds(6 * 3600)
    var unsettled = "nothing"
    while platform.environment.now.asEventTime < deadline {
      do throws(PortError) {
        // A replay has no relay of its own, and what the services write goes through the outbox.
        if feed != nil, scenario.policy.publication == .outbox {
          try await platform.relay.drain()
        }
        guard let open = try await Settlement.open(scenario, platform.backends) else { return nil }
        unsettled = open
      } catch {
        return .backend(error)
      }
      await platform.environment.time.sleep(for: .seconds(1))
    }
    return .noProgress("six hours after the end, \(unsettled)")
  }
}

/// Whether everything that happened by a scenario's end has gone all the way.
enum Settlement {
  /// What hasn't settled yet; nil when all has.
  static func open(
    _ scenario: Scenario, _ backends: Backends
  ) async throws(PortError) -> String? {
    if scenario.policy.publication == .none { return nil }
    if try await !backends.store.outbox(limit: 1).isEmpty { return "the outbox isn't empty" }
    let progress = try await backends.features.progress()
    for topic in Catalog.sourceTopics {
      for (index, end) in try await backends.log.ends(of: topic).enumerated() {
        let partition = TopicPartition(topic, index)
        guard let state = progress[partition], state.nextOffset >= end else {
          return "\(partition) isn't applied"
        }
        let isResolved = state.watermark.map { $0 >= scenario.end } ?? false
        guard scenario.policy.scoring == .immediate || isResolved
        else { return "\(partition)'s watermark hasn't reached the end" }
      }
    }
    if try await !backends.features.pending(asOf: scenario.end, limit: 1).isEmpty {
      return "requests aren't published"
    }
    let scorer = try await backends.log.join(
      RiskScorer.group, member: "observer", topics: [Topic.moderationRequests])
    let committed = try await scorer.committed()
    for (index, end) in try await backends.log.ends(of: Topic.moderationRequests).enumerated() {
      let partition = TopicPartition(Topic.moderationRequests, index)
      if committed[partition] ?? 0 < end { return "requests aren't scored" }
    }
    return nil
  }
}
