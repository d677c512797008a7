import ArgumentParser
import Harness

/// `rehearsal diverge`.
struct Diverge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the first event in which two output folders differ, with both sides.",
    discussion: """
      Compares the trace, if both have one, then events.jsonl, then the CSV tables by their keys,
      then the database's tables. Exit 1 when they differ.

      Examples:
        rehearsal diverge out/here out/there
        rehearsal diverge out/before out/after --outputs
      """)

  @Argument(help: "A folder of `run --out` or `replay --out`.")
  var first: String

  @Argument(help: "Another one.")
  var second: String

  @Flag(help: "Leaves out the trace: only what came of the runs is compared.")
  var outputs = false

  func run() throws {
    let divergence: Divergence?
    do {
      divergence = try FolderComparison(first, second).firstDifferentEvent(readsTrace: !outputs)
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: \(error)")
    }
    guard let divergence else {
      print("\(first) and \(second) are the same")
      return
    }
    // A summary that isn't there or can't be read only takes this hint away.
    let runs = [first, second].map { try? FolderSummary(folder: $0) }
    if let a = runs[0], let b = runs[1], (a.scenario, a.seed) != (b.scenario, b.seed) {
      print("\(a.scenario), seed \(a.seed) | \(b.scenario), seed \(b.seed)")
    }
    print(divergence.lines.joined(separator: "\n"))
    throw CommandFailure(code: 1, message: "rehearsal: \(first) and \(second) differ")
  }
}
