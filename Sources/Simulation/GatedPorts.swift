import Moderation
import Ports
import Synchronization

/// An ``EventLog`` behind a ``PortGate``.
public struct GatedEventLog: EventLog {
  private let base: any EventLog
  private let gate: PortGate

  /// Puts `base` behind `gate`.
  public init(_ base: any EventLog, gate: PortGate) {
    self.base = base
    self.gate = gate
  }

  /// See ``EventLog``.
  public func createTopic(_ topic: String, partitions: Int) async throws(PortError) {
    try await gate.around("EventLog.createTopic") { () async throws(PortError) in
      try await base.createTopic(topic, partitions: partitions)
    }
  }

  /// See ``EventLog``.
  public func append(_ records: [ProducerRecord]) async throws(PortError) -> [RecordPosition] {
    try await gate.around("EventLog.append") { () async throws(PortError) in
      try await base.append(records)
    }
  }

  /// See ``EventLog``.
  public func read(
    _ partition: TopicPartition, from offset: Int64, limit: Int
  ) async throws(PortError) -> [EventRecord] {
    try await gate.around("EventLog.read") { () async throws(PortError) in
      try await base.read(partition, from: offset, limit: limit)
    }
  }

  /// See ``EventLog``.
  public func ends(of topic: String) async throws(PortError) -> [Int64] {
    try await gate.around("EventLog.ends") { () async throws(PortError) in
      try await base.ends(of: topic)
    }
  }

  /// See ``EventLog``.
  public func offset(
    of partition: TopicPartition, at time: EventTime
  ) async throws(PortError) -> Int64 {
    try await gate.around("EventLog.offset") { () async throws(PortError) in
      try await base.offset(of: partition, at: time)
    }
  }

  /// See ``EventLog``.
  public func join(
    _ group: String, member: String, topics: [String]
  ) async throws(PortError) -> any EventConsumer {
    let consumer = try await gate.around("EventLog.join") { () async throws(PortError) in
      try await base.join(group, member: member, topics: topics)
    }
    return GatedEventConsumer(base: consumer, gate: gate)
  }
}

/// An ``EventConsumer`` behind a ``PortGate``.
final class GatedEventConsumer: EventConsumer {
  private let base: any EventConsumer
  private let gate: PortGate
  /// The records of the last poll that had any, for a broker that hands them out again.
  private let recent = Mutex<[EventRecord]>([])

  init(base: any EventConsumer, gate: PortGate) {
    self.base = base
    self.gate = gate
  }

  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll {
    try await gate.decided("EventConsumer.poll") { verdict async throws(PortError) in
      var poll = try await base.poll(limit: limit, until: gate.right(deadline))
      let fresh = poll.records
      if case .reorder(let seed) = verdict { poll.records.mixPartitions(seed: seed) }
      recent.withLock { recent in
        if poll.assignment != nil { recent = [] }
        if case .redeliver(let last) = verdict { poll.records = recent.suffix(last) + poll.records }
        if !fresh.isEmpty { recent = fresh }
      }
      return poll
    }
  }

  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try await gate.around("EventConsumer.seek") { () async throws(PortError) in
      try await base.seek(offsets)
    }
  }

  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try await gate.around("EventConsumer.commit") { () async throws(PortError) in
      try await base.commit(offsets)
    }
  }

  func committed() async throws(PortError) -> [TopicPartition: Int64] {
    try await gate.around("EventConsumer.committed") { () async throws(PortError) in
      try await base.committed()
    }
  }

  func leave() async throws(PortError) {
    try await gate.around("EventConsumer.leave") { () async throws(PortError) in
      try await base.leave()
    }
  }
}

/// A ``FeatureStore`` behind a ``PortGate``.
public struct GatedFeatureStore: FeatureStore {
  private let base: any FeatureStore
  private let gate: PortGate

  /// Puts `base` behind `gate`.
  public init(_ base: any FeatureStore, gate: PortGate) {
    self.base = base
    self.gate = gate
  }

  /// See ``FeatureStore``.
  public func apply(
    _ batch: FeatureBatch, policy: TriggerPolicy
  ) async throws(PortError) -> AppliedBatch {
    try await gate.around("FeatureStore.apply") { () async throws(PortError) in
      try await base.apply(batch, policy: policy)
    }
  }

  /// See ``FeatureStore``.
  public func counts(
    _ questions: [CountQuestion]
  ) async throws(PortError) -> [EngagementCounts] {
    try await gate.around("FeatureStore.counts") { () async throws(PortError) in
      try await base.counts(questions)
    }
  }

