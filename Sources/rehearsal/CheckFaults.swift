import ArgumentParser
import Foundation
import Harness
import Lakehouse

/// `rehearsal check-faults`.
struct CheckFaults: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-faults",
    abstract: "Lets every port operation of every job fail in turn; outputs must not change.",
    discussion: """
      One run for each operation and kind of fault: an error, a lost reply, a crash after it. A
      crashed job is started again. The lake's files and pointers count as operations; at the end
      every snapshot of every table is read. Operations that only read get errors alone: the other
      kinds come to the same there.

      Examples:
        rehearsal check-faults job-faults
        rehearsal check-faults erasure --kind crash
      """)

  @Argument(help: "Scenarios.")
  var names: [String]

  @Option(help: "Only this kind: error, lost-reply or crash; may be given again.")
  var kind: [FaultSweep.Kind] = []

  @Option(help: "Runs at once.")
  var jobs = Parallel.width

  @OptionGroup var folders: Folders

  func run() throws {
    var failures = 0
    for name in names { failures += try sweep(try Folders.load(folders.file(name))) }
    if failures > 0 {
      throw CommandFailure(code: 1, message: "rehearsal: \(failures) faults changed what came out")
    }
  }

  /// One fault's run.
  private struct Task: Sendable {
    var operation: FaultSweep.Operation
    var kind: FaultSweep.Kind
  }

  private func sweep(_ scenario: Scenario) throws -> Int {
    let sweep: FaultSweep
    do {
      sweep = try FaultSweep(scenario)
    } catch {
      throw CommandFailure(error)
    }
    let kinds = kind.isEmpty ? FaultSweep.Kind.allCases : kind
    let tasks = sweep.operations.flatMap { operation in
      kinds.filter { $0 == .error || !operation.isRead }.map {
        Task(operation: operation, kind: $0)
      }
    }
    let found: [String]
    do throws(RunFailure) {
      found = try Parallel.map(tasks, width: jobs, progress: Terminal.progress(scenario.name)) {
        (task) throws(RunFailure) in
        try sweep.fault(task.kind, at: task.operation).map {
          "\(task.kind.rawValue) at \(task.operation)\n\($0)"
        }
      }.compactMap { $0 }
    } catch {
      Terminal.endProgress()
      throw CommandFailure(error)
    }
    Terminal.endProgress()
    for fault in found { print("FAIL \(scenario.name): \(fault)") }
    print(
      "\(found.isEmpty ? "ok  " : "FAIL") \(scenario.name): \(tasks.count) faults at "
        + "\(sweep.operations.count) operations, \(found.count) changed what came out")
    return found.count
  }
}

extension FaultSweep.Kind: ExpressibleByArgument {}
