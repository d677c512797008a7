import Harness
import Lakehouse
import Moderation
import Ports

/// An ``ApplicationStore`` of which single methods can be replaced.
struct HookedStore: ApplicationStore {
  private let base: any ApplicationStore
  var onCommit: @Sendable ([Mutation]) async throws(PortError) -> [MutationOutcome]
  var onFetch: @Sendable ([RowKey]) async throws(PortError) -> [Row?]
  var onSubjects: @Sendable ([CountQuestion]) async throws(PortError) -> [SubjectRecord?]
  var onOutbox: @Sendable (Int) async throws(PortError) -> [OutboxEntry]
  var onSnapshot: @Sendable () async throws(PortError) -> ApplicationSnapshot

  init(_ base: any ApplicationStore) {
    self.base = base
    onCommit = { (mutations) async throws(PortError) in try await base.commit(mutations) }
    onFetch = { (keys) async throws(PortError) in try await base.fetch(keys) }
    onSubjects = { (questions) async throws(PortError) in try await base.subjects(questions) }
    onOutbox = { (limit) async throws(PortError) in try await base.outbox(limit: limit) }
    onSnapshot = { () async throws(PortError) in try await base.snapshot() }
  }

  func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome] {
    try await onCommit(mutations)
  }

  func fetch(_ keys: [RowKey]) async throws(PortError) -> [Row?] { try await onFetch(keys) }

  func subjects(_ questions: [CountQuestion]) async throws(PortError) -> [SubjectRecord?] {
    try await onSubjects(questions)
  }

  func outbox(limit: Int) async throws(PortError) -> [OutboxEntry] { try await onOutbox(limit) }

  func markPublished(_ sequences: [Int64]) async throws(PortError) {
    try await base.markPublished(sequences)
  }

  func snapshot() async throws(PortError) -> ApplicationSnapshot { try await onSnapshot() }

  func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem] {
    try await base.reviewQueue(limit: limit)
  }
}

/// An ``EventLog`` of which single methods can be replaced.
struct HookedLog: EventLog {
  private let base: any EventLog
  var onAppend: @Sendable ([ProducerRecord]) async throws(PortError) -> [RecordPosition]
  var onEnds: @Sendable (String) async throws(PortError) -> [Int64]
  /// Changes each consumer that joins.
  var onJoin: @Sendable (inout HookedConsumer, any EventConsumer) -> Void = { _, _ in }

  init(_ base: any EventLog) {
    self.base = base
    onAppend = { (records) async throws(PortError) in try await base.append(records) }
    onEnds = { (topic) async throws(PortError) in try await base.ends(of: topic) }
  }

  func createTopic(_ topic: String, partitions: Int) async throws(PortError) {
    try await base.createTopic(topic, partitions: partitions)
  }

  func append(_ records: [ProducerRecord]) async throws(PortError) -> [RecordPosition] {
    try await onAppend(records)
  }

  func read(
    _ partition: TopicPartition, from offset: Int64, limit: Int
  ) async throws(PortError) -> [EventRecord] {
    try await base.read(partition, from: offset, limit: limit)
  }

  func ends(of topic: String) async throws(PortError) -> [Int64] { try await onEnds(topic) }

  func offset(
    of partition: TopicPartition, at time: EventTime
  ) async throws(PortError) -> Int64 {
    try await base.offset(of: partition, at: time)
  }

  func join(
    _ group: String, member: String, topics: [String]
  ) async throws(PortError) -> any EventConsumer {
    let consumer = try await base.join(group, member: member, topics: topics)
    var hooked = HookedConsumer(consumer)
    onJoin(&hooked, consumer)
    return hooked
  }
}

/// An ``EventConsumer`` of which single methods can be replaced.
struct HookedConsumer: EventConsumer {
  private let base: any EventConsumer
  var onPoll: @Sendable (Int, ProcessingTime) async throws(PortError) -> Poll
  var onCommit: @Sendable ([TopicPartition: Int64]) async throws(PortError) -> Void

