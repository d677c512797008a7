import ArgumentParser
import Harness

/// `rehearsal run`.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs one scenario and shows what came of it.",
    discussion: """
      Examples:
        rehearsal run viral-burst
        rehearsal run scenarios/minors.yaml --seed 7 --out out/minors
        rehearsal run viral-burst --json | jq .counts
        rehearsal run viral-burst --backends sqlite:/tmp/burst
        rehearsal run viral-burst --backends live.yaml
      """)

  @Argument(help: "A scenario's name or file.")
  var scenario: String

  @OptionGroup var folders: Folders

  @Option(help: "Another seed than the scenario's.")
  var seed: UInt64?

  @Option(help: "A folder for trace, events, tables and CSV files.")
  var out: String?

  @Option(
    help: """
      in-memory, sqlite:DIR for a folder that sqlite3, PyIceberg and DuckDB open, or a backends \
      file, as live.yaml.
      """)
  var backends = BackendsChoice.inMemory

  @Flag(help: "Prints summary.json instead of text.")
  var json = false

  func run() throws {
    let scenario = try Folders.load(folders.file(scenario))
    let played = try PlayedScenario(scenario, seed: seed, out: out, backends: backends) { options in
      var options = options
      // Servers want to be taken leave of.
      if case .inMemory = backends { options.outlived = { PlayedScenario.outlive($0) } }
      return try ScenarioRun(scenario, options: options).run()
    }
    PlayedScenario.outlive(played)
    try played.show(json: json, command: "rehearsal run \(self.scenario)" + seedFlag)
  }

  private var seedFlag: String { seed.map { " --seed \($0)" } ?? "" }
}

extension PlayedScenario {
  private final class Kept {
    let value: Any

    init(_ value: Any) { self.value = value }
  }

  /// Keeps something of a run to the end of the process, which is near: to take a large one apart
  /// piece by piece takes a twentieth of its time.
  static func outlive(_ value: Any) { _ = Unmanaged.passRetained(Kept(value)) }

  /// Prints the summary; a failed judgement ends the command with 1 and a line to paste.
  func show(json: Bool, command: String) throws {
    let summary = RunSummary(result, judgement, wallSeconds: seconds)
    let text = json ? summary.json : summary.text(isColoured: Terminal.isColoured) + "\n"
    print(text, terminator: "")
    if !json, let remains = source.remains {
      print("  \(remains); rehearsal backends clean FILE --prefix … removes it")
    }
    guard !judgement.passed else { return }
    let causes = result.causes(of: judgement)
    if !json && !causes.isEmpty { print("cause:\n" + causes.map { "  \($0)\n" }.joined()) }
    throw CommandFailure(code: 1, message: "rehearsal: FAILED; again with: \(command) --out out")
  }
}
