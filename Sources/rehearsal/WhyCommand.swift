import ArgumentParser
import Foundation
import Harness

/// `rehearsal why`.
struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why",
    abstract: "Explains a score, a training row or a window back to records, requests and faults.",
    discussion: """
      The run is played again, which gives the same. Images go by name or id.

      Examples:
        rehearsal why viral-burst --score hero,viral
        rehearsal why out/minors --row image-3,5m --all
        rehearsal why viral-burst --window view_windows_5min,image-18,2026-01-05T09:00:00Z --json
      """)

  @Argument(help: "A scenario's name or file, or a folder of `run --out`.")
  var place: String

  @Option(help: "A request's id, or IMAGE,TRIGGER.")
  var score: String?

  @Option(help: "IMAGE,DECISION_POINT: a training row.")
  var row: String?

  @Option(help: "TABLE,IMAGE,START: a 5-minute window.")
  var window: String?

  @Option(help: "Another seed than the scenario's or the folder's.")
  var seed: UInt64?

  @Flag(help: "Shows long lists of records whole.")
  var all = false

  @Flag(help: "Prints the tree as JSON; nothing is cut.")
  var json = false

  @OptionGroup var folders: Folders

  func validate() throws {
    guard [score, row, window].count(where: { $0 != nil }) == 1 else {
      throw ValidationError("what to explain? give one of --score, --row and --window")
    }
  }

  func run() throws {
    do {
      let question = try question()
      let cause = try CauseTracer(try play()).explain(question)
      print(json ? cause.json : cause.lines(showsAll: all).joined(separator: "\n"))
    } catch let error as CauseError {
      throw CommandFailure(code: 2, message: "rehearsal: \(error)")
    }
  }

  private func question() throws(CauseError) -> CauseQuestion {
    if let row { return try .row(row) }
    if let window { return try .window(window) }
    return .score(score ?? "")
  }

  /// The run, played again; a folder whose run isn't what the scenario gives now is said to be so.
  private func play() throws -> RunResult {
    let summary: FolderSummary?
    do {
      summary = try FolderSummary(folder: place)
    } catch {
      throw CommandFailure(
        code: 2, message: "rehearsal: '\(place)/summary.json' can't be read: \(error)")
    }
    let scenario = try Folders.load(folders.file(summary?.scenario ?? place))
    let played = try PlayedScenario(scenario, seed: seed ?? summary?.seed) { options in
      try ScenarioRun(scenario, options: options).run()
    }
    if let summary, seed ?? summary.seed == summary.seed,
      played.result.fingerprint != summary.fingerprint
    {
      Terminal.complain(
        "note: '\(place)' has the fingerprint \(summary.fingerprint), the run now "
          + "\(played.result.fingerprint): the code or the scenario has changed since")
    }
    return played.result
  }
}
