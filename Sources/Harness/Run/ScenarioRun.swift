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
  /// A backend failed; exit code 4, or 2 when the same call would fail again.
  case backend(PortError)

  /// What happened.
  public var description: String {
    switch self {
    case .noProgress(let text): "no progress: \(text)"
    case .escaped(let what): "work left the simulation: \(what.joined(separator: "; "))"
    case .backend(let error) where error.isRetryable: "a backend is unavailable: \(error)"
    case .backend(let error): "a backend refused: \(error)"
    }
  }

  /// Whether the pipeline is at fault, not a backend under it: then it is a finding about the run.
  var isOfRun: Bool {
    switch self {
    case .noProgress, .escaped: true
    case .backend: false
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
    var options = options
    if let schedule = scenario.schedule, options.scheduling == .fifo {
      options.scheduling = .seeded(schedule)
    }
    self.options = options
    self.feed = feed
  }

  /// Runs to the end of the scenario, lets everything settle, and gathers what came of it.
  public func run() throws(RunFailure) -> RunResult {
    var result = try played()
    if scenario.expectations.contains(where: { $0.kind == .undisturbed }) {
      if let known = options.undisturbed {
        result.undisturbed = known
      } else {
        result.undisturbed = try undisturbed()
      }
    }
    return result
  }

  /// What comes of the scenario without what disturbs it.
  public func undisturbed() throws(RunFailure) -> RunOutcome {
    var quiet = options
    (quiet.plan, quiet.trace, quiet.isTraced, quiet.scheduling) = (nil, nil, false, .fifo)
    return RunOutcome(try ScenarioRun(scenario.undisturbed, options: quiet, feed: feed).played())
  }

  private func played() throws(RunFailure) -> RunResult {
    let clock = VirtualClock(
      start: ProcessingTime(microseconds: scenario.start.microseconds))
    let executor = SimulationExecutor(clock: clock, scheduling: options.scheduling)
    let recorder = TraceRecorder(sink: options.traceSink)
    recorder.guardThread { executor.noteIfForeign("wrote to the trace") }
    let trace = TraceAside(recorder)
    let streams = RandomStreams(seed: scenario.seed)
    let backends: Backends
    do throws(PortError) {
      backends = try options.backends(clock)
    } catch {
      throw .backend(error)
    }
    let platform = Platform(
      backends: backends,
      environment: Environment(
        component: "harness", time: clock, ids: SeededIDs(streams: streams),
        trace: options.trace ?? (options.isTraced ? trace : NoTrace())),
      policy: scenario.policy, faults: plan(streams, backends.log, clock),
      verdict: options.plan, injection: options.injection,
      yields: options.scheduling != .fifo, collector: RunCollector())
    let stop = executor.run(budget: options.stepBudget) {
      await play(platform, streams)
    }
    trace.finish()
    options.outlived?(platform)
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

  private func plan(
    _ streams: RandomStreams, _ log: any EventLog, _ clock: VirtualClock
  ) -> FaultPlan {
    FaultPlan(
      scenario.faults, start: ProcessingTime(microseconds: scenario.start.microseconds),
      end: ProcessingTime(microseconds: scenario.end.microseconds), streams: streams,
      services: Set(ServiceName.allCases.map(\.rawValue)), api: Set(Component.api)
    ) { fault in
      _ = await TimedFaults.join(log, fault, clock, until: clock.now)
    }
  }

  private func play(
    _ platform: Platform, _ streams: RandomStreams
  ) async -> Result<RunResult, RunFailure> {
    do throws(PortError) {
      try await platform.createTopics()
      var source = TrafficSource(scenario, platform, streams, options, feed)
      await source.prepare()
      var failure: RunFailure?
      var past: Past?
      let jobs = JobRunner(scenario: scenario, options: options, platform: platform)
      await withTaskGroup(of: Void.self) { group in
        Supervisor(scenario: scenario, platform: platform).start(
          isRelayed: scenario.policy.publication == .outbox && feed == nil, in: &group)
        group.addTask(name: "jobs") { await jobs.runScheduled() }
        TimedFaults(platform: platform).start(in: &group)
        await source.play()
        if source.failure == nil { failure = await settle(platform) }
        if failure == nil, source.failure == nil {
          // Should the log not answer, the result asks it again, and says so then.
          past = try? await Past(platform)
          await jobs.runFinal()
        }
        group.cancelAll()
      }
      if let failure { return .failure(failure) }
      return .success(try await RunResult(scenario, platform, source, options, past))
    } catch {
      return .failure(.backend(error))
    }
  }

  /// Waits until everything that happened by the scenario's end has been published, applied and
  /// scored; a run that can't get there within the limit has stopped making progress.
  private func settle(_ platform: Platform) async -> RunFailure? {
    let deadline = scenario.end + options.settlingLimit
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
    return .noProgress("\(options.settlingLimit.short) after the end, \(unsettled)")
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
