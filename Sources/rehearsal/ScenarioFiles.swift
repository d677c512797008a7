import ArgumentParser
import Foundation
import Harness

/// Where scenarios and goldens lie.
struct Folders: ParsableArguments {
  @Option(help: "The folder of the scenarios.")
  var scenarios = "scenarios"

  @Option(help: "The folder of the goldens.")
  var golden = "golden"

  /// The scenario files, sorted by name.
  func files() throws -> [String] {
    try Self.reading { () throws(ScenarioError) in try ScenarioFolder(scenarios).files() }
  }

  /// The file of a scenario given by path or by name.
  func file(_ nameOrPath: String) throws -> String {
    if FileManager.default.fileExists(atPath: nameOrPath) { return nameOrPath }
    return try Self.reading { () throws(ScenarioError) in
      try ScenarioFolder(scenarios).file(named: nameOrPath)
    }
  }

  /// Reads a scenario; policy files that it names lie beside it.
  static func load(_ path: String) throws -> Scenario {
    try reading { () throws(ScenarioError) in try ScenarioFolder.load(path) }
  }

  private static func reading<Value>(_ body: () throws(ScenarioError) -> Value) throws -> Value {
    do {
      return try body()
    } catch {
      throw CommandFailure(error)
    }
  }
}

/// A run with what a command needs of it.
struct PlayedScenario {
  var result: RunResult
  var judgement: Judgement
  var seconds: Double
  /// What made the backends.
  var source: any BackendsSource

  /// Plays a scenario; with a folder, writes everything there.
  init(
    _ scenario: Scenario, seed: UInt64? = nil, out: String? = nil,
    backends: BackendsChoice = .inMemory, sought: [String] = [],
    play: (RunOptions) throws -> RunResult
  ) throws {
    var options = RunOptions()
    options.seed = seed
    options.sought = sought
    options.progress = Terminal.progress(scenario.name)
    source = try backends.source()
    options.backends = source.maker
    var folder: OutputFolder?
    var lake: LakeFolder?
    var trace: TraceFile?
    if let out {
      folder = try Self.open(out)
      if source.isInMemory {
        let warehouse = LakeFolder("\(out)/lake")
        options.backends = warehouse.maker
        lake = warehouse
      }
      let file = try TraceFile("\(out)/trace.jsonl")
      options.traceSink = { file.write($0) }
      trace = file
    }
    let start = Stopwatch.now
    do {
      result = try play(options)
    } catch {
      Terminal.endProgress()
      if let remains = source.remains { Terminal.complain("note: \(remains)") }
      throw CommandFailure(error)
    }
    seconds = Stopwatch.seconds(since: start)
    Terminal.endProgress()
    judgement = Judgement(result)
    do {
      try trace?.close()
      try folder?.write(result, judgement, wallSeconds: seconds)
      try folder?.writeONNX(result)
      try lake?.write()
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(
        out ?? "", "written", error, cure: "make room, or name another folder (--out DIR)")
    }
  }

  private static func open(_ out: String) throws -> OutputFolder {
    do {
      return try OutputFolder(out)
    } catch {
      throw CommandFailure(out, "written", error, cure: "name another folder (--out DIR)")
    }
  }
}