  /// See ``FeatureStore``.
  public func progress() async throws(PortError) -> [TopicPartition: PartitionProgress] {
    try await gate.around("FeatureStore.progress") { () async throws(PortError) in
      try await base.progress()
    }
  }

  /// See ``FeatureStore``.
  public func pending(
    asOf bound: EventTime, limit: Int
  ) async throws(PortError) -> [ModerationRequest] {
    try await gate.around("FeatureStore.pending") { () async throws(PortError) in
      try await base.pending(asOf: bound, limit: limit)
    }
  }

  /// See ``FeatureStore``.
  public func acknowledge(_ requests: [ModerationRequest]) async throws(PortError) {
    try await gate.around("FeatureStore.acknowledge") { () async throws(PortError) in
      try await base.acknowledge(requests)
    }
  }
}

/// An ``ApplicationStore`` behind a ``PortGate``.
public struct GatedApplicationStore: ApplicationStore {
  private let base: any ApplicationStore
  private let gate: PortGate

  /// Puts `base` behind `gate`.
  public init(_ base: any ApplicationStore, gate: PortGate) {
    self.base = base
    self.gate = gate
  }

  /// See ``ApplicationStore``.
  public func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome] {
    try await gate.around("ApplicationStore.commit") { () async throws(PortError) in
      try await base.commit(mutations)
    }
  }

  /// See ``ApplicationStore``.
  public func fetch(_ keys: [RowKey]) async throws(PortError) -> [Row?] {
    try await gate.around("ApplicationStore.fetch") { () async throws(PortError) in
      try await base.fetch(keys)
    }
  }

  /// See ``ApplicationStore``.
  public func subjects(_ questions: [CountQuestion]) async throws(PortError) -> [SubjectRecord?] {
    try await gate.around("ApplicationStore.subjects") { () async throws(PortError) in
      try await base.subjects(questions)
    }
  }

  /// See ``ApplicationStore``.
  public func outbox(limit: Int) async throws(PortError) -> [OutboxEntry] {
    try await gate.around("ApplicationStore.outbox") { () async throws(PortError) in
      try await base.outbox(limit: limit)
    }
  }

  /// See ``ApplicationStore``.
  public func markPublished(_ sequences: [Int64]) async throws(PortError) {
    try await gate.around("ApplicationStore.markPublished") { () async throws(PortError) in
      try await base.markPublished(sequences)
    }
  }

  /// See ``ApplicationStore``.
  public func snapshot() async throws(PortError) -> ApplicationSnapshot {
    try await gate.around("ApplicationStore.snapshot") { () async throws(PortError) in
      try await base.snapshot()
    }
  }

  /// See ``ApplicationStore``.
  public func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem] {
    try await gate.around("ApplicationStore.reviewQueue") { () async throws(PortError) in
      try await base.reviewQueue(limit: limit)
    }
  }
}

/// A ``Lake`` behind a ``PortGate``.
public struct GatedLake: Lake {
  private let base: any Lake
  private let gate: PortGate

  /// Puts `base` behind `gate`.
  public init(_ base: any Lake, gate: PortGate) {
    self.base = base
    self.gate = gate
  }

  /// See ``Lake``.
  public func createTable(_ table: TableName, schema: TableSchema) async throws(PortError) {
    try await gate.around("Lake.createTable") { () async throws(PortError) in
      try await base.createTable(table, schema: schema)
    }
  }

  /// See ``Lake``.
  public func tables() async throws(PortError) -> [TableName] {
    try await gate.around("Lake.tables") { () async throws(PortError) in
      try await base.tables()
    }
  }

  /// See ``Lake``.
  public func snapshots(of table: TableName) async throws(PortError) -> [TableSnapshot] {
    try await gate.around("Lake.snapshots") { () async throws(PortError) in
      try await base.snapshots(of: table)
    }
  }

  /// See ``Lake``.
  public func commit(
    _ change: TableChange, to table: TableName, expecting parent: SnapshotID?
  ) async throws(PortError) -> TableSnapshot {
    try await gate.around("Lake.commit") { () async throws(PortError) in
      try await base.commit(change, to: table, expecting: parent)
    }
  }

  /// See ``Lake``.
  public func scan(
    _ table: TableName, _ selection: RowSelection
  ) async throws(PortError) -> RecordBatch {
    try await gate.around("Lake.scan") { () async throws(PortError) in
      try await base.scan(table, selection)
    }
  }

  /// See ``Lake``.
  public func expire(
    _ table: TableName, olderThan instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    try await gate.around("Lake.expire") { () async throws(PortError) in
      try await base.expire(table, olderThan: instant)
    }
  }