  init(_ base: any EventConsumer) {
    self.base = base
    onPoll = { (limit, deadline) async throws(PortError) in
      try await base.poll(limit: limit, until: deadline)
    }
    onCommit = { (offsets) async throws(PortError) in try await base.commit(offsets) }
  }

  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll {
    try await onPoll(limit, deadline)
  }

  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try await base.seek(offsets)
  }

  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try await onCommit(offsets)
  }

  func committed() async throws(PortError) -> [TopicPartition: Int64] {
    try await base.committed()
  }

  func leave() async throws(PortError) { try await base.leave() }
}

/// A ``FeatureStore`` of which single methods can be replaced.
struct HookedFeatures: FeatureStore {
  private let base: any FeatureStore
  var onApply: @Sendable (FeatureBatch, TriggerPolicy) async throws(PortError) -> AppliedBatch
  var onCounts: @Sendable ([CountQuestion]) async throws(PortError) -> [EngagementCounts]
  var onProgress: @Sendable () async throws(PortError) -> [TopicPartition: PartitionProgress]
  var onPending: @Sendable (EventTime, Int) async throws(PortError) -> [ModerationRequest]

  init(_ base: any FeatureStore) {
    self.base = base
    onApply = { (batch, policy) async throws(PortError) in
      try await base.apply(batch, policy: policy)
    }
    onCounts = { (questions) async throws(PortError) in try await base.counts(questions) }
    onProgress = { () async throws(PortError) in try await base.progress() }
    onPending = { (bound, limit) async throws(PortError) in
      try await base.pending(asOf: bound, limit: limit)
    }
  }

  func apply(
    _ batch: FeatureBatch, policy: TriggerPolicy
  ) async throws(PortError) -> AppliedBatch {
    try await onApply(batch, policy)
  }

  func counts(_ questions: [CountQuestion]) async throws(PortError) -> [EngagementCounts] {
    try await onCounts(questions)
  }

  func progress() async throws(PortError) -> [TopicPartition: PartitionProgress] {
    try await onProgress()
  }

  func pending(
    asOf bound: EventTime, limit: Int
  ) async throws(PortError) -> [ModerationRequest] {
    try await onPending(bound, limit)
  }

  func acknowledge(_ requests: [ModerationRequest]) async throws(PortError) {
    try await base.acknowledge(requests)
  }
}

/// An ``ObjectStore`` of which single methods can be replaced.
struct HookedObjects: ObjectStore {
  private let base: any ObjectStore
  var onPut: @Sendable (String, [UInt8]) async throws(PortError) -> Void
  var onDelete: @Sendable (String) async throws(PortError) -> Void
  var onList: @Sendable (String) async throws(PortError) -> [String]

  init(_ base: any ObjectStore) {
    self.base = base
    onPut = { (key, bytes) async throws(PortError) in try await base.put(key, bytes) }
    onDelete = { (key) async throws(PortError) in try await base.delete(key) }
    onList = { (prefix) async throws(PortError) in try await base.list(prefix: prefix) }
  }

  func put(_ key: String, _ bytes: [UInt8]) async throws(PortError) { try await onPut(key, bytes) }

  func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool {
    try await base.putIfAbsent(key, bytes)
  }

  func get(_ key: String) async throws(PortError) -> [UInt8] { try await base.get(key) }

  func list(prefix: String) async throws(PortError) -> [String] { try await onList(prefix) }

  func delete(_ key: String) async throws(PortError) { try await onDelete(key) }

  func synchronize() async throws(PortError) { try await base.synchronize() }
}

/// A ``TableCatalog`` whose pointers move no matter where they are.
struct BlindCatalog: TableCatalog {
  let base: any TableCatalog

  func createNamespace(_ namespace: String) async throws(PortError) {
    try await base.createNamespace(namespace)
  }

  func tables() async throws(PortError) -> [TableName] { try await base.tables() }

  func location(of table: TableName) async throws(PortError) -> String? {
    try await base.location(of: table)
  }

  func move(
    _ table: TableName, from expected: String?, to location: String
  ) async throws(PortError) {
    try await base.move(table, from: base.location(of: table), to: location)
  }

  func drop(_ table: TableName) async throws(PortError) { try await base.drop(table) }
}
