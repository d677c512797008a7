import ArgumentParser
import Foundation
import Harness
import Ports

/// `rehearsal backends`.
struct BackendsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backends", abstract: "Looks at the servers of a backends file, or tidies them.",
    subcommands: [BackendsCheck.self, BackendsClean.self])
}

/// `rehearsal backends check`.
struct BackendsCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Says of each server whether it answers, its version, and what it lets us do.",
    discussion: """
      Example:
        rehearsal backends check live.yaml
      """)

  @Argument(help: "A backends file.")
  var file: String

  func run() throws {
    let results = try LiveBackends(file).check()
    guard !results.isEmpty else { return print("every port is in memory: nothing to check") }
    for (server, checks) in results {
      for check in checks {
        let mark = check.problem == nil ? "ok  " : "FAIL"
        print(
          "\(Terminal.painted(mark, check.problem == nil)) "
            + server.padding(toLength: 9, withPad: " ", startingAt: 0)
            + check.what.padding(toLength: 15, withPad: " ", startingAt: 0) + check.found)
        if let problem = check.problem { print("     \(problem)") }
      }
    }
    let failed = results.flatMap(\.checks).count { $0.problem != nil }
    if failed > 0 {
      throw CommandFailure(code: 4, message: "rehearsal: \(failed) of the checks FAILED")
    }
  }
}

/// `rehearsal backends clean`.
struct BackendsClean: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean", abstract: "Removes what runs left on the servers.",
    discussion: """
      A run says at its end what its names begin with; no other names are touched.

      Example:
        rehearsal backends clean live.yaml --prefix rehearsal_t5zk1c_2f_1
      """)

  @Argument(help: "A backends file.")
  var file: String

  @Option(help: "What the names begin with, as the run said.")
  var prefix: String

  func run() throws {
    let backends = try LiveBackends(file)
    guard backends.mayClean(prefix) else {
      throw CommandFailure(
        code: 2,
        message: "rehearsal: '\(prefix)' isn't a prefix of the file's runs; a run said one that "
          + "begins with '\(backends.prefix)_'")
    }
    try backends.clean(prefix: prefix)
    print("removed what begins with \(prefix)")
  }
}
