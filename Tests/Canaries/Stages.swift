import Foundation
import Harness
import Simulation

/// What caught a canary.
struct Catch: Sendable {
  /// `golden`, `expectation`, `checker NAME`, …
  var by: String
  /// The scenario, with the seed where there is one.
  var place: String
  /// What was seen, in a line.
  var finding: String
  /// How many seeds of the explorer it took; nil when it took none.
  var seeds: Int?
}

/// One way of looking for a canary: gives what it finds, or nil.
typealias Stage = @Sendable (Canary) throws -> Catch?

/// Whole scenarios with their expectations, checkers and goldens, the short ones first.
struct ScenarioStage: Sendable {
  let scenarios: [Scenario]
  let goldens: GoldenStore

  func look(for canary: Canary) throws -> Catch? {
    for scenario in scenarios {
      if var found = try look(for: canary, in: scenario) {
        found.place = scenario.name
        return found
      }
    }
    return nil
  }

  private func look(for canary: Canary, in scenario: Scenario) throws -> Catch? {
    let run: RunResult
    do {
      run = try ScenarioRun(canary.scenario(scenario), options: canary.options()).run()
    } catch {
      return Catch(by: "run", place: "", finding: "\(error)")
    }
    let judgement = Judgement(run)
    if let red = judgement.checkers.first(where: { !$0.holds }) { return Catch(checker: red) }
    if let red = judgement.expectations.first(where: { !$0.holds }) {
      return Catch(by: "expectation", place: "", finding: "\(red.what): \(red.faults[0])")
    }
    let comparison = try goldens.compare(
      run.golden(judgement), tolerances: scenario.golden.tolerances)
    return comparison.matches
      ? nil : Catch(by: "golden", place: "", finding: Self.firstLine(of: comparison))
  }

  /// The first difference that a table has, else the first line of the summary.
  private static func firstLine(of comparison: GoldenComparison) -> String {
    // When a score was stored follows from all else, and says least.
    let cells = comparison.changedCells(limit: 100)
    if let cell = cells.first(where: { $0.column != "scored_at" }) ?? cells.first {
      let key = cell.key.map(\.value).joined(separator: " ")
      return "\(cell.table) \(key) \(cell.column): \(cell.expected) is \(cell.actual)"
    }
    for table in comparison.tables {
      for (mark, rows) in [("-", table.rowsRemoved), ("+", table.rowsAdded)] {
        guard let row = rows.first else { continue }
        return "\(table.name) \(mark) " + row.key.map(\.value).joined(separator: " ")
      }
    }
    let change = comparison.summaryDifference?.changes.last
    return change.map { "\($0.isAdded ? "+" : "-") \($0.text)" } ?? "a file is missing"
  }
}

/// One scenario in several processes, whose traces must be the same: what depends on the order of
/// a dictionary differs, as each process hashes with a seed of its own.
struct ProcessStage: Sendable {
  let scenario: Scenario
  /// Two of them agree by chance in one case of 13 where a dictionary has a handful of keys: it is
  /// `hash-order`'s in `viral-burst`, 60 processes with 21 traces. All of twelve don't.
  private static let processes = 12

  func look(for canary: Canary) throws -> Catch? {
    let first = try fingerprint(canary)
    for _ in 1..<Self.processes {
      let other = try fingerprint(canary)
      guard first == other else {
        return Catch(
          by: "processes", place: scenario.name, finding: "fingerprints \(first) and \(other)")
      }
    }
    return nil
  }

  /// The trace's fingerprint in a process of its own.
  private func fingerprint(_ canary: Canary) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["--only", canary.name, "--fingerprint", scenario.name]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// What ``fingerprint(_:)`` asks the other process for.
  static func fingerprint(of canary: Canary, in scenario: Scenario) throws -> String {
    var options = canary.options()
    options.isTraced = true
    return try ScenarioRun(canary.scenario(scenario), options: options).run().fingerprint
  }
}

/// One scenario under seeded interleavings, which must change nothing: jobs that run side by side
/// take turns at every port operation.
struct ScheduleStage: Sendable {
  private let scenario: Scenario
  private let expected: RunOutcome

  init(_ scenario: Scenario) throws {
    self.scenario = scenario
    expected = RunOutcome(try ScenarioRun(scenario, options: Canary.none.options()).run())
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
    let place = "\(scenario.name) under schedule \(seed)"
    var options = canary.options()
    options.scheduling = .seeded(seed)
    do {
      let run = try ScenarioRun(canary.scenario(scenario), options: options).run()
      return Catch(run, expected: expected, place: place)
    } catch {
      return Catch(by: "run", place: place, finding: "\(error)")
    }
  }
}

extension Catch {
  /// A checker that doesn't hold.
  init(checker red: Finding) {
    self.init(by: "checker \(red.what)", place: "", finding: red.faults.first ?? "")
  }

  /// What is wrong with a run that some faults or an interleaving went through: a checker, else a
  /// difference from what the sound pipeline makes of the scenario.
  init?(_ run: RunResult, expected: RunOutcome?, place: String) {
    // A job that a fault ended was started again.
    let red = Judgement(run).checkers.first { !$0.holds && $0.what != "JobsSucceeded" }
    if let red {
      self.init(checker: red)
    } else if let difference = expected?.firstDifference(RunOutcome(run)) {
      let lines = difference.split(separator: "\n").map { $0.drop { $0 == " " } }
      self.init(by: "outcome", place: "", finding: lines.joined(separator: " | "))
    } else {
      return nil
    }
    self.place = place
  }
}
