import Harness
import Moderation
import Ports

/// An application store that changes what goes in or comes out: what a checker must notice.
struct BrokenStore: ApplicationStore {
  let base: any ApplicationStore
  /// Which mutations are dropped, though the caller is told that they were carried out.
  var drops: @Sendable (Mutation) -> Bool = { _ in false }
  /// Which mutations are refused, with all of their transaction.
  var refuses: @Sendable (Mutation) -> Bool = { _ in false }
  /// Changes a snapshot.
  var alters: @Sendable (inout ApplicationSnapshot) throws(PortError) -> Void = { _ in }

  func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome] {
    guard !mutations.contains(where: refuses) else {
      throw PortError(.invalid, port: "ApplicationStore", operation: "commit", hint: "refused")
    }
    let kept = mutations.filter { !drops($0) }
    guard kept.count < mutations.count else { return try await base.commit(mutations) }
    var outcomes = try await base.commit(kept)[...]
    return mutations.map { drops($0) ? .done : outcomes.popFirst() ?? .done }
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

  func snapshot() async throws(PortError) -> ApplicationSnapshot {
    var snapshot = try await base.snapshot()
    try alters(&snapshot)
    return snapshot
  }

  func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem] {
    try await base.reviewQueue(limit: limit)
  }
}

/// A feature store that miscounts, or asks for other scores than it should.
struct BrokenFeatures: FeatureStore {
  let base: any FeatureStore
  /// Changes the counts of an answer.
  var alters: @Sendable (inout EngagementCounts) -> Void = { _ in }
  /// Changes the thresholds.
  var altersPolicy: @Sendable (inout TriggerPolicy) -> Void = { _ in }
  /// Changes what a batch is said to have fired.
  var altersFired: @Sendable (inout [FiredTrigger]) -> Void = { _ in }
  /// Changes the requests that wait.
  var altersPending: @Sendable (inout [ModerationRequest]) -> Void = { _ in }

  func apply(
    _ batch: FeatureBatch, policy: TriggerPolicy
  ) async throws(PortError) -> AppliedBatch {
    var policy = policy
    altersPolicy(&policy)
    var applied = try await base.apply(batch, policy: policy)
    altersFired(&applied.fired)
    return applied
  }

  func counts(_ questions: [CountQuestion]) async throws(PortError) -> [EngagementCounts] {
    var answers = try await base.counts(questions)
    for index in answers.indices { alters(&answers[index]) }
    return answers
  }

  func progress() async throws(PortError) -> [TopicPartition: PartitionProgress] {
    try await base.progress()
  }

  func pending(
    asOf bound: EventTime, limit: Int
  ) async throws(PortError) -> [ModerationRequest] {
    var requests = try await base.pending(asOf: bound, limit: limit)
    altersPending(&requests)
    return requests
  }

  func acknowledge(_ requests: [ModerationRequest]) async throws(PortError) {
    try await base.acknowledge(requests)
  }
}

/// A lake that commits, or gives, something else than it is told.
struct BrokenLake: Lake {
  let base: any Lake
  /// Changes what is committed to a table.
  var alters: @Sendable (inout TableChange, TableName) throws(PortError) -> Void = { _, _ in }
  /// Changes which rows are asked for.
  var asks: @Sendable (inout RowSelection) -> Void = { _ in }

  func createTable(_ table: TableName, schema: TableSchema) async throws(PortError) {
    try await base.createTable(table, schema: schema)
  }

  func tables() async throws(PortError) -> [TableName] { try await base.tables() }

  func snapshots(of table: TableName) async throws(PortError) -> [TableSnapshot] {
    try await base.snapshots(of: table)
  }

  func commit(
    _ change: TableChange, to table: TableName, expecting parent: SnapshotID?
  ) async throws(PortError) -> TableSnapshot {
    var change = change
    try alters(&change, table)
    return try await base.commit(change, to: table, expecting: parent)
  }

  func scan(_ table: TableName, _ selection: RowSelection) async throws(PortError) -> RecordBatch {
    var selection = selection
    asks(&selection)
    return try await base.scan(table, selection)
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

extension RunOptions {
  /// Options with backends in memory of which `breaking` replaces some.
  static func broken(_ breaking: @escaping @Sendable (inout Backends) -> Void) -> RunOptions {
    var options = RunOptions()
    options.isTraced = false
    options.backends = { time in
      var backends = Backends.inMemory(time: time)
      breaking(&backends)
      return backends
    }
    return options
  }

  /// Options with a database that drops mutations.
  static func dropping(_ drops: @escaping @Sendable (Mutation) -> Bool) -> RunOptions {
    broken { $0.store = BrokenStore(base: $0.store, drops: drops) }
  }

  /// Options with a feature store that one change breaks.
  static func features(
    _ breaking: @escaping @Sendable (inout BrokenFeatures) -> Void
  ) -> RunOptions {
    broken {
      var features = BrokenFeatures(base: $0.features)
      breaking(&features)
      $0.features = features
    }
  }

  /// Options with a lake that alters what is committed.
  static func lake(
    _ alters: @escaping @Sendable (inout TableChange, TableName) throws(PortError) -> Void
  ) -> RunOptions {
    broken { $0.lake = BrokenLake(base: $0.lake, alters: alters) }
  }

  /// Options with a lake that changes the rows that are appended to some tables.
  static func rows(
    of tables: [TableName], _ alters: @escaping @Sendable (inout RecordBatch) -> Void
  ) -> RunOptions {
    lake { (change, table) throws(PortError) in
      guard tables.contains(table), var rows = change.append else { return }
      alters(&rows)
      change.append = rows
    }
  }
}

extension RecordBatch {
  /// Changes every value of a column of integers.
  mutating func change(_ name: String, _ alters: (inout Int64) -> Void) {
    guard let column = schema.index(of: name) else { return }
    var values = integers(name)
    for row in values.indices { alters(&values[row]) }
    columns[column] = Column(.integers(values))
  }
}
