import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization

/// Every port operation of a scenario's jobs, going wrong in every way, one run each: what comes
/// out must be what comes out without a fault.
///
/// A job that crashed is started again, as an operator would. The lake's own files and pointers are
/// operations, too, and at the end of each run every snapshot of every table is read.
public struct FaultSweep: Sendable {
  /// How an operation goes wrong.
  public enum Kind: String, CaseIterable, Sendable {
    /// It isn't carried out; trying again may help.
    case error
    /// It is carried out, but the reply is lost.
    case lostReply = "lost-reply"
    /// It is carried out, and then the job is gone.
    case crash

    fileprivate func verdict(_ operation: PortOperation) -> Verdict {
      let error = PortError(
        self == .crash ? .cancelled : .unavailable, port: "FaultSweep", operation: operation.name,
        hint: "injected: \(rawValue)")
      return self == .error ? .failBefore(error) : .failAfter(error)
    }
  }

  /// An operation of a job, by its place among those of all jobs in a run without a fault.
  public struct Operation: Hashable, Sendable, CustomStringConvertible {
    /// How many job operations came before it.
    public var index: Int
    /// The job.
    public var job: String
    /// `Port.method`.
    public var name: String
    /// Whether it only reads. Then a lost reply is the same as an error, and a crash the same as
    /// one after the last operation that wrote.
    public var isRead: Bool {
      FaultSweep.reads.contains { name.hasSuffix(".\($0)") }
    }

    /// `erasure ObjectStore.put (operation 71)`.
    public var description: String { "\(job) \(name) (operation \(index))" }
  }

  private static let reads = [
    "counts", "ends", "exists", "fetch", "get", "list", "load", "location", "outbox", "pending",
    "progress", "read", "scan", "snapshot", "snapshots", "subjects", "tables",
  ]

  private let scenario: Scenario
  private let options: RunOptions
  private let expected: RunOutcome
  /// The operations of the scenario's jobs.
  public let operations: [Operation]

  /// Runs the scenario without a fault: its outcome is what the others must have.
  public init(
    _ scenario: Scenario, options: RunOptions = RunOptions()
  ) throws(RunFailure) {
    let seen = Mutex<[Operation]>([])
    let run = try Self.play(scenario, options) { index, operation in
      seen.withLock {
        $0.append(Operation(index: index, job: operation.component, name: operation.name))
      }
      return .pass
    }
    self.scenario = scenario
    self.options = options
    expected = RunOutcome(run)
    operations = seen.withLock { $0 }
  }

  /// What is wrong after a fault, or nil: no end, a job that didn't get through in two attempts,
  /// another outcome, a snapshot that can't be read, a violated checker.
  public func fault(_ kind: Kind, at operation: Operation) throws(RunFailure) -> String? {
    let hit = Mutex(false)
    let run: RunResult
    do {
      run = try Self.play(scenario, options) { index, found in
        guard index == operation.index else { return .pass }
        hit.withLock { $0 = true }
        return kind.verdict(found)
      }
    } catch {
      guard error.isOfRun else { throw error }
      return error.description
    }
    guard hit.withLock({ $0 }) else { return "the operation never came" }
    let last = Dictionary(run.jobs.map { ($0.job, $0) }, uniquingKeysWith: { $1 })
    if let failure = last.values.compactMap(\.failure).min() { return failure }
    if let difference = expected.firstDifference(RunOutcome(run)) { return difference }
    let succeeded = JobsSucceeded().name
    let violated = Judgement(run).checkers.first { !$0.holds && $0.what != succeeded }
    return violated.map { "\($0.what): \($0.faults.first ?? "")" }
  }

  private static func play(
    _ scenario: Scenario, _ options: RunOptions,
    _ verdict: @escaping @Sendable (Int, PortOperation) -> Verdict
  ) throws(RunFailure) -> RunResult {
    let jobs = Set(JobName.allCases.map(\.rawValue))
    let count = Mutex(0)
    var options = options
    options.isTraced = false
    options.restartsJobs = true
    options.readsHistory = true
    options.plan = { operation in
      guard jobs.contains(operation.component) else { return .pass }
      let index = count.withLock { count in
        defer { count += 1 }
        return count
      }
      return verdict(index, operation)
    }
    return try ScenarioRun(scenario, options: options).run()
  }
}
