@testable import Moderation
import Ports
import Synchronization

/// A database without the unique key on a score's request and mode.
struct KeylessStore: ApplicationStore {
  let base: any ApplicationStore
  let ids: any IDSource

  func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome] {
    try await base.commit(
      mutations.map { mutation in
        guard case .insertModeration(var row) = mutation else { return mutation }
        row.id = ids.make(label: "row")
        row.requestID = ids.make(label: "row")
        return .insertModeration(row)
      })
  }

  func fetch(_ keys: [RowKey]) async throws(PortError) -> [Row?] { try await base.fetch(keys) }

  func subjects(_ questions: [CountQuestion]) async throws(PortError) -> [SubjectRecord?] {
    try await base.subjects(questions)
  }

  func outbox(limit: Int) async throws(PortError) -> [OutboxEntry] {
    try await base.outbox(limit: limit)
  }

  func markPublished(_ sequences: [Int64]) async throws(PortError) {
    try await base.markPublished(sequences)
  }

  func snapshot() async throws(PortError) -> ApplicationSnapshot { try await base.snapshot() }

  func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem] {
    try await base.reviewQueue(limit: limit)
  }
}

/// A database whose failed commits nobody learns of.
struct SwallowingStore: ApplicationStore {
  let base: any ApplicationStore

  func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome] {
    do throws(PortError) {
      return try await base.commit(mutations)
    } catch {
      return mutations.map { _ in .done }
    }
  }

  func fetch(_ keys: [RowKey]) async throws(PortError) -> [Row?] { try await base.fetch(keys) }

  func subjects(_ questions: [CountQuestion]) async throws(PortError) -> [SubjectRecord?] {
    try await base.subjects(questions)
  }

  func outbox(limit: Int) async throws(PortError) -> [OutboxEntry] {
    try await base.outbox(limit: limit)
  }

  func markPublished(_ sequences: [Int64]) async throws(PortError) {
    try await base.markPublished(sequences)
  }

  func snapshot() async throws(PortError) -> ApplicationSnapshot { try await base.snapshot() }

  func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem] {
    try await base.reviewQueue(limit: limit)
  }
}

/// A feature store whose trigger memory is in the consumer's process; windows and progress stay.
final class ForgetfulStore: FeatureStore {
  private struct State {
    var windows: [ImageID: ImageWindows] = [:]
    var progress: [TopicPartition: PartitionProgress] = [:]
  }

  private let state = Mutex(State())

  /// Forgets which triggers have fired, as the process's end does.
  func restart() {
    state.withLock { state in
      for image in state.windows.keys { state.windows[image]?.forgetTriggers() }
    }
  }

  func apply(
    _ batch: FeatureBatch, policy: TriggerPolicy
  ) async throws(PortError) -> AppliedBatch {
    state.withLock { state in
      var result = AppliedBatch()
      for entry in batch.entries {
        guard let image = entry.event.image, let metric = entry.event.kind.metric else { continue }
        state.windows[image, default: ImageWindows()].record(
          metric, at: entry.event.time, visibleFrom: nil, isEligible: true, image: image,
          policy: policy, fired: &result.fired)
      }
      for advance in batch.partitions {
        state.progress[advance.partition] = PartitionProgress(
          nextOffset: advance.to, watermark: advance.watermark)
      }
      return result
    }
  }

  func counts(_ questions: [CountQuestion]) async throws(PortError) -> [EngagementCounts] {
    state.withLock { state in
      questions.map { state.windows[$0.image]?.counts(asOf: $0.asOf) ?? EngagementCounts() }
    }
  }

  func progress() async throws(PortError) -> [TopicPartition: PartitionProgress] {
    state.withLock { $0.progress }
  }

  func pending(
    asOf bound: EventTime, limit: Int
  ) async throws(PortError) -> [ModerationRequest] { [] }

  func acknowledge(_ requests: [ModerationRequest]) async throws(PortError) {}
}
