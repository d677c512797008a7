import Harness
import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization

/// Scenarios under seeded faults: crashes and pauses of services, calls that fail or whose reply is
/// lost, a second consumer that is slow, a job that fails at one of its operations and is started
/// again. What comes out must be what the sound pipeline gives without them.
struct FaultStage: Sendable {
  private struct Ground: Sendable {
    var scenario: Scenario
    /// What the sound pipeline makes of it; nil where that depends on when the relay ran, since
    /// events may come late.
    var expected: RunOutcome?
    /// How many port operations its jobs need.
    var jobOperations: Int
  }

  private let grounds: [Ground]

  init(_ scenarios: [Scenario]) throws {
    grounds = try scenarios.map { scenario in
      let count = Mutex(0)
      var options = Canary.none.options()
      options.plan = { operation in
        if FaultDraw.isJob(operation.component) { count.withLock { $0 += 1 } }
        return .pass
      }
      let run = try ScenarioRun(scenario, options: options).run()
      return Ground(
        scenario: scenario, expected: run.late.isEmpty ? RunOutcome(run) : nil,
        jobOperations: count.withLock { $0 })
    }
  }

  /// Tries one seed after the other.
  func look(for canary: Canary, seeds: Int) -> Catch? {
    for seed in 0..<seeds {
      if var found = look(for: canary, seed: UInt64(seed)) {
        found.seeds = seed + 1
        return found
      }
    }
    return nil
  }

  private func look(for canary: Canary, seed: UInt64) -> Catch? {
    var random = RandomStreams(seed: seed).stream("faults")
    let ground = grounds[random.below(grounds.count)]
    let draw = FaultDraw(ground.scenario, jobOperations: ground.jobOperations, &random)
    let place = "\(ground.scenario.name) under \(draw)"
    var options = canary.options()
    options.restartsJobs = true
    options.plan = draw.plan(seed: seed)
    var scenario = canary.scenario(ground.scenario)
    draw.change(&scenario)
    let run: RunResult
    do {
      run = try ScenarioRun(scenario, options: options).run()
    } catch {
      return Catch(by: "run", place: place, finding: "\(error)")
    }
    // A job that failed was started again; whether that got through is what counts.
    let last = Dictionary(run.jobs.map { ($0.job, $0) }, uniquingKeysWith: { $1 })
    if let failure = last.values.compactMap(\.failure).min() {
      return Catch(by: "job", place: place, finding: failure)
    }
    return Catch(run, expected: ground.expected, place: place)
  }
}

/// The faults of one run.
struct FaultDraw: Sendable, CustomStringConvertible {
  private enum Fault: Sendable {
    case service(ScheduledFault)
    /// Calls of a component fail, or their replies are lost: one of four at most, so that trying
    /// again helps.
    case errors(component: String, call: String, from: EventTime)
    /// A second consumer waits so long before each call.
    case slowConsumer(Duration)
    /// A job's operation, by its place among those of all jobs.
    case job(operation: Int, isRetryable: Bool, isDone: Bool)
  }

  private let faults: [Fault]

  /// Draws one to three of them.
  init(_ scenario: Scenario, jobOperations: Int, _ random: inout SeededRandom) {
    faults = (0...random.below(3)).map { _ in
      let at = Duration.seconds(random.below(Int(scenario.duration.components.seconds)))
      let duration = Duration.seconds(1 + random.below(600))
      let service = ServiceName.allCases[random.below(ServiceName.allCases.count)]
      switch random.below(7) {
      case 0:
        return .service(ScheduledFault(at: at, duration: duration, kind: .crash, service: service))
      case 1:
        return .service(ScheduledFault(at: at, duration: duration, kind: .pause, service: service))
      case 2, 3:
        let from = scenario.start + at
        return .errors(component: service.rawValue, call: "", from: from)
      case 4:
        // Only an API that publishes by itself calls this.
        let from = scenario.start + at
        return .errors(component: "intake", call: "EventLog.append", from: from)
      case 5:
        return .slowConsumer(.seconds(1 + random.below(20)))
      default:
        let (isRetryable, isDone) = (random.chance(0.5), random.chance(0.5))
        return .job(
          operation: random.below(max(1, jobOperations)), isRetryable: isRetryable, isDone: isDone)
      }
    }
  }

  /// Whether a component is a job.
  static func isJob(_ component: String) -> Bool { JobName(rawValue: component) != nil }

  /// Schedules what a scenario can schedule.
  func change(_ scenario: inout Scenario) {
    for fault in faults {
      switch fault {
      case .service(let fault): scenario.faults.append(fault)
      case .slowConsumer: scenario.consumers = 2
      case .errors, .job: break
      }
    }
    scenario.faults.sort { $0.at < $1.at }
  }

  /// The verdicts on port operations; the same for the same seed.
  func plan(seed: UInt64) -> @Sendable (PortOperation) -> Verdict {
    let calls = Mutex(Calls())
    return { operation in
      var dice = SplitMix64(seed: seed &+ UInt64(operation.index) &* 0x9e37_79b9_7f4a_7c15)
      return calls.withLock { calls in
        calls.note(operation)
        for fault in faults {
          let verdict = Self.verdict(of: fault, on: operation, &calls, dice.next())
          if case .pass = verdict { continue }
          return verdict
        }
        return .pass
      }
    }
  }

  /// What a plan knows of the calls so far.
  private struct Calls {
    /// The number of jobs' calls.
    var ofJobs = 0
    /// By component, the calls since one that failed, that one included.
    var sinceFailure: [String: Int] = [:]

    mutating func note(_ operation: PortOperation) {
      if FaultDraw.isJob(operation.component) { ofJobs += 1 }
      sinceFailure[operation.component, default: 3] += 1
    }
  }

  private static func verdict(
    of fault: Fault, on operation: PortOperation, _ calls: inout Calls, _ dice: UInt64
  ) -> Verdict {
    func error(_ code: PortError.Code) -> PortError {
      PortError(code, port: "FaultDraw", operation: operation.name, hint: "injected")
    }
    switch fault {
    case .service: return .pass
    case .errors(let component, let call, let from):
      guard operation.component == component, operation.name.hasPrefix(call),
        operation.time.asEventTime >= from,
        calls.sinceFailure[component, default: 0] >= 4, dice % 2 == 0
      else { return .pass }
      calls.sinceFailure[component] = 0
      return dice % 4 == 0 ? .failBefore(error(.unavailable)) : .failAfter(error(.unavailable))
    case .slowConsumer(let duration):
      return operation.component == "stream-consumer-2" ? .delay(duration) : .pass
    case .job(let index, let isRetryable, let isDone):
      guard isJob(operation.component), calls.ofJobs == index + 1 else { return .pass }
      let error = error(isRetryable ? .unavailable : .cancelled)
      return isDone ? .failAfter(error) : .failBefore(error)
    }
  }

  var description: String {
    faults.map { fault in
      switch fault {
      case .service(let fault): "\(fault.kind.rawValue) \(fault.service.rawValue)"
      case .errors(let component, _, _): "errors of \(component)"
      case .slowConsumer: "a slow second consumer"
      case .job(let operation, let isRetryable, _):
        "\(isRetryable ? "error" : "crash") at job operation \(operation)"
      }
    }.joined(separator: ", ")
  }
}
