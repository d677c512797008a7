import ArgumentParser
import Foundation
import Harness

/// `rehearsal check`.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs scenarios and compares them with their goldens; writes nothing.",
    discussion: """
      Examples:
        rehearsal check
        rehearsal check minors test-accounts
        rehearsal check --junit report.xml
      """)

  @Argument(help: "Scenarios; all of the folder when none is named.")
  var names: [String] = []

  @OptionGroup var folders: Folders

  @Option(help: "Writes a JUnit report.")
  var junit: String?

  @Option(help: "How many differences of a table are shown.")
  var limit = 10

  @Option(help: "in-memory, or a backends file; what passed is removed from the servers.")
  var backends = BackendsChoice.inMemory

  func run() throws {
    let files = try names.isEmpty ? folders.files() : names.map { try folders.file($0) }
    guard !files.isEmpty else {
      throw CommandFailure(code: 2, message: "rehearsal: no scenario in '\(folders.scenarios)'")
    }
    var cases: [JUnitReport.Case] = []
    var worst: Int32 = 0
    for file in files {
      let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
      let (failure, seconds, code) = check(file)
      worst = max(worst, code)
      cases.append(.init(name: name, suite: "scenarios", seconds: seconds, failure: failure))
      let mark = failure == nil ? "ok  " : "FAIL"
      let padded = name.padding(toLength: 28, withPad: " ", startingAt: 0)
      print(
        "\(Terminal.painted(mark, failure == nil)) \(padded) "
          + String(format: "%6.2f s", seconds))
      if let failure { print(failure) }
    }
    if names.isEmpty {
      for file in Regressions(folder: "\(folders.scenarios)/regressions").files {
        let failure = try Regressions.failure(file)
        let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
        cases.append(.init(name: name, suite: "regressions", seconds: 0, failure: failure))
        print("\(failure == nil ? "ok  " : "FAIL") regressions/\(name)")
        if let failure {
          print(failure)
          worst = max(worst, 1)
        }
      }
      let orphans = try GoldenStore(root: folders.golden).orphans(
        scenarios: Set(cases.filter { $0.suite == "scenarios" }.map(\.name)))
      for orphan in orphans {
        print("FAIL golden/\(orphan) belongs to no scenario; remove the folder")
        cases.append(
          .init(name: orphan, suite: "orphans", seconds: 0, failure: "no such scenario"))
        worst = max(worst, 1)
      }
    }
    if let junit { try write(JUnitReport(name: "rehearsal check", cases: cases), to: junit) }
    let failed = cases.count { $0.failure != nil }
    print("\(cases.count - failed) passed, \(failed) failed")
    if worst > 0 { throw CommandFailure(code: worst, message: "rehearsal: check FAILED") }
  }

  /// What is wrong with one scenario, how long it took, and the exit code that follows.
  private func check(_ file: String) -> (failure: String?, seconds: Double, code: Int32) {
    do {
      let scenario = try Folders.load(file)
      let played = try PlayedScenario(scenario, backends: backends) {
        try ScenarioRun(scenario, options: $0).run()
      }
      var faults: [String] = []
      for finding in played.judgement.expectations + played.judgement.checkers
      where !finding.holds {
        faults.append("  \(file):\(finding.line) \(finding.what)")
        faults += finding.faults.map { "    \($0)" }
      }
      let comparison = try GoldenStore(root: folders.golden).compare(
        played.result.golden(played.judgement), tolerances: scenario.golden.tolerances)
      if !comparison.matches {
        faults.append(comparison.render(limit: limit, isColoured: Terminal.isColoured))
        faults += comparison.causes(in: played.result)
      } else {
        let causes = played.result.causes(of: played.judgement)
        if !causes.isEmpty { faults += ["  cause:"] + causes.map { "    \($0)" } }
      }
      if faults.isEmpty {
        try played.source.clean()
      } else if let remains = played.source.remains {
        faults.append("  \(remains)")
      }
      let failure = faults.isEmpty ? nil : faults.joined(separator: "\n")
      return (failure, played.seconds, failure == nil ? 0 : 1)
    } catch let failure as CommandFailure {
      return (failure.message, 0, failure.code)
    } catch {
      let failure = CommandFailure(error)
      return (failure.message, 0, failure.code)
    }
  }

  private func write(_ report: JUnitReport, to path: String) throws {
    do {
      try Data(report.xml.utf8).write(to: URL(fileURLWithPath: path))
    } catch {
      throw CommandFailure(path, "written", error, cure: "name another file (--junit FILE)")
    }
  }
}

/// `rehearsal accept`.
struct Accept: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Takes what scenarios produce now as their goldens, after a person's review.",
    discussion: """
      Examples:
        rehearsal accept viral-burst
        rehearsal accept --all
      """)

  @Argument(help: "Scenarios.")
  var names: [String] = []

  @Flag(help: "All scenarios of the folder.")
  var all = false

  @OptionGroup var folders: Folders

  func validate() throws {
    if names.isEmpty != all { throw ValidationError("Name scenarios, or say --all.") }
  }

  func run() throws {
    if ProcessInfo.processInfo.environment["CI"] == "true" {
      throw CommandFailure(code: 2, message: "rehearsal: goldens aren't written in CI (CI=true)")
    }
    let files = try all ? folders.files() : names.map { try folders.file($0) }
    for file in files {
      let scenario = try Folders.load(file)
      let played = try PlayedScenario(scenario) { try ScenarioRun(scenario, options: $0).run() }
      let changed: [String]
      do {
        changed = try GoldenStore(root: folders.golden).accept(
          played.result.golden(played.judgement))
      } catch {
        throw CommandFailure(error)
      }
      print(
        "\(scenario.name): "
          + (changed.isEmpty ? "unchanged" : "wrote \(changed.joined(separator: ", "))"))
      if !played.judgement.passed {
        print("  note: an expectation or checker of it fails; see `rehearsal run \(scenario.name)`")
      }
    }
  }
}
