import Moderation
import Pipeline
import Ports
import Synchronization

/// A record of a source topic with the instant at which the stream consumer applied it.
public struct AppliedRecord: Hashable, Sendable {
  /// The record.
  public var record: EventRecord
  /// When it was applied.
  public var appliedAt: ProcessingTime
}

/// An event that came after the watermark had passed it.
public struct LateEvent: Hashable, Sendable {
  /// The event.
  public var id: EventID
  /// Its image.
  public var image: ImageID?
  /// When it happened.
  public var time: EventTime
  /// From which instant on it counts.
  public var visibleFrom: EventTime
}

/// A run of a job.
public struct JobRun: Hashable, Sendable {
  /// The job.
  public var job: JobName
  /// When it began.
  public var at: ProcessingTime
  /// What it did, by name; empty when it failed.
  public var counts: [String: Int]
  /// Why it failed, if it did.
  public var failure: String?
  /// How many runs of jobs had ended when it began: those before it in ``RunResult/jobs``.
  public var runsBefore = 0
}

/// Gathers what the services report while a scenario runs.
final class RunCollector: Sendable {
  struct State {
    var applied: [AppliedRecord] = []
    /// Of each partition, the offset after the last record noted.
    var next: [TopicPartition: Int64] = [:]
    var late: [EventID: LateEvent] = [:]
    var duplicates = 0
    var logged: [FiredTrigger] = []
    var scores: [ScoredRequest] = []
    var scoreKeys: Set<ModerationID> = []
    var jobs: [JobRun] = []
    var crashes = 0
  }

  private let state = Mutex(State())

  var snapshot: State { state.withLock { $0 } }

  /// How many runs of jobs have ended.
  var endedJobs: Int { state.withLock { $0.jobs.count } }

  /// A batch is noted again when its reply was lost; each record counts once.
  func note(_ applied: AppliedPoll) {
    state.withLock { state in
      for record in applied.records {
        guard record.offset >= state.next[record.partition] ?? 0 else { continue }
        state.next[record.partition] = record.offset + 1
        state.applied.append(AppliedRecord(record: record, appliedAt: applied.at))
      }
      state.duplicates += applied.result.duplicates.count
      state.logged += applied.result.fired.filter { !$0.trigger.asksForScore }
      let repeated = Set(applied.result.duplicates)
      for (index, entry) in applied.batch.entries.enumerated() {
        guard let visibleFrom = entry.visibleFrom, !repeated.contains(index) else { continue }
        state.late[entry.event.id] = LateEvent(
          id: entry.event.id, image: entry.event.image, time: entry.event.time,
          visibleFrom: visibleFrom)
      }
    }
  }

  func note(_ score: ScoredRequest) {
    state.withLock { state in
      if state.scoreKeys.insert(score.row.id).inserted { state.scores.append(score) }
    }
  }

  func note(_ run: JobRun) { state.withLock { $0.jobs.append(run) } }

  func noteCrash() { state.withLock { $0.crashes += 1 } }
}
