import Moderation
import Ports

@testable import Pipeline

/// The lake's tables in a form that can be compared: rows sorted, without what differs from run to
/// run.
struct LakeView: Hashable, Sendable {
  /// Per metric: `event of image by user at seconds` (and whether eligible).
  var events: [String: [String]] = [:]
  /// Per metric: the events of each `image @ window start`, partial rows added up.
  var windows: [String: [String: Int64]] = [:]
  /// The training set.
  var training: [TrainingRow] = []
  /// Ids in the raw tables.
  var raw: [String: [String]] = [:]
}

extension World {
  /// What the lake holds now.
  func lakeView() async throws -> LakeView {
    var view = LakeView()
    for metric in Metric.allCases {
      view.events[metric.name] = try await events(metric)
      view.windows[metric.name] = try await windows(metric).filter { $0.value != 0 }
    }
    view.training = try await trainingRows()
    for name in ["users", "images", "comments", "flags"] {
      view.raw[name] = try await rawIDs(name)
    }
    return view
  }

  /// A bronze table's rows, sorted.
  func events(_ metric: Metric) async throws -> [String] {
    let rows = try await lake.rows(LakeTables.events(metric), schema: LakeTables.eventSchema)
    let images = rows.strings("image_id")
    let eligible = rows.booleans("actor_eligible")
    let times = rows.integers("event_time")
    return rows.strings("event_id").enumerated().map { row, id in
      let user = rows.text(row: row, column: 2).flatMap { UserID($0) }.map { "\($0.number)" }
      let seconds = EventTime(microseconds: times[row]).sinceStart
      let (event, image) = (EventID(id)?.number ?? 0, ImageID(images[row])?.number ?? 0)
      return "\(event) of \(image) by \(user ?? "nobody") at \(seconds)"
        + (eligible[row] ? "" : " (ineligible)")
    }.sorted()
  }

  /// A window table's counts, by `image @ seconds of the window's start`.
  func windows(_ metric: Metric) async throws -> [String: Int64] {
    let rows = try await lake.rows(LakeTables.windows(metric), schema: LakeTables.windowSchema)
    let starts = rows.integers("window_start")
    let counts = rows.integers("event_count")
    var sums: [String: Int64] = [:]
    for (row, image) in rows.strings("image_id").enumerated() {
      let seconds = EventTime(microseconds: starts[row]).sinceStart
      sums["\(ImageID(image)?.number ?? 0) @ \(seconds)", default: 0] += counts[row]
    }
    return sums
  }

  /// The training set's rows, by image and decision point.
  func trainingRows() async throws -> [TrainingRow] {
    let rows = try await lake.rows(LakeTables.trainingData, schema: LakeTables.trainingSchema)
    return TrainingRow.rows(of: rows).sorted {
      ($0.image, $0.decisionPointMinutes) < ($1.image, $1.decisionPointMinutes)
    }
  }

  /// The training row of an image and decision point.
  func trainingRow(_ image: UInt64, _ minutes: Int) async throws -> TrainingRow? {
    try await trainingRows().first {
      $0.image == .number(image) && $0.decisionPointMinutes == minutes
    }
  }

  /// The ids of a raw table, sorted.
  func rawIDs(_ name: String) async throws -> [String] {
    try await lake.rows(
      LakeTables.raw(name), schema: LakeTables.schema(of: LakeTables.raw(name)) ?? TableSchema([])
    ).strings("id").sorted()
  }
}

extension TrainingRow {
  /// A feature by name.
  subscript(name: String) -> Double? { FeatureVector.index(of: name).map { features[$0] } }
}
