import Moderation
import Ports
import Synchronization

/// A lake that differs from another in what its commits do, or that something happens beside.
struct HookedLake: Lake {
  private let base: any Lake
  private let change: @Sendable (TableChange, TableName) -> TableChange
  private let operation: String
  private let hook: @Sendable () async -> Void
  private let isDone = Once()

  /// Changes every commit.
  init(
    _ base: any Lake, changing change: @escaping @Sendable (TableChange, TableName) -> TableChange
  ) {
    self.base = base
    self.change = change
    operation = ""
    hook = {}
  }

  /// Does something once, before the first `createTable` or `commit`.
  init(
    _ base: any Lake, before operation: String, do hook: @escaping @Sendable () async -> Void
  ) {
    self.base = base
    change = { change, _ in change }
    self.operation = operation
    self.hook = hook
  }

  func createTable(_ table: TableName, schema: TableSchema) async throws(PortError) {
    if operation == "createTable", isDone.first() { await hook() }
    try await base.createTable(table, schema: schema)
  }

  func tables() async throws(PortError) -> [TableName] { try await base.tables() }

  func snapshots(of table: TableName) async throws(PortError) -> [TableSnapshot] {
    try await base.snapshots(of: table)
  }

  func commit(
    _ change: TableChange, to table: TableName, expecting parent: SnapshotID?
  ) async throws(PortError) -> TableSnapshot {
    if operation == "commit", isDone.first() { await hook() }
    return try await base.commit(self.change(change, table), to: table, expecting: parent)
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

  func remains(
    of text: String, in table: TableName
  ) async throws(PortError) -> [String: Int] {
    try await base.remains(of: text, in: table)
  }

  func evolve(_ table: TableName, _ change: SchemaChange) async throws(PortError) {
    try await base.evolve(table, change)
  }
}

/// An event log that differs from another in what is read, or that something happens beside.
struct HookedLog: EventLog {
  private let base: any EventLog
  private let change: @Sendable (EventRecord) -> EventRecord
  private let topic: String
  private let hook: @Sendable () async -> Void
  private let startsAtEnd: Bool

  /// Changes every record that is read.
  init(_ base: any EventLog, changing change: @escaping @Sendable (EventRecord) -> EventRecord) {
    self.init(base, change: change)
  }

  /// Does something after each look at the ends of a topic.
  init(
    _ base: any EventLog, afterEndsOf topic: String, do hook: @escaping @Sendable () async -> Void
  ) {
    self.init(base, topic: topic, hook: hook)
  }

  /// Lets consumers without committed offsets start at the end, as the lab's scorer does.
  init(startingAtTheEnd base: any EventLog) { self.init(base, startsAtEnd: true) }

  private init(
    _ base: any EventLog, change: @escaping @Sendable (EventRecord) -> EventRecord = { $0 },
    topic: String = "", hook: @escaping @Sendable () async -> Void = {}, startsAtEnd: Bool = false
  ) {
    self.base = base
    self.change = change
    self.topic = topic
    self.hook = hook
    self.startsAtEnd = startsAtEnd
  }

  func createTopic(_ topic: String, partitions: Int) async throws(PortError) {
    try await base.createTopic(topic, partitions: partitions)
  }

  func append(_ records: [ProducerRecord]) async throws(PortError) -> [RecordPosition] {
    try await base.append(records)
  }

  func read(
    _ partition: TopicPartition, from offset: Int64, limit: Int
  ) async throws(PortError) -> [EventRecord] {
    try await base.read(partition, from: offset, limit: limit).map(change)
  }

  func ends(of topic: String) async throws(PortError) -> [Int64] {
    let ends = try await base.ends(of: topic)
    if topic == self.topic { await hook() }
    return ends
  }

  func offset(
    of partition: TopicPartition, at time: EventTime
  ) async throws(PortError) -> Int64 {
    try await base.offset(of: partition, at: time)
  }

  func join(
    _ group: String, member: String, topics: [String]
  ) async throws(PortError) -> any EventConsumer {
    let consumer = try await base.join(group, member: member, topics: topics)
    guard startsAtEnd else { return HookedConsumer(base: consumer, change: change, starts: [:]) }
    var starts: [TopicPartition: Int64] = [:]
    for topic in topics {
      for (partition, end) in try await base.ends(of: topic).enumerated() {
        starts[TopicPartition(topic, partition)] = end
      }
    }
    return HookedConsumer(base: consumer, change: change, starts: starts)
  }
}

/// A consumer of a ``HookedLog``.
struct HookedConsumer: EventConsumer {
  let base: any EventConsumer
  let change: @Sendable (EventRecord) -> EventRecord
  /// Where partitions start that the group has committed nothing of.
  let starts: [TopicPartition: Int64]

  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll {
    var poll = try await base.poll(limit: limit, until: deadline)
    poll.records = poll.records.map(change)
    if poll.assignment != nil, !starts.isEmpty {
      let committed = try await base.committed()
      try await base.seek(starts.filter { committed[$0.key] == nil })
    }
    return poll
  }

  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try await base.seek(offsets)
  }

  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try await base.commit(offsets)
  }

  func committed() async throws(PortError) -> [TopicPartition: Int64] {
    try await base.committed()
  }

  func leave() async throws(PortError) { try await base.leave() }
}

/// True the first time it is asked.
final class Once: Sendable {
  private let isDone = Mutex(false)

  func first() -> Bool {
    isDone.withLock { isDone in
      defer { isDone = true }
      return !isDone
    }
  }
}
