import ArgumentParser
import Foundation
import Harness
import Lakehouse

/// `rehearsal check-faults`.
struct CheckFaults: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-faults",
    abstract: "Lets jobs' operations fail and services be away; outputs must not change.",
    discussion: """
      One run for each operation and kind of fault: an error, a lost reply, a crash after it. A
      crashed job is started again. The lake's files and pointers count as operations; at the end
      every snapshot of every table is read. Operations that only read get errors alone: the other
      kinds come to the same there.

      With --outages, services suffer instead: each pauses and crashes for half of the scenario,
      and other numbers of consumers, batches and ticks are played. What comes out rightly differs
      where events are late, where no job runs after the outage, and under `scoring: immediate`.

      Examples:
        rehearsal check-faults job-faults
        rehearsal check-faults erasure --kind crash
        rehearsal check-faults viral-burst --outages
      """)

  @Argument(help: "Scenarios.")
  var names: [String]

  @Option(help: "Only this kind: error, lost-reply or crash; may be given again.")
  var kind: [FaultSweep.Kind] = []

  @Flag(help: "Each service away for half the scenario, and other instances, batches and ticks.")
  var outages = false

  @Option(help: "Runs at once.")
  var jobs = Parallel.width

  @OptionGroup var folders: Folders

  func validate() throws {
    guard kind.isEmpty || !outages else {
      throw ValidationError("--kind is of operations; leave it out with --outages")
    }
  }

  func run() throws {
    var failures = 0
    for name in names {
      let scenario = try Folders.load(folders.file(name))
      do throws(RunFailure) {
        failures += try outages ? sweepOutages(of: scenario) : sweepOperations(of: scenario)
      } catch {
        Terminal.endProgress()
        throw CommandFailure(error)
      }
    }
    if failures > 0 {
      throw CommandFailure(code: 1, message: "rehearsal: \(failures) runs gave something else")
    }
  }

  /// One run: what it is called, and what is wrong with it, or nil.
  private struct Disturbance: Sendable {
    var name: String
    var play: @Sendable () throws(RunFailure) -> String?
  }

  private func sweepOperations(of scenario: Scenario) throws(RunFailure) -> Int {
    let sweep = try FaultSweep(scenario)
    let kinds = kind.isEmpty ? FaultSweep.Kind.allCases : kind
    let disturbances = sweep.operations.flatMap { operation in
      kinds.filter { $0 == .error || !operation.isRead }.map { kind in
        Disturbance(name: "\(kind.rawValue) at \(operation)") { () throws(RunFailure) in
          try sweep.fault(kind, at: operation)
        }
      }
    }
    return try play(
      disturbances, of: scenario,
      as: "\(disturbances.count) faults at \(sweep.operations.count) operations")
  }

  private func sweepOutages(of scenario: Scenario) throws(RunFailure) -> Int {
    let sweep = try OutageSweep(scenario)
    let disturbances = sweep.variants.map { variant in
      Disturbance(name: variant.description) { () throws(RunFailure) in try sweep.fault(variant) }
    }
    return try play(
      disturbances, of: scenario,
      as: "\(disturbances.count) outages, numbers of consumers, batches and ticks")
  }

  /// Says which of them changed what came out, and gives their number.
  private func play(
    _ disturbances: [Disturbance], of scenario: Scenario, as summary: String
  ) throws(RunFailure) -> Int {
    let progress = Terminal.progress(scenario.name)
    let found = try Parallel.map(disturbances, width: jobs, progress: progress) {
      (disturbance) throws(RunFailure) in
      try disturbance.play().map { "\(disturbance.name)\n\($0)" }
    }.compactMap { $0 }
    Terminal.endProgress()
    for fault in found { print("FAIL \(scenario.name): \(fault)") }
    print(
      "\(found.isEmpty ? "ok  " : "FAIL") \(scenario.name): \(summary), "
        + "\(found.count) changed what came out")
    return found.count
  }
}

extension FaultSweep.Kind: ExpressibleByArgument {}
