import Moderation
import Ports

/// Moves views, comments and flags from the log into the lake: the events themselves, and their
/// counts in 5-minute windows per image (REFERENCE §7).
///
/// The run's boundary is frozen at its start. Each table's commit carries the offsets up to which
/// it holds the log, and a rerun starts each table there: a crash between two commits neither loses
/// nor repeats anything. An event that the log holds twice is taken once.
public struct EventAggregation: Job {
  /// `event-aggregation`.
  public static let name = "event-aggregation"
  /// The checkpoint's name: the lab's Airflow variable.
  public static let checkpointName = "redpanda_event_aggregation_checkpoint"

  private let log: any EventLog
  private let lake: any Lake
  private let checkpoints: any CheckpointStore
  private let environment: Environment
  private let policy: PipelinePolicy

  /// A job over its ports.
  public init(
    log: any EventLog, lake: any Lake, checkpoints: any CheckpointStore, environment: Environment,
    policy: PipelinePolicy
  ) {
    self.log = log
    self.lake = lake
    self.checkpoints = checkpoints
    self.environment = environment
    self.policy = policy
  }

  private struct Event {
    var event: PlatformEvent
    var image: ImageID
    var partition: Int
    var offset: Int64
  }

  /// Where an event stands in its topic.
  private struct Position: Hashable {
    var partition: Int
    var offset: Int64
  }

  /// Runs from each table's offsets to the boundary.
  public func run() async throws(PortError) -> [String: Int] {
    try await environment.attempting { () async throws(PortError) in try await runOnce() }
  }

  private func runOnce() async throws(PortError) -> [String: Int] {
    let started = environment.now
    let previous = try await checkpoints.load(Self.checkpointName)
    var next = Checkpoint(offsets: [:])
    var boundary: [String: [Int64]] = [:]
    for metric in Metric.allCases {
      let topic = metric.topic
      let ends = try await log.ends(of: topic)
      boundary[topic] = ends
      for (partition, end) in ends.enumerated() {
        next.offsets[TopicPartition(topic, partition)] = end
      }
    }
    // What was complete stays so, though a relay whose clock went back may say less.
    let resolved = try await completeThrough(boundary, at: started)
    next.completeThrough = [previous?.completeThrough, resolved].compactMap { $0 }.max()
    var counts: [String: Int] = [:]
    for metric in Metric.allCases {
      counts[metric.name] = try await aggregate(metric, boundary[metric.topic] ?? [])
    }
    try await checkpoints.save(next, as: Self.checkpointName, expecting: previous)
    environment.record(
      "aggregated", Metric.allCases.map { .text("events", "\($0.name) \(counts[$0.name] ?? 0)") })
    return counts
  }

  /// One metric's two tables; the number of events appended to the windows.
  private func aggregate(_ metric: Metric, _ ends: [Int64]) async throws(PortError) -> Int {
    let bronze = LakeTables.events(metric)
    let windows = LakeTables.windows(metric)
    try await lake.createTable(bronze, schema: LakeTables.eventSchema)
    try await lake.createTable(windows, schema: LakeTables.windowSchema)
    let bronzeParent = try await lake.current(bronze)
    let windowsParent = try await lake.current(windows)
    let bronzeStart = LogOffsets.noted(by: bronzeParent, count: ends.count)
    let windowsStart = LogOffsets.noted(by: windowsParent, count: ends.count)
    let starts = zip(bronzeStart, windowsStart).map { min($0, $1) }
    guard zip(starts, ends).contains(where: { $0 < $1 }) else { return 0 }
    let events = try await read(metric, from: starts, to: ends)
    let known = try await positions(bronze, events)
    let fresh = Self.withoutRepeats(events, known)
    try await commit(
      Self.bronzeBatch(fresh.filter { $0.offset >= bronzeStart[$0.partition] }), to: bronze,
      bronzeParent, bronzeStart, ends)
    let counted = fresh.filter { $0.offset >= windowsStart[$0.partition] }
    try await commit(windowBatch(counted), to: windows, windowsParent, windowsStart, ends)
    return counted.count
  }

  private func commit(
    _ batch: RecordBatch, to table: TableName, _ parent: TableSnapshot?, _ start: [Int64],
    _ ends: [Int64]
  ) async throws(PortError) {
    guard zip(start, ends).contains(where: { $0 < $1 }) else { return }
    let next = zip(start, ends).map { max($0, $1) }
    let change = TableChange(
      id: environment.ids.snapshotID(), committedAt: environment.now.asEventTime, append: batch,
      summary: LogOffsets.note(next))
    _ = try await lake.commit(change, to: table, expecting: parent?.id)
    environment.record(
      "committed", [.text("table", table.description), .integer("rows", batch.count)])
  }

  private func read(
    _ metric: Metric, from starts: [Int64], to ends: [Int64]
  ) async throws(PortError) -> [Event] {
    var events: [Event] = []
    for record in try await log.records(
      of: metric.topic, from: starts, to: ends, limit: policy.batchLimit)
    {
      // What can't be decoded went to the dead letters; flags on comments have no image.
      guard
        let event = EventCodec.decodeIfPossible(record.value, fallbackID: record.derivedEventID()),
        let image = event.image
      else { continue }
      events.append(
        Event(
          event: event, image: image, partition: record.partition.partition, offset: record.offset))
    }
    return events
  }

