import ArgumentParser
import Foundation
import Harness
import Lakehouse
import Simulation

/// `rehearsal check-determinism`.
struct CheckDeterminism: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs scenarios in two processes or more, and compares every line and file.",
    discussion: """
      Examples:
        rehearsal check-determinism
        rehearsal check-determinism viral-burst --seed 7
        rehearsal check-determinism viral-burst --processes 8
        rehearsal check-determinism viral-burst --schedules 200
      """)

  @Argument(help: "Scenarios; all of the folder when none is named.")
  var names: [String] = []

  @Option(help: "Another seed than the scenario's.")
  var seed: UInt64?

  @Option(
    help: """
      Runs in this many processes (default: 2), or until one differs. Each hashes with a seed of \
      its own: where an order follows a dictionary of few keys, two may agree by chance.
      """)
  var processes: Int?

  @Option(help: "Runs under this many seeded schedules instead; outputs must not change.")
  var schedules: Int?

  @OptionGroup var folders: Folders

  func validate() throws {
    if let processes, processes < 2 {
      throw ValidationError("--processes \(processes) compares nothing; give 2 or more")
    }
    if let schedules, schedules < 1 {
      throw ValidationError("--schedules \(schedules) compares nothing; give 1 or more")
    }
    guard processes == nil || schedules == nil else {
      throw ValidationError("--schedules plays in one process; leave out --processes")
    }
  }

  func run() throws {
    let files = try names.isEmpty ? folders.files() : names.map { try folders.file($0) }
    if let schedules { return try compareSchedules(files, schedules) }
    try compareProcesses(files)
  }

  /// Every schedule must give the outputs of the first-come-first-served one.
  private func compareSchedules(_ files: [String], _ count: Int) throws {
    for file in files {
      let scenario = try Folders.load(file)
      let expected = try Self.outcome(scenario, .fifo, seed)
      let progress = Terminal.progress(scenario.name)
      let seed = seed
      _ = try Parallel.map(Array(0..<count), progress: progress) { number in
        let other = try Self.outcome(scenario, .seeded(UInt64(number)), seed)
        guard let difference = expected.firstDifference(other) else { return }
        throw CommandFailure(
          code: 1,
          message: "rehearsal: \(scenario.name) differs under schedule \(number)\n\(difference)")
      }
      Terminal.endProgress()
      print("ok   \(scenario.name) under \(count) schedules")
    }
  }

  private static func outcome(
    _ scenario: Scenario, _ scheduling: Scheduling, _ seed: UInt64?
  ) throws -> RunOutcome {
    var options = RunOptions()
    options.scheduling = scheduling
    options.seed = seed
    options.isTraced = false
    do {
      return RunOutcome(try ScenarioRun(scenario, options: options).run())
    } catch {
      throw CommandFailure(error)
    }
  }

  private func compareProcesses(_ files: [String]) throws {
    let base = FileManager.default.temporaryDirectory
      .appendingPathComponent("rehearsal-\(ProcessInfo.processInfo.processIdentifier)").path
    defer {
      // A leftover in the temporary folder does no harm.
      try? FileManager.default.removeItem(atPath: base)
    }
    var isSame = true
    for file in files {
      let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
      if let divergence = try divergence(of: file, in: "\(base)/\(name)") {
        isSame = false
        print("FAIL \(name)\n  " + divergence.lines.joined(separator: "\n"))
      } else {
        print("ok   \(name)")
      }
    }
    if !isSame {
      throw CommandFailure(code: 1, message: "rehearsal: two processes gave different runs")
    }
  }

  /// Where a process first wrote otherwise than the first one did; nil when none does.
  private func divergence(of file: String, in base: String) throws -> Divergence? {
    // All write to one place, then move: a lake's metadata holds its files' whole addresses.
    let (out, first) = ("\(base)/out", "\(base)/first")
    try play(file, into: out)
    try FileManager.default.moveItem(atPath: out, toPath: first)
    for _ in 1..<(processes ?? 2) {
      try play(file, into: out)
      if let found = try FolderComparison(first, out).firstDifferentByte() { return found }
      try FileManager.default.removeItem(atPath: out)
    }
    return nil
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
}
