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
  /// When it came to its end, or failed.
  public var endedAt: ProcessingTime
  /// What it did, by name; empty when it failed.
  public var counts: [String: Int]
  /// Why it failed, if it did.
  public var failure: String?
  /// Whether it was started again after the failure.
  public var isRepeated = false
  /// How many runs of jobs had ended when it began: those before it in ``RunResult/jobs``.
  public var runsBefore = 0
}

/// Records of one partition that were applied together.
struct AppliedRange: Hashable, Sendable {
  var partition: TopicPartition
  var offsets: Range<Int64>
}

/// Gathers what happens while a scenario runs: what backends carried out, and what services report.
final class RunCollector: Sendable {
  struct State {
    /// The ranges of each batch that brought something new, and when.
    var batches: [(ranges: [AppliedRange], at: ProcessingTime)] = []
    var appliedCount = 0
    /// Of each partition, the offset after the last record noted.
    var next: [TopicPartition: Int64] = [:]
    var late: [EventID: LateEvent] = [:]
    var duplicates = 0
    var logged: Set<FiredTrigger> = []
    var scores: [ScoredRequest] = []
    /// Of each score, how many records had been applied by then.
    var appliedBeforeScore: [Int] = []
    var scoreKeys: Set<ModerationID> = []
    /// What the database said when a job last made training rows from it.
    var extracts: [JobName: ApplicationSnapshot] = [:]
    var jobs: [JobRun] = []
    var crashes = 0
    var hasOpenJobs = false
  }

  private let state = Mutex(State())

  var snapshot: State { state.withLock { $0 } }

  /// How many runs of jobs have ended.
  var endedJobs: Int { state.withLock { $0.jobs.count } }

  /// A batch that the feature store applied; what it applied before counts once.
  func note(_ batch: FeatureBatch, _ result: AppliedBatch, at now: ProcessingTime) {
    state.withLock { state in
      let ranges = batch.partitions.compactMap { advance -> AppliedRange? in
        let from = max(advance.from, state.next[advance.partition] ?? 0)
        guard advance.to > from else { return nil }
        state.next[advance.partition] = advance.to
        return AppliedRange(partition: advance.partition, offsets: from..<advance.to)
      }
      state.appliedCount += ranges.reduce(0) { $0 + $1.offsets.count }
      if !ranges.isEmpty { state.batches.append((ranges, now)) }
      state.duplicates += result.duplicates.count
      state.logged.formUnion(result.fired.filter { !$0.trigger.asksForScore })
      let repeated = Set(result.duplicates)
      // By index: an entry is large, and hardly any is late.
      for index in batch.entries.indices {
        guard let visibleFrom = batch.entries[index].visibleFrom, !repeated.contains(index)
        else { continue }
        let event = batch.entries[index].event
        state.late[event.id] = LateEvent(
          id: event.id, image: event.image, time: event.time, visibleFrom: visibleFrom)
      }
    }
  }

  func note(_ score: ScoredRequest) {
    state.withLock { state in
      guard state.scoreKeys.insert(score.row.id).inserted else { return }
      state.scores.append(score)
      state.appliedBeforeScore.append(state.appliedCount)
    }
  }

  func note(_ extract: ApplicationSnapshot, of job: JobName) {
    state.withLock { $0.extracts[job] = extract }
  }

  func note(_ run: JobRun) { state.withLock { $0.jobs.append(run) } }

  func noteJobs(open: Bool) { state.withLock { $0.hasOpenJobs = open } }

  var hasOpenJobs: Bool { state.withLock { $0.hasOpenJobs } }

  func noteCrash() { state.withLock { $0.crashes += 1 } }
}
