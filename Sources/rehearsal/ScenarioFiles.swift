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
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: scenarios)
    } catch {
      throw CommandFailure(
        code: 2,
        message: "rehearsal: there is no folder '\(scenarios)'; say --scenarios DIR")
    }
    return names.filter { $0.hasSuffix(".yaml") }.sorted().map { "\(scenarios)/\($0)" }
  }

  /// The file of a scenario given by path or by name.
  func file(_ nameOrPath: String) throws -> String {
    if FileManager.default.fileExists(atPath: nameOrPath) { return nameOrPath }
    let path = "\(scenarios)/\(nameOrPath).yaml"
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(
        code: 2,
        message: "rehearsal: there is no scenario '\(nameOrPath)' (nor \(path)); "
          + "`rehearsal list` shows what there is")
    }
    return path
  }

  /// Reads a scenario; policy files that it names lie beside it.
  static func load(_ path: String) throws -> Scenario {
    let text = try read(path)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do {
      let stem = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
      let scenario = try Scenario(yaml: text, file: path) { (name) throws(ScenarioError) in
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
          return nil
        }
        return String(decoding: data, as: UTF8.self)
      }
      // The golden folder is found by either, so the two must agree.
      guard scenario.name == stem else {
        throw ScenarioError(
          file: path, message: "the scenario is named '\(scenario.name)', its file '\(stem)'",
          hint: "rename one of them")
      }
      return scenario
    } catch {
      throw CommandFailure(error)
    }
  }

  /// A text file's content; invalid UTF-8 has its place.
  private static func read(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure(code: 2, message: "rehearsal: '\(path)' can't be read")
    }
    if let text = String(validating: data, as: UTF8.self) { return text }
    var line = 1
    var start = data.startIndex
    while let end = data[start...].firstIndex(of: UInt8(ascii: "\n")),
      String(validating: data[start..<end], as: UTF8.self) != nil
    {
      line += 1
      start = data.index(after: end)
    }
    throw CommandFailure(
      code: 2,
      message: "rehearsal: \(path):\(line): not valid UTF-8\n  save the file as UTF-8")
  }
}

/// A run with what a command needs of it.
struct PlayedScenario {
  var result: RunResult
  var judgement: Judgement
  var seconds: Double

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
    options.backends = try backends.maker()
    var folder: OutputFolder?
    var lake: LakeFolder?
    var trace: FileHandle?
    if let out {
      folder = try Self.open(out)
      if case .inMemory = backends {
        let warehouse = LakeFolder("\(out)/lake")
        options.backends = warehouse.maker
        lake = warehouse
      }
      let path = "\(out)/trace.jsonl"
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      trace = FileHandle(forWritingAtPath: path)
      let sink = trace
      options.traceSink = { bytes in sink?.write(Data(bytes)) }
    }
    let start = Stopwatch.now
    do {
      result = try play(options)
    } catch {
      Terminal.endProgress()
      throw CommandFailure(error)
    }
    seconds = Stopwatch.seconds(since: start)
    Terminal.endProgress()
    judgement = Judgement(result)
    try trace?.close()
    try folder?.write(result, judgement, wallSeconds: seconds)
    try lake?.write()
  }

  private static func open(_ out: String) throws -> OutputFolder {
    do {
      return try OutputFolder(out)
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: '\(out)' can't be written: \(error)")
    }
  }
}
