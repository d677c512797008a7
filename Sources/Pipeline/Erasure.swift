import Moderation
import Ports

/// Removes from every lake table the rows of deleted content and of users found ineligible
/// (``Governance/isFound(_:)``), by row-level deletes in new snapshots; what their events had fed
/// (windows, training rows) is recomputed (REFERENCE §7).
///
/// What goes follows from the database and the row alone, so it doesn't matter when erasures run,
/// nor how often. The plan pins every table's snapshot, and every commit expects it: whoever
/// commits in between makes the job start over. Events go last: a rerun after a crash finds by them
/// what they had fed. What they fed may enter the feature log later still;
/// ``LakeTables/erasureMarks`` remembers its images.
///
/// Declared retention: counts of a user's own images as of a past instant.
public struct Erasure: Job {
  /// `erasure`.
  public static let name = "erasure"

  private let store: any ApplicationStore
  private let lake: any Lake
  private let environment: Environment
  private let policy: PipelinePolicy
  private let onErased: @Sendable (ApplicationSnapshot) -> Void

  /// A job over its ports.
  ///
  /// - Parameter onErased: gets what the database said once all that follows from it is committed.
  public init(
    store: any ApplicationStore, lake: any Lake, environment: Environment, policy: PipelinePolicy,
    onErased: @escaping @Sendable (ApplicationSnapshot) -> Void = { _ in }
  ) {
    self.store = store
    self.lake = lake
    self.environment = environment
    self.policy = policy
    self.onErased = onErased
  }

  /// Finds what must go, and removes it.
  public func run() async throws(PortError) -> [String: Int] {
    try await environment.attempting { () async throws(PortError) in try await runOnce() }
  }

  /// The tables' snapshots when the plan was made.
  private typealias Pins = [TableName: TableSnapshot]

  private func runOnce() async throws(PortError) -> [String: Int] {
    let snapshot = try await store.snapshot()
    var pins: Pins = [:]
    for table in try await lake.tables() { pins[table] = try await lake.current(table) }
    var bronze: [Metric: RecordBatch] = [:]
    for metric in Metric.allCases {
      try requireSameOffsets(metric, pins)
      bronze[metric] = try await rows(LakeTables.events(metric), LakeTables.eventSchema, pins)
    }
    let marks = try await rows(LakeTables.erasureMarks, LakeTables.erasureMarkSchema, pins)
    let plan = ErasurePlan(
      snapshot: snapshot, bronze: bronze, marks: marks, governance: policy.governance)
    try await mark(plan, marks, &pins)
    var touched = 0
    for metric in Metric.allCases { touched += try await rewriteWindows(metric, plan, &pins) }
    touched += try await rewriteTraining(snapshot, plan, &pins)
    touched += try await deleteVectors(plan, &pins)
    touched += try await deleteRaw(plan, &pins)
    touched += try await delete(
      [.init(["image_id": plan.images])], from: LakeTables.trainingData, &pins)
    for metric in Metric.allCases {
      touched += try await delete(
        [.init(["event_id": plan.events[metric] ?? []])], from: LakeTables.events(metric), &pins)
    }
    onErased(snapshot)
    environment.record(
      "erased",
      [
        .integer("images", plan.images.count), .integer("users", plan.users.count),
        .integer("rows", touched),
      ])
    return ["images": plan.images.count, "users": plan.users.count, "rows": touched]
  }

  /// While an aggregation is unfinished, its rerun would bring back into the windows what is taken
  /// from the events now.
  private func requireSameOffsets(_ metric: Metric, _ pins: Pins) throws(PortError) {
    let key = LogOffsets.key
    let events = pins[LakeTables.events(metric)]?.summary[key]
    let windows = pins[LakeTables.windows(metric)]?.summary[key]
    guard events != windows else { return }
    throw PortError(
      .conflict, port: "Lake", operation: "commit",
      hint: "an aggregation of \(metric.name) is unfinished; run event-aggregation first")
  }

  private func rows(
    _ table: TableName, _ schema: TableSchema, _ pins: Pins
  ) async throws(PortError) -> RecordBatch {
    guard let pin = pins[table] else { return RecordBatch(schema: schema) }
    return try await lake.rows(table, schema: schema, snapshot: pin.id)
  }

  /// Notes which images' vectors to come may be fed by what goes now.
  private func mark(
    _ plan: ErasurePlan, _ marks: RecordBatch, _ pins: inout Pins
  ) async throws(PortError) {
    let table = LakeTables.erasureMarks
    let known = zip(marks.strings("image_id"), marks.integers("fed_since"))
    guard plan.fedSince != Dictionary(uniqueKeysWithValues: known) else { return }
    try await lake.createTable(table, schema: LakeTables.erasureMarkSchema)
    let images = plan.fedSince.keys.sorted()
    let change = TableChange(
      id: environment.ids.snapshotID(), committedAt: environment.now.asEventTime,
      removal: .everything,
      append: RecordBatch(
        schema: LakeTables.erasureMarkSchema,
        columns: [
          .init(.strings(images)), .init(.integers(images.map { plan.fedSince[$0] ?? 0 })),
        ]), summary: [TrainingSetBuild.jobKey: Self.name])
    pins[table] = try await lake.commit(change, to: table, expecting: pins[table]?.id)
  }

