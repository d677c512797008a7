import Harness

extension Rehearsal {
  /// What came of a run, with readable names in place of ids.
  public struct Run: Sendable {
    /// Everything, with ids as they are.
    public let result: RunResult
    /// The expectations of the scenario and the checkers, those that hold and those that don't.
    public let judgement: Judgement
    /// The line to paste that runs it again.
    public let command: String

    init(_ result: RunResult, command: String) {
      self.result = result
      self.command = command
      judgement = Judgement(result)
    }

    /// Whether every expectation and every checker holds.
    public var passed: Bool { judgement.passed }

    /// What doesn't hold, each with its cause; printable.
    public var findings: [Finding] {
      (judgement.expectations + judgement.checkers).filter { !$0.holds }
    }

    /// The scenario's name.
    public var name: String { result.scenario.name }

    /// The seed that was played.
    public var seed: UInt64 { result.scenario.seed }

    /// The counts of `summary.json`, by name.
    public var counts: [String: Int] {
      Dictionary(uniqueKeysWithValues: result.counts.map { ($0.name, $0.value) })
    }

    /// The runs of jobs, in the order in which they began.
    public var jobs: [JobRun] { result.jobs }

    /// Compares the run with the golden of its name.
    ///
    /// - Parameter folder: where goldens lie; a path from the current directory.
    /// - Throws: ``GoldenMismatch``, whose text is the diff; `GoldenError` when a golden can't be
    ///   read.
    public func matchesGolden(in folder: String = "golden") throws {
      let comparison = try GoldenStore(root: folder).compare(
        result.golden(judgement), tolerances: result.scenario.golden.tolerances)
      guard comparison.matches else { throw GoldenMismatch(comparison: comparison) }
    }
  }
}

extension Rehearsal.Run: CustomStringConvertible {
  /// `viral-burst, seed 42: passed`; else what doesn't hold, with causes and the line to paste.
  public var description: String {
    guard !passed else { return "\(name), seed \(seed): passed" }
    return
      (["\(name), seed \(seed): FAILED"] + findings.map(\.description)
      + ["again: \(command)"]).joined(separator: "\n")
  }
}

/// A run that isn't what was accepted.
public struct GoldenMismatch: Error, CustomStringConvertible {
  /// Every difference.
  public let comparison: GoldenComparison

  /// The first differences of each table, as `rehearsal check` shows them.
  public var description: String { comparison.render(limit: 10, isColoured: false) }
}
