import Moderation
import Ports

/// Removes from every lake table the rows of deleted content and of users found ineligible after
/// their rows entered, by row-level deletes in new snapshots; what their events had fed (windows,
/// training rows) is recomputed (REFERENCE §7).
///
/// The events themselves go last: until then a rerun after a crash finds the same work again.
/// Declared retention: counts of a user's own images as of a past instant.
public struct Erasure: Job {
  /// `erasure`.
  public static let name = "erasure"

  private let store: any ApplicationStore
  private let lake: any Lake
  private let environment: Environment
  private let policy: PipelinePolicy

  /// A job over its ports.
  public init(
    store: any ApplicationStore, lake: any Lake, environment: Environment, policy: PipelinePolicy
  ) {
    self.store = store
    self.lake = lake
    self.environment = environment
    self.policy = policy
  }

  /// Finds what must go, and removes it.
  public func run() async throws(PortError) -> [String: Int] {
    try await environment.attempting { () async throws(PortError) in try await runOnce() }
  }

  private func runOnce() async throws(PortError) -> [String: Int] {
    let snapshot = try await store.snapshot()
    var bronze: [Metric: RecordBatch] = [:]
    for metric in Metric.allCases {
      bronze[metric] = try await lake.rows(
        LakeTables.events(metric), schema: LakeTables.eventSchema)
    }
    let training = try await lake.rows(
      LakeTables.trainingData, schema: LakeTables.trainingSchema)
    let plan = ErasurePlan(
      snapshot: snapshot, bronze: bronze, training: training, governance: policy.governance)
    var counts = ["images": plan.images.count, "users": plan.users.count, "rows": 0]
    for metric in Metric.allCases {
      counts["rows", default: 0] += try await rewriteWindows(metric, plan)
    }
    counts["rows", default: 0] += try await rewriteTraining(snapshot, plan)
    counts["rows", default: 0] += try await deleteRaw(plan)
    for metric in Metric.allCases {
      counts["rows", default: 0] += try await delete(
        [.init(["event_id": plan.events[metric] ?? []])], from: LakeTables.events(metric))
    }
    environment.record(
      "erased",
      [
        .integer("images", plan.images.count), .integer("users", plan.users.count),
        .integer("rows", counts["rows"] ?? 0),
      ])
    return counts
  }

  /// Windows of erased images go; windows that lost some events get the count of the rest.
  private func rewriteWindows(_ metric: Metric, _ plan: ErasurePlan) async throws(PortError) -> Int {
    let rest = plan.remainingWindows[metric] ?? [:]
    var filters = rest.keys.sorted().map { key in
      TableChange.RowFilter(["image_id": [key.image], "window_start": ["\(key.start)"]])
    }
    filters.append(.init(["image_id": plan.images]))
    let counts = rest.filter { $0.value > 0 }
    return try await delete(
      filters, from: LakeTables.windows(metric),
      append: counts.isEmpty ? nil : WindowKey.batch(counts, processedAt: environment.now))
  }

  private func rewriteTraining(
    _ snapshot: ApplicationSnapshot, _ plan: ErasurePlan
  ) async throws(PortError) -> Int {
    let table = LakeTables.trainingData
    guard let current = try await lake.current(table),
      let noted = current.summary[TrainingSetBuild.knownUntilKey].flatMap({ Int64($0) })
    else { return 0 }
    var set = TrainingSet(
      snapshot: snapshot, knownUntil: EventTime(microseconds: noted), policy: policy)
    for metric in Metric.allCases {
      set.addHistory(metric, plan.remaining[metric] ?? RecordBatch(schema: LakeTables.eventSchema))
      set.addWindows(
        metric, try await lake.rows(LakeTables.windows(metric), schema: LakeTables.windowSchema))
    }
    let affected = plan.affectedImages
    let rows = set.rows(only: Set(affected.compactMap { ImageID($0) }))
    let gone = plan.images.union(affected)
    return try await delete(
      [.init(["image_id": gone])], from: table, append: rows.isEmpty ? nil : TrainingRow.batch(rows))
  }

  private func deleteRaw(_ plan: ErasurePlan) async throws(PortError) -> Int {
    var count = try await delete([.init(["id": plan.images])], from: LakeTables.raw("images"))
    count += try await delete([.init(["id": plan.users])], from: LakeTables.raw("users"))
    count += try await delete(
      [
        .init(["id": plan.comments]), .init(["image_id": plan.images]),
        .init(["user_id": plan.users]),
      ], from: LakeTables.raw("comments"))
    count += try await delete(
      [
        .init(["image_id": plan.images]), .init(["comment_id": plan.comments]),
        .init(["user_id": plan.users]),
      ], from: LakeTables.raw("flags"))
    return count
  }

  /// Removes rows (and appends others) in one snapshot, unless nothing would change.
  ///
  /// - Returns: how many rows fewer or, rewritten, were touched.
  private func delete(
    _ filters: [TableChange.RowFilter], from table: TableName, append: RecordBatch? = nil
  ) async throws(PortError) -> Int {
    let filters = filters.filter { $0.columns.values.allSatisfy { !$0.isEmpty } }
    guard !filters.isEmpty, let parent = try await lake.current(table) else { return 0 }
    let before = try await lake.scan(table, snapshot: parent.id)
    let hit = before.rows(matching: filters)
    let unchanged = append.map { before.filtered(hit).holdsSameRows(as: $0) } ?? !hit.contains(true)
    guard !unchanged else { return 0 }
    // Offsets and completeness stay true of the table, and so stay in its latest summary.
    var summary = parent.summary
    summary[TrainingSetBuild.jobKey] = Self.name
    let change = TableChange(
      id: environment.ids.snapshotID(), committedAt: environment.now.asEventTime,
      removal: .rows(filters), append: append, summary: summary)
    _ = try await lake.commit(change, to: table, expecting: parent.id)
    let touched = hit.count { $0 }
    environment.record(
      "erased-rows", [.text("table", table.description), .integer("rows", touched)])
    return touched
  }
}

extension RecordBatch {
  /// Which rows any of the filters holds for.
  func rows(matching filters: [TableChange.RowFilter]) -> [Bool] {
    var hit = Array(repeating: false, count: count)
    for filter in filters {
      let columns = filter.columns.compactMap { name, values in
        schema.index(of: name).map { ($0, values) }
      }
      guard columns.count == filter.columns.count, !columns.isEmpty else { continue }
      for row in 0..<count where !hit[row] {
        hit[row] = columns.allSatisfy { column, values in
          text(row: row, column: column).map(values.contains) ?? false
        }
      }
    }
    return hit
  }

  /// Whether both hold the same rows in any order, apart from when they were processed.
  fileprivate func holdsSameRows(as other: RecordBatch) -> Bool {
    func lines(_ batch: RecordBatch) -> [String] {
      let columns = batch.schema.fields.indices.filter {
        batch.schema.fields[$0].name != "processed_at"
      }
      return (0..<batch.count).map { row in
        columns.map { batch.text(row: row, column: $0) ?? "\u{0}" }.joined(separator: "\u{1}")
      }.sorted()
    }
    return lines(self) == lines(other)
  }
}
