import Moderation
import Ports

/// A backend of every port but the event log that notes each call and answers something telling.
struct StubStore {
  let calls = Journal<String>()
}

extension StubStore: FeatureStore {
  func apply(
    _ batch: FeatureBatch, policy: TriggerPolicy
  ) async throws(PortError) -> AppliedBatch {
    calls.note("apply \(batch.entries.count) \(policy.viral ?? 0)")
    return AppliedBatch(duplicates: [4])
  }

  func counts(_ questions: [CountQuestion]) async throws(PortError) -> [EngagementCounts] {
    calls.note("counts \(questions.count)")
    return [EngagementCounts(totalViews: RollingCounter.Tally(observed: 5))]
  }

  func progress() async throws(PortError) -> [TopicPartition: PartitionProgress] {
    calls.note("progress")
    return [TopicPartition("t", 1): PartitionProgress(nextOffset: 6, watermark: nil)]
  }

  func pending(asOf bound: EventTime, limit: Int) async throws(PortError) -> [ModerationRequest] {
    calls.note("pending \(bound.microseconds) \(limit)")
    return []
  }

  func acknowledge(_ requests: [ModerationRequest]) async throws(PortError) {
    calls.note("acknowledge \(requests.count)")
  }
}

extension StubStore: ApplicationStore {
  func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome] {
    calls.note("commit \(mutations.count)")
    return [.views(7)]
  }

  func fetch(_ keys: [RowKey]) async throws(PortError) -> [Row?] {
    calls.note("fetch \(keys.count)")
    return [nil]
  }

  func subjects(_ questions: [CountQuestion]) async throws(PortError) -> [SubjectRecord?] {
    calls.note("subjects \(questions.count)")
    return [nil, nil]
  }

  func outbox(limit: Int) async throws(PortError) -> [OutboxEntry] {
    calls.note("outbox \(limit)")
    return []
  }

  func markPublished(_ sequences: [Int64]) async throws(PortError) {
    calls.note("markPublished \(sequences)")
  }

  func snapshot() async throws(PortError) -> ApplicationSnapshot {
    calls.note("snapshot")
    return ApplicationSnapshot()
  }

  func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem] {
    calls.note("reviewQueue \(limit)")
    return []
  }
}

extension StubStore: ObjectStore {
  func put(_ key: String, _ bytes: [UInt8]) async throws(PortError) {
    calls.note("put \(key) \(bytes)")
  }

  func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool {
    calls.note("putIfAbsent \(key) \(bytes)")
    return true
  }

  func get(_ key: String) async throws(PortError) -> [UInt8] {
    calls.note("get \(key)")
    return [8]
  }

  func list(prefix: String) async throws(PortError) -> [String] {
    calls.note("list \(prefix)")
    return ["k"]
  }

  func delete(_ key: String) async throws(PortError) { calls.note("delete \(key)") }
}

extension StubStore: CheckpointStore {
  func load(_ name: String) async throws(PortError) -> Checkpoint? {
    calls.note("load \(name)")
    return Checkpoint(offsets: [TopicPartition("t", 0): 9])
  }

  func save(
    _ checkpoint: Checkpoint, as name: String, expecting expected: Checkpoint?
  ) async throws(PortError) {
    calls.note("save \(checkpoint.offsets.count) \(name) \(expected?.offsets.count ?? -1)")
  }
}

extension StubStore: Lake {
  func createTable(_ table: TableName, schema: TableSchema) async throws(PortError) {
    calls.note("createTable \(table) \(schema.fields.count)")
  }

  func tables() async throws(PortError) -> [TableName] {
    calls.note("tables")
    return [TableName("a", "b")]
  }

  func snapshots(of table: TableName) async throws(PortError) -> [TableSnapshot] {
    calls.note("snapshots \(table)")
    return []
  }

  func commit(
    _ change: TableChange, to table: TableName, expecting parent: SnapshotID?
  ) async throws(PortError) -> TableSnapshot {
    calls.note("commit \(change.id) \(table) \(parent ?? -1)")
    return TableSnapshot(
      id: change.id, parent: parent, committedAt: change.committedAt, operation: "append",
      summary: [:], rowCount: 3)
  }

  func scan(_ table: TableName, _ selection: RowSelection) async throws(PortError) -> RecordBatch {
    calls.note("scan \(table) \(selection.snapshot ?? -1)")
    return RecordBatch(schema: TableSchema([]))
  }

  func expire(
    _ table: TableName, olderThan instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    calls.note("expire \(table) \(instant)")
    return MaintenanceReport()
  }

  func compact(
    _ table: TableName, id: SnapshotID, at instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    calls.note("compact \(table) \(id) \(instant)")
    return MaintenanceReport()
  }

  func remains(
    of text: String, in table: TableName
  ) async throws(PortError) -> [String: Int] {
    calls.note("remains \(text) \(table)")
    return ["file": 2]
  }

  func evolve(_ table: TableName, _ change: SchemaChange) async throws(PortError) {
    calls.note("evolve \(table) \(change)")
  }
}

/// An event log, and its consumer, that note each call and answer something telling.
struct StubLog: EventLog, EventConsumer {
  let calls = Journal<String>()

  func createTopic(_ topic: String, partitions: Int) async throws(PortError) {
    calls.note("createTopic \(topic) \(partitions)")
  }

  func append(_ records: [ProducerRecord]) async throws(PortError) -> [RecordPosition] {
    calls.note("append \(records.count)")
    return [RecordPosition(partition: TopicPartition("t", 0), offset: 1)]
  }

  func read(
    _ partition: TopicPartition, from offset: Int64, limit: Int
  ) async throws(PortError) -> [EventRecord] {
    calls.note("read \(partition) \(offset) \(limit)")
    return []
  }

  func ends(of topic: String) async throws(PortError) -> [Int64] {
    calls.note("ends \(topic)")
    return [2]
  }

  func offset(
    of partition: TopicPartition, at time: EventTime
  ) async throws(PortError) -> Int64 {
    calls.note("offset \(partition) \(time.microseconds)")
    return 3
  }

  func join(
    _ group: String, member: String, topics: [String]
  ) async throws(PortError) -> any EventConsumer {
    calls.note("join \(group) \(member) \(topics)")
    return self
  }

  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll {
    calls.note("poll \(limit) \(deadline.microseconds)")
    return Poll(assignment: [TopicPartition("t", 0)])
  }

  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    calls.note("seek \(offsets)")
  }

  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    calls.note("commit \(offsets)")
  }

  func committed() async throws(PortError) -> [TopicPartition: Int64] {
    calls.note("committed")
    return [TopicPartition("t", 0): 4]
  }

  func leave() async throws(PortError) { calls.note("leave") }
}
