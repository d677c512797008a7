import ArgumentParser
import Foundation
import Harness
import Synchronization

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
  var jobs = ProcessInfo.processInfo.activeProcessorCount

  @OptionGroup var folders: Folders

  func run() throws {
    var failures = 0
    for name in names { failures += try sweep(try Folders.load(folders.file(name))) }
    if failures > 0 {
      throw CommandFailure(code: 1, message: "rehearsal: \(failures) faults changed what came out")
    }
  }

  /// One fault's run, to be done by one of several threads.
  fileprivate struct Task: Sendable {
    var operation: FaultSweep.Operation
    var kind: FaultSweep.Kind
  }

  fileprivate struct Findings: Sendable {
    var next = 0
    var faults: [String] = []
    var failure: RunFailure?
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
    let findings = Mutex(Findings())
    let progress = Terminal.progress(scenario.name)
    DispatchQueue.concurrentPerform(iterations: max(1, jobs)) { _ in
      while let task = findings.withLock({ $0.take(tasks, progress) }) {
        do throws(RunFailure) {
          guard let fault = try sweep.fault(task.kind, at: task.operation) else { continue }
          findings.withLock {
            $0.faults.append("\(task.kind.rawValue) at \(task.operation)\n\(fault)")
          }
        } catch {
          findings.withLock { $0.failure = error }
        }
      }
    }
    Terminal.endProgress()
    let found = findings.withLock { $0 }
    if let failure = found.failure { throw CommandFailure(failure) }
    for fault in found.faults.sorted() { print("FAIL \(scenario.name): \(fault)") }
    print(
      "\(found.faults.isEmpty ? "ok  " : "FAIL") \(scenario.name): \(tasks.count) faults at "
        + "\(sweep.operations.count) operations, \(found.faults.count) changed what came out")
    return found.faults.count
  }
}

extension CheckFaults.Findings {
  /// The next task; nil when all are taken, or one couldn't be judged.
  fileprivate mutating func take(
    _ tasks: [CheckFaults.Task], _ progress: (Double) -> Void
  ) -> CheckFaults.Task? {
    guard failure == nil, next < tasks.count else { return nil }
    next += 1
    progress(Double(next) / Double(tasks.count))
    return tasks[next - 1]
  }
}

extension FaultSweep.Kind: ExpressibleByArgument {}
