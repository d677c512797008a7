import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization

/// Interesting states that a campaign should have been in: those never reached say what it didn't
/// try.
public enum Mark: String, CaseIterable, Sendable {
  case duplicate = "a record came twice and was recognised"
  case late = "an event came late"
  case deadLetter = "a record went to the dead letters"
  case sharedPartitions = "two consumers shared the partitions"
  case rebalancePending = "a rebalance while a trigger was pending"
  case scheduled = "a request was published by the scheduler"
  case scoredAgain = "a request was scored again"
  case waited = "a score waited over a minute for the watermark"
  case retried = "a service met an error and went on"
  case conflict = "a writer met a conflict and tried again"
  case crashedAtCall = "a component crashed at a call"
  case jobRepeated = "a job failed and was started again"
  case jobBetween = "events were applied while a job ran"
  case evicted = "the feature store lost applied events"
  case refused = "a client gave up"
  case erased = "an erasure removed rows"
  case excluded = "governance left out somebody's events"
  case labelled = "a training row had a label"
}

/// Counts what a run traces; no line is made of it.
final class MarkTrace: Trace {
  private struct State {
    var marks: Set<Mark> = []
    var triggers = 0
    var scored = 0
    var openJobs: Set<String> = []
  }

  private let state = Mutex(State())

  var isEnabled: Bool { true }

  /// The marks reached so far.
  var marks: Set<Mark> { state.withLock { $0.marks } }

  /// How many scores were stored, repeated ones included.
  var scored: Int { state.withLock { $0.scored } }

  func record(
    at time: ProcessingTime, component: String, event: StaticString, fields: [TraceField]
  ) {
    let name = "\(event)"
    state.withLock { state in
      switch name {
      case "trigger": state.triggers += 1
      case "scored": state.scored += 1
      case "assigned" where state.triggers > state.scored && state.triggers > 0:
        state.marks.insert(.rebalancePending)
      case "requested": state.marks.insert(.scheduled)
      case "retry":
        state.marks.insert(.retried)
        if fields.contains(where: { $0.says(": conflict: ") }) { state.marks.insert(.conflict) }
      case "fault" where fields.contains(where: { $0.says("crash-") }):
        state.marks.insert(.crashedAtCall)
      case "erased-rows": state.marks.insert(.erased)
      default: break
      }
    }
  }
}

extension TraceField {
  fileprivate func says(_ part: String) -> Bool {
    if case .text(let text) = value { text.contains(part) } else { false }
  }
}

extension RunResult {
  /// The marks that what came of the run shows.
  var reachedMarks: Set<Mark> {
    var marks: Set<Mark> = []
    func mark(_ mark: Mark, _ isReached: Bool) { if isReached { marks.insert(mark) } }
    mark(.duplicate, duplicates > 0)
    mark(.late, !late.isEmpty)
    mark(.deadLetter, !deadLetters.isEmpty)
    mark(.sharedPartitions, scenario.consumers > 1 && scenario.policy.partitions > 1)
    mark(.waited, scores.contains { $0.row.createdAt > $0.asOf + .seconds(60) })
    mark(.jobRepeated, jobs.contains(where: \.isRepeated))
    mark(.refused, apiRefused > 0)
    mark(.excluded, scores.contains { $0.observed != $0.governed })
    mark(.labelled, trainingRows.contains { $0.label != nil })
    for (fault, hits) in zip(scenario.faults, faultHits) where hits > 0 {
      if case .evict(let back) = fault.kind { mark(.evicted, back > .zero) }
    }
    mark(
      .jobBetween,
      jobs.contains { job in
        applied.contains { $0.appliedAt > job.at && $0.appliedAt < job.endedAt }
      })
    return marks
  }
}
