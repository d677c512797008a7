import Foundation
import Harness

/// A scenario about to be run from Swift: `try await Rehearsal(scenario: "viral-burst").run()`.
public struct Rehearsal: Sendable {
  /// The world, what happens in it, and what must come of it; may be changed before the run.
  public var scenario: Scenario
  /// Seed, scheduling, faults in code (`plan`) and backends.
  public var options = RunOptions()
  /// What a command line calls the scenario; nil when it isn't in a file.
  private let reference: String?

  private init(_ scenario: Scenario, reference: String?) {
    self.scenario = scenario
    self.reference = reference
  }

  /// A scenario of the folder `scenarios`, by name.
  ///
  /// - Parameters:
  ///   - name: the file's name without `.yaml`.
  ///   - folder: the folder; when nil, the nearest `scenarios` at or above the current directory,
  ///     which under `swift test` is the package's.
  /// - Throws: an error that names the folder and the nearest name, or the place in the file.
  public init(scenario name: String, in folder: String? = nil) throws(ScenarioError) {
    let scenarios = if let folder { ScenarioFolder(folder) } else { try ScenarioFolder.nearest() }
    let file = try scenarios.file(named: name)
    self.init(try ScenarioFolder.load(file), reference: folder == nil ? name : file)
  }

  /// The scenario of a file; its name must be the file's.
  public init(file: String) throws(ScenarioError) {
    self.init(try ScenarioFolder.load(file), reference: file)
  }

  /// A scenario written down in the test.
  public init(yaml: String) throws(ScenarioError) {
    self.init(try Scenario(yaml: yaml, file: "yaml"), reference: nil)
  }

  /// A scenario made in code.
  public init(_ scenario: Scenario) { self.init(scenario, reference: nil) }

  /// The seed of a run that isn't given another: the options', else the scenario's.
  public var seed: UInt64 { options.seed ?? scenario.seed }

  /// Plays the scenario to its end and judges it.
  ///
  /// A simulation runs on one thread and never gives it up. That thread is none of the pool on
  /// which tests and tasks run, so the caller only suspends. At most one simulation per processor
  /// runs at a time; others wait for their turn. A cancelled caller waits for the end all the same:
  /// `options.stepBudget` is what bounds a run.
  ///
  /// - Parameter seed: in place of the one of options and scenario.
  /// - Throws: `ScenarioError` when something changed in code can't be played, `RunFailure` when
  ///   the run can't be judged, because it stopped or a backend failed. Expectations and checkers
  ///   that don't hold are no error: see ``Run/passed``.
  public func run(seed: UInt64? = nil) async throws -> Run {
    try scenario.check()
    var (scenario, options) = (scenario, options)
    scenario.seed = seed ?? self.seed
    options.seed = nil
    // Whoever changes the duration in code moves the end.
    scenario.policy.horizon = scenario.end
    let (final, command) = (ScenarioRun(scenario, options: options), command(scenario.seed))
    let outcome = await SimulationThreads.shared.run { () -> Result<Run, RunFailure> in
      do throws(RunFailure) {
        return .success(Run(try final.run(), command: command))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  /// The line to paste that runs a seed again; without a file, how to do it in Swift.
  ///
  /// What was changed in code, the command doesn't know.
  public func command(_ seed: UInt64) -> String {
    guard let reference else { return "run(seed: \(seed))" }
    return "rehearsal run \(reference) --seed \(seed)"
  }
}