  /// Windows of erased images go; windows that lost some events get the count of the rest.
  private func rewriteWindows(
    _ metric: Metric, _ plan: ErasurePlan, _ pins: inout Pins
  ) async throws(PortError) -> Int {
    let rest = plan.remainingWindows[metric] ?? [:]
    var filters = rest.keys.sorted().map { key in
      TableChange.RowFilter(["image_id": [key.image], "window_start": ["\(key.start)"]])
    }
    filters.append(.init(["image_id": plan.images]))
    let counts = rest.filter { $0.value > 0 }
    return try await delete(
      filters, from: LakeTables.windows(metric),
      append: counts.isEmpty ? nil : WindowKey.batch(counts, processedAt: environment.now), &pins)
  }

  /// Rows of images that stay, but were fed by what goes, are computed anew.
  private func rewriteTraining(
    _ snapshot: ApplicationSnapshot, _ plan: ErasurePlan, _ pins: inout Pins
  ) async throws(PortError) -> Int {
    let table = LakeTables.trainingData
    guard
      let noted = pins[table]?.summary[TrainingSetBuild.knownUntilKey].flatMap({ Int64($0) })
    else { return 0 }
    var set = TrainingSet(
      snapshot: snapshot, knownUntil: EventTime(microseconds: noted), policy: policy)
    for metric in Metric.allCases {
      set.addHistory(metric, plan.remaining[metric] ?? RecordBatch(schema: LakeTables.eventSchema))
      set.addWindows(
        metric, try await rows(LakeTables.windows(metric), LakeTables.windowSchema, pins))
    }
    // The lab writes rows of decision points to come, but none of images to come.
    let uploaded = Set(
      snapshot.images.filter { $0.createdAt.microseconds <= noted }.map { $0.id.description })
    let affected = plan.affectedImages.intersection(uploaded)
    let rows = set.rows(only: Set(affected.compactMap { ImageID($0) }))
    return try await delete(
      [.init(["image_id": plan.affectedImages])], from: table,
      append: rows.isEmpty ? nil : TrainingRow.batch(rows), &pins)
  }

  /// A logged vector says what was seen and can't be computed anew: where something in it goes, it
  /// goes.
  private func deleteVectors(
    _ plan: ErasurePlan, _ pins: inout Pins
  ) async throws(PortError) -> Int {
    let table = LakeTables.featureLog
    let rows = try await rows(table, LakeTables.featureLogSchema, pins)
    let images = rows.strings("image_id")
    let instants = rows.integers("as_of")
    var requests: Set<String> = []
    for (row, request) in rows.strings("request_id").enumerated() {
      let isFed = plan.fedSince[images[row]].map { $0 <= instants[row] } ?? false
      if isFed || plan.images.contains(images[row]) { requests.insert(request) }
    }
    return try await delete([.init(["request_id": requests])], from: table, &pins)
  }

  private func deleteRaw(_ plan: ErasurePlan, _ pins: inout Pins) async throws(PortError) -> Int {
    var touched = 0
    let filters: [(String, [TableChange.RowFilter])] = [
      ("images", [.init(["id": plan.images])]), ("users", [.init(["id": plan.users])]),
      (
        "comments",
        [
          .init(["id": plan.comments]), .init(["image_id": plan.images]),
          .init(["user_id": plan.users]),
        ]
      ),
      (
        "flags",
        [
          .init(["image_id": plan.images]), .init(["comment_id": plan.comments]),
          .init(["user_id": plan.users]),
        ]
      ),
    ]
    for (table, filters) in filters {
      touched += try await delete(filters, from: LakeTables.raw(table), &pins)
    }
    return touched
  }

  /// Removes rows (and appends others) in one snapshot, unless nothing would change.
  ///
  /// - Returns: how many rows were touched.
  private func delete(
    _ filters: [TableChange.RowFilter], from table: TableName, append: RecordBatch? = nil,
    _ pins: inout Pins
  ) async throws(PortError) -> Int {
    let filters = filters.filter { $0.columns.values.allSatisfy { !$0.isEmpty } }
    guard !filters.isEmpty, let parent = pins[table] else { return 0 }
    let before = try await lake.rows(
      table, schema: LakeTables.schema(of: table) ?? TableSchema([]), snapshot: parent.id)
    let hit = before.rows(matching: filters)
    let unchanged =
      append.map { before.filtered(hit).holdsSameRows(as: $0) } ?? !hit.contains(true)
    guard !unchanged else { return 0 }
    // Offsets and completeness stay true of the table, and so stay in its latest summary.
    var summary = parent.summary
    summary[TrainingSetBuild.jobKey] = Self.name
    let change = TableChange(
      id: environment.ids.snapshotID(), committedAt: environment.now.asEventTime,
      removal: .rows(filters), append: append, summary: summary)
    pins[table] = try await lake.commit(change, to: table, expecting: parent.id)
    let touched = hit.count { $0 }
    environment.record(
      "erased-rows", [.text("table", table.description), .integer("rows", touched)])
    return touched
  }
}

extension RecordBatch {
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
