import ArgumentParser
import Foundation
import Harness

/// `rehearsal list`.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the scenarios.",
    discussion: """
      Examples:
        rehearsal list
        rehearsal list --scenarios my-scenarios
      """)

  @OptionGroup var folders: Folders

  func run() throws {
    for file in try folders.files() {
      let scenario = try Folders.load(file)
      let name = scenario.name.padding(toLength: 28, withPad: " ", startingAt: 0)
      print("\(name) \(scenario.about)")
    }
  }
}

/// `rehearsal schema`.
struct Schema: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the JSON Schema of scenario files, or of backends files, for editors.",
    discussion: """
      Examples:
        rehearsal schema > scenario.schema.json
        rehearsal schema --backends > backends.schema.json
      """)

  @Flag(help: "The schema of backends files.")
  var backends = false

  func run() { print(backends ? ScenarioSchema.backendsJSON() : ScenarioSchema.json()) }
}

/// `rehearsal replay`.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Feeds recorded Kafka events, with their own times, through the pipeline.",
    discussion: """
      Examples:
        rehearsal replay --events events.jsonl --out out/replay
        kcat -C -J -e -t gourmetgram.views > views.jsonl
        rehearsal replay --events views.jsonl --tables tables --scenario lab-semantics
        rehearsal replay --events events.jsonl --score-at points.jsonl --out out/replay
      """)

  @Option(help: "JSON lines: our events.jsonl, `kcat -J`, or bare events in time order.")
  var events: String

  @Option(help: "A folder with users.jsonl, images.jsonl, comments.jsonl, flags.jsonl.")
  var tables: String?

  @Option(help: "A scenario that gives policies and jobs.")
  var scenario: String?

  @Option(help: "JSON lines image_id, now (µs): images to score at those instants.")
  var scoreAt: String?

  @Option(help: "A folder for trace, events, tables and CSV files.")
  var out: String?

  @Flag(help: "Prints summary.json instead of text.")
  var json = false

  @OptionGroup var folders: Folders

  func run() throws {
    let policies = try scenario.map { try Folders.load(folders.file($0)) }
    let replay: Replay
    do {
      let recording = try Recording(data(events), file: events)
      let rows = try tables.map { (folder) throws(ScenarioError) in
        try RecordedTables(folder: folder)
      }
      let points = try scoreAt.map { try Replay.ScorePoint.points(data($0), file: $0) } ?? []
      replay = Replay(recording, tables: rows, scenario: policies, points: points)
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(error)
    }
    let named =
      try policies
      ?? Scenario(
        yaml: "name: replay\nabout: Recorded traffic.\nduration: 1s", file: "replay")
    let played = try PlayedScenario(named, out: out) { try replay.run(options: $0) }
    let flags = [("--tables", tables), ("--scenario", scenario), ("--score-at", scoreAt)]
    let given = flags.compactMap { flag, value in value.map { " \(flag) \($0)" } }.joined()
    try played.show(json: json, command: "rehearsal replay --events \(events)\(given)")
  }

  private func data(_ path: String) throws -> Data {
    do {
      return try FileHandle(forReadingFrom: URL(fileURLWithPath: path)).readToEnd() ?? Data()
    } catch {
      throw CommandFailure(path, "read", error, cure: "give a file that is there")
    }
  }
}
