import Lakehouse
import Moderation
import Pipeline
import Ports

/// A record behind a value, with what became of it.
struct Evidence: Hashable, Sendable {
  /// The event's id, as text.
  var event: String
  /// Where its record stands.
  var partition: TopicPartition
  var offset: Int64
  /// When it happened.
  var time: EventTime
  /// When the stream consumer applied it; nil when it never did.
  var appliedAt: ProcessingTime?
  /// How many records had been applied before it.
  var place = 0
  var actor: UserID?
  /// Whether the actor was eligible then, as intake stamped it.
  var isEligible: Bool
  /// From when on it counts, when it came late.
  var visibleFrom: EventTime?
  /// Whether its event had been applied before.
  var isRepeat = false

  /// `topic-partition@offset`.
  var position: String { "\(partition)@\(offset)" }
}

/// The applied records of a run by image and kind, in the order in which they were applied.
struct EvidenceIndex: Sendable {
  private var byImage: [ImageID: [EventKind: [Evidence]]] = [:]
  private var appliedAt: [TopicPartition: [Int64: ProcessingTime]] = [:]
  private let late: [String: EventTime]

  init(_ run: RunResult) {
    late = Dictionary(
      uniqueKeysWithValues: run.late.map { ($0.id.description, $0.visibleFrom) })
    var seen: Set<EventID> = []
    let events = Parallel.map(run.applied) { EventCodec.decodeOrNil($0.record) }
    for (place, applied) in run.applied.enumerated() {
      let record = applied.record
      appliedAt[record.partition, default: [:]][record.offset] = applied.appliedAt
      guard let event = events[place], let image = event.image else { continue }
      let id = event.id.description
      byImage[image, default: [:]][event.kind, default: []].append(
        Evidence(
          event: id, partition: record.partition, offset: record.offset,
          time: event.time, appliedAt: applied.appliedAt, place: place, actor: event.actor,
          isEligible: event.actorEligible ?? true, visibleFrom: late[id],
          isRepeat: !seen.insert(event.id).inserted))
    }
  }

  /// The records of an image.
  func records(_ image: ImageID, _ kind: EventKind) -> [Evidence] { byImage[image]?[kind] ?? [] }

  /// A record as the lake has it, with what became of it on the way to the scores.
  fileprivate func evidence(
    _ event: String, _ partition: TopicPartition, _ offset: Int64, at time: EventTime,
    actor: UserID?, isEligible: Bool
  ) -> Evidence {
    Evidence(
      event: event, partition: partition, offset: offset, time: time,
      appliedAt: appliedAt[partition]?[offset], actor: actor, isEligible: isEligible,
      visibleFrom: late[event])
  }
}

/// The lake's events by image: some state of the tables of ``LakeTables/events(_:)``.
struct HistoryIndex: Sendable {
  private let tables: [Metric: RecordBatch]
  private var rows: [Metric: [String: [Int]]] = [:]

  init(_ tables: [Metric: RecordBatch]) {
    self.tables = tables
    for (metric, table) in tables {
      for (row, image) in table.strings("image_id").enumerated() {
        rows[metric, default: [:]][image, default: []].append(row)
      }
    }
  }

  /// The events of an image, by event time.
  func events(_ image: ImageID, _ metric: Metric, _ index: EvidenceIndex) -> [Evidence] {
    guard let table = tables[metric], let rows = rows[metric]?[image.description] else { return [] }
    let ids = table.strings("event_id")
    let actors = table.strings("user_id")
    let eligible = table.booleans("actor_eligible")
    let times = table.integers("event_time")
    let partitions = table.integers("kafka_partition")
    let offsets = table.integers("kafka_offset")
    return rows.map { row in
      index.evidence(
        ids[row], TopicPartition(metric.topic, Int(partitions[row])), offsets[row],
        at: EventTime(microseconds: times[row]), actor: UserID(actors[row]),
        isEligible: eligible[row])
    }.sorted { ($0.time, $0.partition, $0.offset) < ($1.time, $1.partition, $1.offset) }
  }
}

/// The features that are counts of events: what is counted, and in which window.
struct CountedFeature: Hashable, Sendable {
  let name: String
  let metric: Metric
  /// Nil means all up to the instant.
  let window: RollingWindow?

  /// Those of the vector, in its order.
  static let all: [CountedFeature] = [
    .init(name: "views_5min", metric: .views, window: .fiveMinutes),
    .init(name: "views_1hr", metric: .views, window: .oneHour),
    .init(name: "comments_5min", metric: .comments, window: .fiveMinutes),
    .init(name: "comments_1hr", metric: .comments, window: .oneHour),
    .init(name: "flags_5min", metric: .flags, window: .fiveMinutes),
    .init(name: "flags_1hr", metric: .flags, window: .oneHour),
    .init(name: "total_flags", metric: .flags, window: nil),
  ]

  /// The features computed from counts: how, and from which.
  static let derived: [String: (formula: String, of: [String])] = [
    "view_velocity_per_min": ("views_5min / 5", ["views_5min"]),
    "comment_to_view_ratio": (
      "comments_1hr / max(views_1hr, 1)", ["comments_1hr", "views_1hr"]
    ),
    "recent_engagement_score": (
      "views_5min + 5 · comments_5min", ["views_5min", "comments_5min"]
    ),
  ]

  /// The count that a trigger watches; nil for anchors.
  init?(_ trigger: Trigger) {
    switch trigger {
    case .viral: self.init(name: "views_5min", metric: .views, window: .fiveMinutes)
    case .suspicious: self.init(name: "comments_1min", metric: .comments, window: .oneMinute)
    case .flagged: self.init(name: "flags_5min", metric: .flags, window: .fiveMinutes)
    case .popular, .milestone, .anchor, .scoreAt: return nil
    }
  }

  init(name: String, metric: Metric, window: RollingWindow?) {
    self.name = name
    self.metric = metric
    self.window = window
  }

  /// Whether an event of that time lies in the window that ends at `asOf`.
  func holds(_ time: EventTime, asOf: EventTime) -> Bool {
    guard time <= asOf else { return false }
    return window.map { time.microseconds > asOf.microseconds - $0.microseconds } ?? true
  }

  /// `views in (09:25:…, 09:30:…]`.
  func scope(asOf: EventTime) -> String {
    guard let window else { return "\(metric.name) up to \(asOf)" }
    let start = EventTime(microseconds: asOf.microseconds - window.microseconds)
    return "\(metric.name) in (\(start), \(asOf)]"
  }
}

extension Metric {
  /// The kind of event that it counts.
  var kind: EventKind {
    switch self {
    case .views: .view
    case .comments: .comment
    case .flags: .flag
    }
  }
}
