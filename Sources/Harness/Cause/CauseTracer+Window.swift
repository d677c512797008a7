import Moderation
import Pipeline
import Ports

extension CauseTracer {
  /// Why a window of the lake has its count: the snapshots that wrote it, the events in it.
  func windowCause(
    _ metric: Metric, _ image: ImageID, _ start: EventTime
  ) throws(CauseError) -> Cause {
    let table = LakeTables.windows(metric)
    let windows = run.windows(metric).filter { $0.image == image.description }
    guard let window = windows.first(where: { $0.start == start.microseconds }) else {
      throw missing(start, table, image, windows.map { EventTime(microseconds: $0.start) })
    }
    let events = records(in: metric, image, start)
    let end = EventTime(microseconds: start.microseconds + TumblingWindow.microseconds)
    return Cause(
      .window,
      "\(metric.windowTable) \(name(image)) \(start) = \(window.count): \(metric.name) "
        + "in [\(start), \(end))", name: "event_count",
      fields: [
        .text("table", table.description), .text("image", name(image)), .id("image_id", image),
        .time("window_start", start), .integer("event_count", Int(window.count)),
      ],
      causes: writers(of: table, image, start) + contradiction(events.count, Double(window.count))
        + events.map { line(of: $0) })
  }

  /// The rows of an image in a window's time.
  func records(in metric: Metric, _ image: ImageID, _ start: EventTime) -> [Evidence] {
    history.events(image, metric, index).filter { TumblingWindow.start(of: $0.time) == start }
  }

  private func missing(
    _ start: EventTime, _ table: TableName, _ image: ImageID, _ known: [EventTime]
  ) -> CauseError {
    let aligned = TumblingWindow.start(of: start)
    if known.contains(aligned), aligned != start {
      return CauseError("windows start at whole 5 minutes; did you mean \(aligned)?")
    }
    guard run.lake[table] != nil else {
      return CauseError("the table \(table) doesn't exist: no event-aggregation ran")
    }
    let list = known.map { "\($0)" }
    let shown = list.prefix(12).joined(separator: ", ")
    return CauseError(
      "\(table) has no window of \(name(image)) at \(start); "
        + (list.isEmpty ? "it has none of that image" : "there are: \(shown)")
        + (list.count > 12 ? " and \(list.count - 12) more" : ""))
  }

  /// The snapshot of each of a window's rows: those that several aggregations found are added up.
  private func writers(of table: TableName, _ image: ImageID, _ start: EventTime) -> [Cause] {
    guard let rows = run.lake[table] else { return [] }
    let images = rows.strings("image_id")
    let starts = rows.integers("window_start")
    let counts = rows.integers("event_count")
    let processed = rows.integers("processed_at")
    let parts = images.indices.filter {
      starts[$0] == start.microseconds && images[$0] == image.description
    }.sorted { (processed[$0], counts[$0]) < (processed[$1], counts[$1]) }
    return parts.map { row in
      // A job counts and commits at one virtual instant.
      let snapshot = run.snapshots[table]?.first {
        $0.committedAt.microseconds == processed[row] && $0.operation != "replace"
      }
      let at = EventTime(microseconds: processed[row])
      let job = snapshot?.summary[TrainingSetBuild.jobKey] ?? EventAggregation.name
      let place =
        snapshot.map { "by \(job) in snapshot \($0.id) of \(table)" }
        ?? "in a snapshot of \(table) that has expired"
      return Cause(
        .snapshot, "\(counts[row]) counted at \(at) \(place)",
        fields: [
          .integer("event_count", Int(counts[row])), .time("processed_at", at),
          .integer("snapshot_id", Int(snapshot?.id ?? 0)),
        ])
    }
  }
}
