import Moderation
import Pipeline
import Ports

extension Backends {
  /// The same ports, with a watch that sees what they do. The lake isn't among them: who opens it
  /// through a gate watches it above the gate.
  func watched(by watch: RunWatch, _ collector: RunCollector) -> Backends {
    var backends = self
    backends.log = WatchedEventLog(base: log, watch: watch)
    backends.features = WatchedFeatureStore(base: features, watch: watch, collector: collector)
    backends.checkpoints = WatchedCheckpointStore(base: checkpoints, watch: watch)
    return backends
  }
}

/// An ``EventLog`` of which polls and group offsets are seen.
struct WatchedEventLog: EventLog {
  let base: any EventLog
  let watch: RunWatch

  func createTopic(_ topic: String, partitions: Int) async throws(PortError) {
    try await base.createTopic(topic, partitions: partitions)
  }

  func append(_ records: [ProducerRecord]) async throws(PortError) -> [RecordPosition] {
    try await base.append(records)
  }

  func read(
    _ partition: TopicPartition, from offset: Int64, limit: Int
  ) async throws(PortError) -> [EventRecord] {
    try await base.read(partition, from: offset, limit: limit)
  }

  func ends(of topic: String) async throws(PortError) -> [Int64] { try await base.ends(of: topic) }

  func offset(
    of partition: TopicPartition, at time: EventTime
  ) async throws(PortError) -> Int64 {
    try await base.offset(of: partition, at: time)
  }

  func join(
    _ group: String, member: String, topics: [String]
  ) async throws(PortError) -> any EventConsumer {
    WatchedEventConsumer(
      base: try await base.join(group, member: member, topics: topics), group: group, watch: watch)
  }
}

/// An ``EventConsumer`` of which polls and commits are seen.
struct WatchedEventConsumer: EventConsumer {
  let base: any EventConsumer
  let group: String
  let watch: RunWatch

  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll {
    let poll = try await base.poll(limit: limit, until: deadline)
    if !poll.records.isEmpty { watch.see(.polled(group: group, poll.records)) }
    return poll
  }

  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try await base.seek(offsets)
  }

  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try await base.commit(offsets)
    watch.see(.groupOffsets(group: group, offsets))
  }

  func committed() async throws(PortError) -> [TopicPartition: Int64] {
    let offsets = try await base.committed()
    watch.see(.groupOffsets(group: group, offsets))
    return offsets
  }

  func leave() async throws(PortError) { try await base.leave() }
}

/// A ``FeatureStore`` of which batches and progress are seen, and of which what it applied is
/// noted, whether or not the caller hears of it.
struct WatchedFeatureStore: FeatureStore {
  let base: any FeatureStore
  let watch: RunWatch
  let collector: RunCollector

  func apply(
    _ batch: FeatureBatch, policy: TriggerPolicy
  ) async throws(PortError) -> AppliedBatch {
    let applied = try await base.apply(batch, policy: policy)
    watch.see(.advanced(batch.partitions))
    collector.note(batch, applied, at: watch.now)
    return applied
  }

  func counts(_ questions: [CountQuestion]) async throws(PortError) -> [EngagementCounts] {
    try await base.counts(questions)
  }

  func progress() async throws(PortError) -> [TopicPartition: PartitionProgress] {
    let progress = try await base.progress()
    watch.see(.progress(progress))
    return progress
  }

  func pending(
    asOf bound: EventTime, limit: Int
  ) async throws(PortError) -> [ModerationRequest] {
    try await base.pending(asOf: bound, limit: limit)
  }

  func acknowledge(_ requests: [ModerationRequest]) async throws(PortError) {
    try await base.acknowledge(requests)
  }
}

/// A ``CheckpointStore`` of which saves are seen.
struct WatchedCheckpointStore: CheckpointStore {
  let base: any CheckpointStore
  let watch: RunWatch

  func load(_ name: String) async throws(PortError) -> Checkpoint? { try await base.load(name) }

  func save(
    _ checkpoint: Checkpoint, as name: String, expecting expected: Checkpoint?
  ) async throws(PortError) {
    try await base.save(checkpoint, as: name, expecting: expected)
    watch.see(.checkpoint(name, checkpoint))
  }
}

/// A ``Lake`` of which snapshots are seen, when they are committed and when they are listed: a
/// commit whose reply was lost is seen by who looks next.
struct WatchedLake: Lake {
  let base: any Lake
  let watch: RunWatch

  func createTable(_ table: TableName, schema: TableSchema) async throws(PortError) {
    try await base.createTable(table, schema: schema)
  }

  func tables() async throws(PortError) -> [TableName] { try await base.tables() }

  func snapshots(of table: TableName) async throws(PortError) -> [TableSnapshot] {
    let snapshots = try await base.snapshots(of: table)
    if let last = snapshots.last { watch.see(.snapshot(table, last)) }
    return snapshots
  }

  func commit(
    _ change: TableChange, to table: TableName, expecting parent: SnapshotID?
  ) async throws(PortError) -> TableSnapshot {
    let snapshot = try await base.commit(change, to: table, expecting: parent)
    watch.see(.snapshot(table, snapshot))
    return snapshot
  }

  func scan(_ table: TableName, _ selection: RowSelection) async throws(PortError) -> RecordBatch {
    try await base.scan(table, selection)
  }

  func expire(
    _ table: TableName, olderThan instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    try await base.expire(table, olderThan: instant)
  }

  func compact(
    _ table: TableName, id: SnapshotID, at instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    try await base.compact(table, id: id, at: instant)
  }

  func remains(of text: String, in table: TableName) async throws(PortError) -> [String: Int] {
    try await base.remains(of: text, in: table)
  }

  func evolve(_ table: TableName, _ change: SchemaChange) async throws(PortError) {
    try await base.evolve(table, change)
  }
}
