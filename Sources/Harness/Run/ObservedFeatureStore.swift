import Moderation
import Ports

/// Notes what a feature store applied, whether or not the caller hears of it.
struct ObservedFeatureStore: FeatureStore {
  let base: any FeatureStore
  let collector: RunCollector
  let time: any TimeSource

  func apply(_ batch: FeatureBatch, policy: TriggerPolicy) async throws(PortError) -> AppliedBatch {
    let applied = try await base.apply(batch, policy: policy)
    collector.note(batch, applied, at: time.now)
    return applied
  }

  func counts(_ questions: [CountQuestion]) async throws(PortError) -> [EngagementCounts] {
    try await base.counts(questions)
  }

  func progress() async throws(PortError) -> [TopicPartition: PartitionProgress] {
    try await base.progress()
  }

  func pending(asOf bound: EventTime, limit: Int) async throws(PortError) -> [ModerationRequest] {
    try await base.pending(asOf: bound, limit: limit)
  }

  func acknowledge(_ requests: [ModerationRequest]) async throws(PortError) {
    try await base.acknowledge(requests)
  }
}
