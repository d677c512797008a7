import ArgumentParser
import CMimalloc
import Foundation
import Harness
import Ports

/// The program: wiring and printing only.
@main
struct Rehearsal: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rehearsal",
    abstract: "Runs a whole ML data platform on a virtual clock, and checks what comes of it.",
    discussion: """
      Examples:
        rehearsal run scenarios/viral-burst.yaml
        rehearsal run viral-burst --out out/viral-burst
        rehearsal check
        rehearsal accept viral-burst
        rehearsal replay --events events.jsonl --tables tables --out out/replay

      Exit codes: 0 passed; 1 an expectation, checker or golden failed; 2 bad scenario, flag or
      usage; 3 no progress or budget exceeded; 4 a backend is unavailable.
      """,
    version: "rehearsal 0.1.0, \(allocator)",
    subcommands: [
      Run.self, WhyCommand.self, Check.self, Accept.self, CheckDeterminism.self,
      CheckFaults.self, Explore.self, Diverge.self, ReplayCommand.self, Schema.self,
      LakeCommand.self, ErasureProofCommand.self, BackendsCommand.self, SoakCommand.self,
      TrainCommand.self, PredictCommand.self, CompareCommand.self, SkewCommand.self, Bench.self,
      List.self,
    ])

  /// The allocator that took malloc's place. To name it is what keeps it linked: a run makes and
  /// frees some dozens of small objects an event, a fifth of its time with the C library's.
  private static var allocator: String {
    let version = mi_version()
    return "mimalloc \(version / 100).\(version / 10 % 10).\(version % 10)"
  }

  /// Parses the arguments and runs; every failure ends with its exit code.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as CommandFailure {
      Terminal.complain(failure.message)
      exit(withError: ExitCode(failure.code))
    } catch {
      // The parser's own errors are about usage.
      if exitCode(for: error) == ExitCode.validationFailure {
        Terminal.complain(fullMessage(for: error))
        exit(withError: ExitCode(2))
      }
      exit(withError: error)
    }
  }
}

/// A command that ends with a message and an exit code (DESIGN §9).
struct CommandFailure: Error {
  var code: Int32
  var message: String

  /// What a failed run, scenario or golden means for the exit code.
  init(_ error: any Error) {
    message = "rehearsal: \(error)"
    switch error {
    case is ScenarioError, is GoldenError: code = 2
    case let failure as RunFailure:
      switch failure {
      // What no retry mends was wrong in what the run was given: rows that refer to nothing, say.
      case .backend(let error): code = error.isRetryable ? 4 : 2
      case .noProgress, .escaped: code = 3
      }
    default: code = 2
    }
  }

  /// A file that can't be `read` or `written`, the one that the error names if it names any, with
  /// the system's reason, which Foundation hides behind a number of its own.
  init(_ path: String, _ done: String, _ error: any Error, cure: String) {
    let details = (error as NSError).userInfo
    let system = (details[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError }
    let reason = system.map { String(cString: strerror(Int32($0.code))) }
    let place = details[NSFilePathErrorKey] as? String ?? path
    code = 2
    message =
      "rehearsal: '\(place)' can't be \(done): \(reason ?? error.localizedDescription); \(cure)"
  }

  init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }
}
