import Pipeline
import Ports
import Simulation

/// One port operation that goes wrong.
struct Fault: CustomStringConvertible, Sendable {
  /// In what way.
  enum Kind: String, CaseIterable, Sendable {
    /// It isn't carried out; trying again may help.
    case before
    /// It is carried out, but the reply is lost; trying again may help.
    case after
    /// The process dies before it.
    case crashBefore
    /// The process dies right after it.
    case crashAfter
  }

  let kind: Kind
  let index: Int

  var description: String { "\(kind.rawValue) operation \(index)" }

  func verdict(_ operation: PortOperation) -> Verdict {
    guard operation.index == index else { return .pass }
    let error = PortError(
      kind == .before || kind == .after ? .unavailable : .cancelled, port: "test",
      operation: operation.name, hint: "\(self)")
    return kind == .before || kind == .crashBefore ? .failBefore(error) : .failAfter(error)
  }
}

/// What became of running the same thing with each of its port operations going wrong.
struct FaultSurvey<Outcome: Sendable>: Sendable {
  /// Without a fault.
  let expected: Outcome
  /// How many runs had a fault.
  private(set) var faultyRuns = 0
  /// The faults after which the outcome was another: what it was, and at which operation.
  private(set) var deviations: [String] = []

  /// Runs `run` without a fault, then with every fault at every operation until a run ends before
  /// the operation comes.
  init(
    _ kinds: [Fault.Kind] = Fault.Kind.allCases, limit: Int = 1000,
    _ run: (PortGate.Plan) throws -> Outcome
  ) throws where Outcome: Equatable {
    expected = try run(PortGate.Plan())
    for kind in kinds {
      var index = 0
      while true {
        let fault = Fault(kind: kind, index: index)
        let hit = Notes<String>()
        let plan = PortGate.Plan { operation in
          if operation.index == fault.index { hit.note(operation.name) }
          return fault.verdict(operation)
        }
        let outcome = try run(plan)
        guard let name = hit.values.first else { break }
        if outcome != expected { deviations.append("\(fault), \(name)") }
        faultyRuns += 1
        index += 1
        guard index < limit else { throw Unfinished(stop: "more than \(limit) operations") }
      }
    }
  }
}

extension World {
  /// Runs a job as an operator does: after a crash, again.
  @discardableResult
  func complete<Work: Job>(
    _ job: Work, attempts: Int = 3
  ) async throws(PortError) -> [String: Int] {
    for _ in 1..<attempts {
      do throws(PortError) {
        return try await job.run()
      } catch {
        environment.record("crashed", [.text("error", error.description)])
      }
    }
    return try await job.run()
  }
}