  /// Where the bronze table has these events already, and others of their time. An event that comes
  /// again is the same event: it has the time that it had.
  private func positions(
    _ bronze: TableName, _ events: [Event]
  ) async throws(PortError) -> [EventID: Position] {
    let times = events.map(\.event.time.microseconds)
    guard let first = times.min(), let last = times.max() else { return [:] }
    let rows = try await lake.rows(
      bronze, schema: LakeTables.eventSchema.only(["event_id", "kafka_partition", "kafka_offset"]),
      within: .init("event_time", first...last))
    let partitions = rows.integers("kafka_partition")
    let offsets = rows.integers("kafka_offset")
    var known: [EventID: Position] = [:]
    known.reserveCapacity(rows.count)
    for (row, text) in rows.strings("event_id").enumerated() {
      guard let id = EventID(text) else { continue }
      known[id] = Position(partition: Int(partitions[row]), offset: offsets[row])
    }
    return known
  }

  /// Events whose id stands at no other position.
  private static func withoutRepeats(_ events: [Event], _ known: [EventID: Position]) -> [Event] {
    var seen = known
    return events.filter { event in
      let position = Position(partition: event.partition, offset: event.offset)
      guard let first = seen[event.event.id] else {
        seen[event.event.id] = position
        return true
      }
      return first == position
    }
  }

  private static func bronzeBatch(_ events: [Event]) -> RecordBatch {
    RecordBatch(
      schema: LakeTables.eventSchema,
      columns: [
        .init(.strings(events.map { $0.event.id.description })),
        .init(.strings(events.map { $0.image.description })),
        .strings(events.map { $0.event.actor?.description }),
        .init(.booleans(events.map { $0.event.actorEligible ?? true })),
        .init(.integers(events.map { $0.event.time.microseconds })),
        .init(.integers(events.map { Int64($0.partition) })),
        .init(.integers(events.map(\.offset))),
      ])
  }

  private func windowBatch(_ events: [Event]) -> RecordBatch {
    var counts: [ImageWindow: Int64] = [:]
    for event in events {
      let start = TumblingWindow.start(of: event.event.time).microseconds
      counts[ImageWindow(image: event.image, start: start), default: 0] += 1
    }
    // Ids sort as their texts do.
    let rows = counts.sorted { $0.key < $1.key }.map { window, count in
      (key: WindowKey(image: window.image.description, start: window.start), value: count)
    }
    return WindowKey.batch(rows, processedAt: environment.now)
  }

  private struct ImageWindow: Hashable, Comparable {
    var image: ImageID
    var start: Int64

    static func < (a: Self, b: Self) -> Bool {
      a.image != b.image ? a.image < b.image : a.start < b.start
    }
  }

  /// The event time up to which the boundary is complete: the last resolved mark within it, or,
  /// without marks, the clock.
  private func completeThrough(
    _ boundary: [String: [Int64]], at now: ProcessingTime
  ) async throws(PortError) -> EventTime? {
    guard policy.publication != .direct else { return now.asEventTime - policy.idleWait }
    let partition = TopicPartition(Topic.resolved, 0)
    var end = try await log.ends(of: Topic.resolved).first ?? 0
    while end > 0 {
      let start = max(0, end - 50)
      let records = try await log.read(partition, from: start, limit: Int(end - start))
      for record in records.reversed() {
        guard let mark = ResolvedMark(record.value) else { continue }
        let isWithin = boundary.allSatisfy { topic, ends in
          ends.indices.allSatisfy { mark.end(of: TopicPartition(topic, $0)) <= ends[$0] }
        }
        if isWithin { return mark.resolvedAt }
      }
      end = start
    }
    return nil
  }
}

/// A row of a window table, by its key.
struct WindowKey: Hashable, Comparable {
  var image: String
  var start: Int64

  static func < (a: Self, b: Self) -> Bool { (a.image, a.start) < (b.image, b.start) }

  /// Counts as rows of a window table, sorted by key.
  static func batch(_ counts: [WindowKey: Int64], processedAt: ProcessingTime) -> RecordBatch {
    batch(counts.sorted { $0.key < $1.key }, processedAt: processedAt)
  }

  /// Counts, sorted by key, as rows of a window table.
  static func batch(
    _ rows: [(key: WindowKey, value: Int64)], processedAt: ProcessingTime
  ) -> RecordBatch {
    RecordBatch(
      schema: LakeTables.windowSchema,
      columns: [
        .init(.strings(rows.map { $0.key.image })),
        .init(.integers(rows.map { $0.key.start })),
        .init(.integers(rows.map { $0.key.start + TumblingWindow.microseconds })),
        .init(.integers(rows.map(\.value))),
        .init(.integers(rows.map { _ in processedAt.microseconds })),
      ])
  }
}

extension Metric {
  /// The topic whose events this metric counts.
  public var topic: String {
    switch self {
    case .views: EventKind.view.topic
    case .comments: EventKind.comment.topic
    case .flags: EventKind.flag.topic
    }
  }
}

extension EventCodec {
  /// The event of a record, or nil when it holds none.
  static func decodeIfPossible(
    _ value: [UInt8], fallbackID: @autoclosure () -> EventID
  ) -> PlatformEvent? {
    do throws(EventDecodingError) {
      return try decode(value, fallbackID: fallbackID())
    } catch {
      return nil
    }
  }
}
