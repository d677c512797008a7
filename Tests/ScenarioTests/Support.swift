import Foundation
import Harness
import Moderation
import Simulation
import Synchronization
import Testing

/// The repository's folder: three above this file.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

/// A scenario of the tree.
func scenario(_ name: String) throws -> Scenario {
  let path = "\(root)/scenarios/\(name).yaml"
  let data = try #require(FileManager.default.contents(atPath: path))
  return try Scenario(yaml: String(decoding: data, as: UTF8.self), file: path)
}

/// What came of a scenario as it stands; each is played once for all tests.
func played(_ name: String) throws -> RunResult {
  if let known = runs.withLock({ $0[name] }) { return known }
  let run = try play(scenario(name))
  runs.withLock { $0[name] = run }
  return run
}

private let runs = Mutex<[String: RunResult]>([:])

/// Runs a scenario without a trace.
func play(
  _ scenario: Scenario, scheduling: Scheduling = .fifo,
  _ change: (inout RunOptions) -> Void = { _ in }
) throws -> RunResult {
  var options = RunOptions()
  options.scheduling = scheduling
  options.isTraced = false
  change(&options)
  return try ScenarioRun(scenario, options: options).run()
}