  /// See ``Lake``.
  public func compact(
    _ table: TableName, id: SnapshotID, at instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    try await gate.around("Lake.compact") { () async throws(PortError) in
      try await base.compact(table, id: id, at: instant)
    }
  }

  /// See ``Lake``.
  public func remains(
    of text: String, in table: TableName
  ) async throws(PortError) -> [String: Int] {
    try await gate.around("Lake.remains") { () async throws(PortError) in
      try await base.remains(of: text, in: table)
    }
  }

  /// See ``Lake``.
  public func evolve(_ table: TableName, _ change: SchemaChange) async throws(PortError) {
    try await gate.around("Lake.evolve") { () async throws(PortError) in
      try await base.evolve(table, change)
    }
  }
}

/// An ``ObjectStore`` behind a ``PortGate``.
public struct GatedObjectStore: ObjectStore {
  private let base: any ObjectStore
  private let gate: PortGate

  /// Puts `base` behind `gate`.
  public init(_ base: any ObjectStore, gate: PortGate) {
    self.base = base
    self.gate = gate
  }

  /// See ``ObjectStore``.
  public func put(_ key: String, _ bytes: [UInt8]) async throws(PortError) {
    try await gate.around("ObjectStore.put") { () async throws(PortError) in
      try await base.put(key, bytes)
    }
  }

  /// See ``ObjectStore``.
  public func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool {
    try await gate.around("ObjectStore.putIfAbsent") { () async throws(PortError) in
      try await base.putIfAbsent(key, bytes)
    }
  }

  /// See ``ObjectStore``.
  public func get(_ key: String) async throws(PortError) -> [UInt8] {
    try await gate.around("ObjectStore.get") { () async throws(PortError) in
      try await base.get(key)
    }
  }

  /// See ``ObjectStore``.
  public func list(prefix: String) async throws(PortError) -> [String] {
    try await gate.around("ObjectStore.list") { () async throws(PortError) in
      try await base.list(prefix: prefix)
    }
  }

  /// See ``ObjectStore``.
  public func delete(_ key: String) async throws(PortError) {
    try await gate.around("ObjectStore.delete") { () async throws(PortError) in
      try await base.delete(key)
    }
  }

  /// See ``ObjectStore``. No step of its own: faults are about what others can see.
  public func synchronize() async throws(PortError) { try await base.synchronize() }
}

/// A ``CheckpointStore`` behind a ``PortGate``.
public struct GatedCheckpointStore: CheckpointStore {
  private let base: any CheckpointStore
  private let gate: PortGate

  /// Puts `base` behind `gate`.
  public init(_ base: any CheckpointStore, gate: PortGate) {
    self.base = base
    self.gate = gate
  }

  /// See ``CheckpointStore``.
  public func load(_ name: String) async throws(PortError) -> Checkpoint? {
    try await gate.around("CheckpointStore.load") { () async throws(PortError) in
      try await base.load(name)
    }
  }

  /// See ``CheckpointStore``.
  public func save(
    _ checkpoint: Checkpoint, as name: String, expecting expected: Checkpoint?
  ) async throws(PortError) {
    try await gate.around("CheckpointStore.save") { () async throws(PortError) in
      try await base.save(checkpoint, as: name, expecting: expected)
    }
  }
}

/// A ``TableCatalog`` behind a ``PortGate``.
public struct GatedTableCatalog: TableCatalog {
  private let base: any TableCatalog
  private let gate: PortGate

  /// Puts `base` behind `gate`.
  public init(_ base: any TableCatalog, gate: PortGate) {
    self.base = base
    self.gate = gate
  }

  /// See ``TableCatalog``.
  public func createNamespace(_ namespace: String) async throws(PortError) {
    try await gate.around("TableCatalog.createNamespace") { () async throws(PortError) in
      try await base.createNamespace(namespace)
    }
  }

  /// See ``TableCatalog``.
  public func tables() async throws(PortError) -> [TableName] {
    try await gate.around("TableCatalog.tables") { () async throws(PortError) in
      try await base.tables()
    }
  }

  /// See ``TableCatalog``.
  public func location(of table: TableName) async throws(PortError) -> String? {
    try await gate.around("TableCatalog.location") { () async throws(PortError) in
      try await base.location(of: table)
    }
  }

  /// See ``TableCatalog``.
  public func move(
    _ table: TableName, from expected: String?, to location: String
  ) async throws(PortError) {
    try await gate.around("TableCatalog.move") { () async throws(PortError) in
      try await base.move(table, from: expected, to: location)
    }
  }

  /// See ``TableCatalog``.
  public func drop(_ table: TableName) async throws(PortError) {
    try await gate.around("TableCatalog.drop") { () async throws(PortError) in
      try await base.drop(table)
    }
  }
}
