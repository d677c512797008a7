import Moderation
import Ports
import Simulation

/// How a scenario is run, beside what it says itself.
public struct RunOptions: Sendable {
  /// Puts other ports in a component's way: gets its environment, which has its name, and the
  /// backends as it would reach them, at each of its starts.
  ///
  /// The lake is an `IcebergLake` whose files and pointers lie behind the component's gate already.
  public typealias Injection = @Sendable (_ component: Environment, _ ports: Backends) -> Backends

  /// Makes the backends of one run, which are empty, over its clock.
  public typealias Maker = @Sendable (_ time: any TimeSource) throws(PortError) -> Backends

  /// Which of the ready jobs runs next.
  public var scheduling = Scheduling.fifo
  /// Replaces the scenario's seed.
  public var seed: UInt64?
  /// The most steps of the executor before the run is given up.
  public var stepBudget = 200_000_000
  /// How long after the scenario's end, in virtual time, everything may take to settle before the
  /// run counts as one that makes no progress.
  public var settlingLimit = Duration.seconds(6 * 3600)
  /// Decides the fate of port operations, beside the scenario's faults.
  public var plan: (@Sendable (PortOperation) -> Verdict)?
  /// Replaces ports of single components, behind their gates: how defects are tried out. What the
  /// run itself reads at the end are the backends.
  public var injection: Injection?
  /// Makes the backends; in memory unless said otherwise.
  public var backends: Maker = { (time) in .inMemory(time: time) }
  /// Gets the trace's bytes, whole lines at a time.
  public var traceSink: (@Sendable ([UInt8]) -> Void)?
  /// Whether a trace is kept at all; without, there is no fingerprint.
  public var isTraced = true
  /// Takes the trace's place.
  public var trace: (any Trace)?
  /// What the scenario comes to without faults, for those who know it already.
  public var undisturbed: RunOutcome?
  /// Whether ``RunResult/played`` shall say what was done at random.
  public var recordsTraffic = false
  /// Images and users, by alias or id, for which ``RunResult/proofs`` shall say where they stand.
  public var sought: [String] = []
  /// Gets what the run was made of before it is taken apart, which takes a large one a while: who
  /// ends soon may keep it instead.
  public var outlived: (@Sendable (any Sendable) -> Void)?
  /// Whether a job that failed is started once more, as an operator would.
  public var restartsJobs = false
  /// Whether ``RunResult/unreadable`` is looked for.
  public var readsHistory = false
  /// Gets the share of the scenario that is played, now and then.
  public var progress: @Sendable (Double) -> Void = { _ in }

  /// The defaults.
  public init() {}
}
