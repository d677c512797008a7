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
    abstract: "Prints the JSON Schema of scenario files, for editors.",
    discussion: """
      Example:
        rehearsal schema > scenario.schema.json
      """)

  func run() { print(ScenarioSchema.json()) }
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
    let named = try policies ?? Scenario(
      yaml: "name: replay\nabout: Recorded traffic.\nduration: 1s", file: "replay")
    let played = try PlayedScenario(named, out: out) { try replay.run(options: $0) }
    try played.show(json: json, command: "rehearsal replay --events \(events)")
  }

  private func data(_ path: String) throws -> Data {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure(code: 2, message: "rehearsal: '\(path)' can't be read")
    }
    return data
  }
}

/// `rehearsal check-determinism`.
struct CheckDeterminism: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs scenarios twice, in two processes, and compares every line and file.",
    discussion: """
      Examples:
        rehearsal check-determinism
        rehearsal check-determinism viral-burst --seed 7
      """)

  @Argument(help: "Scenarios; all of the folder when none is named.")
  var names: [String] = []

  @Option(help: "Another seed than the scenario's.")
  var seed: UInt64?

  @OptionGroup var folders: Folders

  func run() throws {
    let files = try names.isEmpty ? folders.files() : names.map { try folders.file($0) }
    let base = FileManager.default.temporaryDirectory
      .appendingPathComponent("rehearsal-\(ProcessInfo.processInfo.processIdentifier)").path
    defer {
      // A leftover in the temporary folder does no harm.
      try? FileManager.default.removeItem(atPath: base)
    }
    var isSame = true
    for file in files {
      let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
      let folders = ["\(base)/\(name)/a", "\(base)/\(name)/b"]
      for folder in folders { try play(file, into: folder) }
      if let difference = try Self.firstDifference(folders[0], folders[1]) {
        isSame = false
        print("FAIL \(name)\n\(difference)")
      } else {
        print("ok   \(name)")
      }
    }
    if !isSame {
      throw CommandFailure(code: 1, message: "rehearsal: two processes gave different runs")
    }
  }

  private func play(_ file: String, into folder: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments =
      ["run", file, "--out", folder, "--json"] + (seed.map { ["--seed", "\($0)"] } ?? [])
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    // 1 is a verdict on the run; the run itself is there to compare.
    guard process.terminationStatus <= 1 else {
      throw CommandFailure(
        code: process.terminationStatus, message: "rehearsal: `run \(file)` failed")
    }
  }

  /// The first line of any file in which two folders differ; `summary.json` has wall time, and
  /// isn't compared.
  private static func firstDifference(_ a: String, _ b: String) throws -> String? {
    let names = try FileManager.default.subpathsOfDirectory(atPath: a).sorted()
    // The trace first: it says where the two went apart.
    for name in ["trace.jsonl"] + names where name != "summary.json" {
      guard let left = FileManager.default.contents(atPath: "\(a)/\(name)") else { continue }
      let right = FileManager.default.contents(atPath: "\(b)/\(name)") ?? Data()
      guard left != right else { continue }
      let lines = (left.split(separator: 10), right.split(separator: 10))
      let index = zip(lines.0, lines.1).enumerated().first { $1.0 != $1.1 }?.offset
      let at = index ?? min(lines.0.count, lines.1.count)
      func show(_ lines: [Data]) -> String {
        at < lines.count ? String(decoding: lines[at], as: UTF8.self) : "(no line)"
      }
      return "  \(name) line \(at + 1)\n    first   \(show(lines.0))\n    second  \(show(lines.1))"
    }
    return nil
  }
}
