import Moderation
import Ports

/// Builds `moderation.training_data` (REFERENCE §7): one consistent extract of the database,
/// governance, features at each decision point, labels.
///
/// The table's content is replaced in one snapshot, so that running again on the same inputs gives
/// the same rows.
public struct TrainingSetBuild: Job {
  /// `training-set`.
  public static let name = "training-set"
  /// The key of a snapshot's summary that names the job that made it.
  public static let jobKey = "rehearsal.job"
  /// The key of a snapshot's summary that says how far the history was complete, in microseconds.
  public static let knownUntilKey = "rehearsal.known-until"

  private let store: any ApplicationStore
  private let lake: any Lake
  private let checkpoints: any CheckpointStore
  private let environment: Environment
  private let policy: PipelinePolicy
  private let onBuilt: @Sendable (ApplicationSnapshot) -> Void

  /// A job over its ports.
  ///
  /// - Parameter onBuilt: gets the database's extract once the rows made from it are committed.
  public init(
    store: any ApplicationStore, lake: any Lake, checkpoints: any CheckpointStore,
    environment: Environment, policy: PipelinePolicy,
    onBuilt: @escaping @Sendable (ApplicationSnapshot) -> Void = { _ in }
  ) {
    self.store = store
    self.lake = lake
    self.checkpoints = checkpoints
    self.environment = environment
    self.policy = policy
    self.onBuilt = onBuilt
  }

  /// Extracts, computes, replaces.
  public func run() async throws(PortError) -> [String: Int] {
    try await environment.attempting { () async throws(PortError) in try await runOnce() }
  }

  private func runOnce() async throws(PortError) -> [String: Int] {
    // Before the extract: rows mustn't claim to know more than the extract does.
    let knownUntil = try await historyEnd()
    let snapshot = try await store.snapshot()
    try await extract(snapshot)
    let set = try await Self.gather(
      snapshot, knownUntil: knownUntil, lake: lake, policy: policy)
    let rows = set.rows()
    let parent = try await prepare(LakeTables.trainingData, LakeTables.trainingSchema)
    let change = TableChange(
      id: environment.ids.snapshotID(), committedAt: environment.now.asEventTime,
      removal: .everything, append: TrainingRow.batch(rows),
      summary: [
        Self.jobKey: Self.name, Self.knownUntilKey: "\(knownUntil.microseconds)",
        "rows": "\(rows.count)",
      ])
    _ = try await lake.commit(change, to: LakeTables.trainingData, expecting: parent)
    onBuilt(snapshot)
    let counts = [
      "rows": rows.count, "labelled": rows.count { $0.label != nil },
      "positive": rows.count { $0.label == true },
    ]
    environment.record(
      "training-set",
      [.integer("rows", rows.count), .integer("labelled", counts["labelled"] ?? 0)])
    return counts
  }

  /// How far the lake's history is complete: what the last aggregation said, under the lab's
  /// definition simply now.
  private func historyEnd() async throws(PortError) -> EventTime {
    let now = environment.now.asEventTime
    guard policy.offline == .pointInTime else { return min(now, policy.horizon ?? now) }
    let checkpoint = try await checkpoints.load(EventAggregation.checkpointName)
    let complete = checkpoint?.completeThrough ?? EventTime(microseconds: .min)
    return min(complete, policy.horizon ?? complete)
  }

  /// The set over the lake's present history.
  static func gather(
    _ snapshot: ApplicationSnapshot, knownUntil: EventTime, lake: any Lake, policy: PipelinePolicy
  ) async throws(PortError) -> TrainingSet {
    var set = TrainingSet(snapshot: snapshot, knownUntil: knownUntil, policy: policy)
    for metric in Metric.allCases {
      switch policy.offline {
      case .pointInTime:
        set.addHistory(
          metric,
          try await lake.rows(LakeTables.events(metric), schema: LakeTables.eventSchema))
      case .lab:
        set.addWindows(
          metric,
          try await lake.rows(LakeTables.windows(metric), schema: LakeTables.windowSchema))
      }
    }
    return set
  }

  /// Replaces the `raw` tables by the snapshot's rows.
  private func extract(_ snapshot: ApplicationSnapshot) async throws(PortError) {
    for (name, batch) in RawExtract.batches(snapshot) {
      let table = LakeTables.raw(name)
      let parent = try await prepare(table, batch.schema)
      let change = TableChange(
        id: environment.ids.snapshotID(), committedAt: environment.now.asEventTime,
        removal: .everything, append: batch, summary: [Self.jobKey: Self.name])
      _ = try await lake.commit(change, to: table, expecting: parent)
    }
  }

  private func prepare(
    _ table: TableName, _ schema: TableSchema
  ) async throws(PortError) -> SnapshotID? {
    try await lake.createTable(table, schema: schema)
    return try await lake.current(table)?.id
  }
}
