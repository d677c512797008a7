import ArgumentParser
import Foundation
import Harness
import Lakehouse

/// Puts one defect after the other into the pipeline, and says what catches it.
@main
struct CanariesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "canaries",
    abstract: "Puts one defect after the other into the pipeline, and says what catches it.",
    discussion: """
      Each is looked for in all scenarios with their expectations, checkers and goldens, then in
      several processes, then under seeded interleavings, then by the explorer; the first that goes
      red has caught it. Without any defect all of them must be green.

      Exit codes: 0 all are caught; 1 one isn't, or the pipeline itself is red; 64 usage.
      """)

  @Option(help: "Only this canary; may be given again. `none` is the pipeline as it is.")
  var only: [String] = []

  @Flag(help: "Prints a JSON object per canary.")
  var json = false

  @Flag(help: "Prints the table of docs/canaries.md.")
  var markdown = false

  @Option(help: "The most seeds of the explorer per canary; of interleavings 8 at most.")
  var seeds = 200

  @Option(help: "Writes a finding of the explorer for each canary, made small, to this folder.")
  var shrink: String?

  @Option(
    help: "Plays the small scenarios of this folder: red with the canary of their name, else green."
  )
  var replay: String?

  @Option(help: .hidden)
  var fingerprint: String?

  func run() throws {
    let known = [Canary.none] + Canary.all
    for name in only where !known.contains(where: { $0.name == name }) {
      throw ValidationError("there is no canary '\(name)'")
    }
    let chosen = known.filter { only.contains($0.name) }
    let scenarios = try Self.scenarios()
    if let fingerprint, let scenario = scenarios.first(where: { $0.name == fingerprint }) {
      return print(try ProcessStage.fingerprint(of: chosen[0], in: scenario))
    }
    if let shrink { return try makeSmall(scenarios, into: shrink) }
    if let replay { return try playSmall(replay) }
    let stages = try stages(scenarios)
    let canaries = only.isEmpty ? [Canary.none] + Canary.all : chosen
    var lines = try Parallel.map(canaries, progress: Self.showProgress) {
      Report.Line(canary: $0, found: try Self.look(for: $0, stages))
    }
    if only.isEmpty, let found = lines.removeFirst().found {
      print("the pipeline itself is red: \(found.by) in \(found.place): \(found.finding)")
      throw ExitCode(1)
    }
    let report = Report(lines: lines)
    print(json ? report.json : markdown ? report.markdown : report.text, terminator: "")
    if !report.passed { throw ExitCode(1) }
  }

  /// Lets the explorer look for each canary, whatever else catches it, and makes its finding small.
  private func makeSmall(_ scenarios: [Scenario], into folder: String) throws {
    guard let base = scenarios.first(where: { $0.name == "swarm" }) else { return }
    let stage = ExplorerStage(base: base)
    // One that changes the policy would be red without itself, too: the file has that policy.
    let canaries = Canary.all.filter { canary in
      (only.isEmpty || only.contains(canary.name))
        && canary.scenario(base).yaml() == base.yaml()
    }
    let seeds = seeds
    let catches = try Parallel.map(canaries, progress: Self.showProgress) { canary in
      try stage.look(for: canary, seeds: seeds).flatMap { found in
        try ShrunkCatch(canary, seed: UInt64((found.seeds ?? 1) - 1), stage, budget: 3000)
      }
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var isRight = true
    for shrunk in catches.compactMap({ $0 }) {
      let (_, yaml) = shrunk.shrunk.file(base: base.name, seed: shrunk.seed)
      try Data(yaml.utf8).write(
        to: URL(fileURLWithPath: "\(folder)/\(shrunk.canary.name).yaml"))
      isRight = isRight && shrunk.isRedWith && shrunk.isGreenWithout
      print(
        shrunk.canary.name, "seed \(shrunk.seed)", shrunk.shrunk.violation.checker,
        "\(shrunk.shrunk.actionCount) actions", "\(shrunk.shrunk.runs) runs",
        shrunk.isRedWith ? "red with it" : "NOT RED with it",
        shrunk.isGreenWithout ? "green without" : "NOT GREEN without", separator: "\t")
    }
    let counts = catches.compactMap { $0?.shrunk.actionCount }.sorted()
    if !counts.isEmpty {
      print("\(counts.count) made small; the median has \(counts[counts.count / 2]) actions")
    }
    if !isRight { throw ExitCode(1) }
  }

  /// Plays small scenarios again, each with the canary that its file is named for and without.
  private func playSmall(_ folder: String) throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    var isRight = true
    for file in files.filter({ $0.hasSuffix(".yaml") }).sorted() {
      let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
      let scenario = try Scenario(yaml: text, file: file)
      guard let canary = Canary.all.first(where: { "\($0.name).yaml" == file }) else {
        throw ValidationError("there is no canary for \(folder)/\(file)")
      }
      let found = Explorer(scenario) { canary.options() }.violation(of: scenario)
      let own = Explorer(scenario).violation(of: scenario)
      if found == nil || own != nil { isRight = false }
      print(
        found == nil || own != nil ? "FAIL" : "ok  ", canary.name,
        found.map { "red with it: \($0.checker)" } ?? "not red with it",
        own.map { "red without it: \($0.checker)" } ?? "", separator: "  ")
    }
    if !isRight { throw ExitCode(1) }
  }

  /// The ways of looking, the cheap ones first.
  private func stages(_ scenarios: [Scenario]) throws -> [Stage] {
    func named(_ names: String...) -> [Scenario] {
      scenarios.filter { names.contains($0.name) }
    }
    let whole = ScenarioStage(scenarios: scenarios, goldens: GoldenStore(root: "golden"))
    let processes = ProcessStage(scenario: named("viral-burst")[0])
    let schedules = try ScheduleStage(named("colliding-commits")[0])
    let explorer = ExplorerStage(base: named("swarm")[0])
    let seeds = seeds
    return [
      { $0.needsFaults ? nil : try whole.look(for: $0) },
      { $0.needsFaults ? nil : try processes.look(for: $0) },
      { $0.needsFaults ? nil : schedules.look(for: $0, seeds: min(seeds, 8)) },
      { explorer.look(for: $0, seeds: seeds) },
    ]
  }

  private static func look(for canary: Canary, _ stages: [Stage]) throws -> Catch? {
    for stage in stages {
      if let found = try stage(canary) { return found }
    }
    return nil
  }

  /// The scenarios of the folder, the short ones first.
  private static func scenarios() throws -> [Scenario] {
    let files = try FileManager.default.contentsOfDirectory(atPath: "scenarios")
    return try files.filter { $0.hasSuffix(".yaml") }.sorted().map { file in
      let path = "scenarios/\(file)"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      return try Scenario(yaml: text, file: path)
    }.sorted { ($0.duration, $0.name) < ($1.duration, $1.name) }
  }

  private static let showProgress: @Sendable (Double) -> Void = { share in
    guard isatty(STDERR_FILENO) != 0 else { return }
    FileHandle.standardError.write(
      Data("\r\(Int(share * 100)) %".utf8))
  }
}
