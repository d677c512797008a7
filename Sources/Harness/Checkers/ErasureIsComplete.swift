import Moderation
import Pipeline
import Ports

/// After an erasure, no current snapshot of a lake table has rows of a deleted image, of a deleted
/// comment, or of a user found ineligible, nor a logged vector that any of them had fed.
///
/// Applies when an erasure ran after the last deletion and correction, and after every job that
/// brings rows into the lake. Doesn't check: older snapshots and files (`expect: erased`), counts
/// (see ``WindowTablesSumToLog`` and ``GovernanceIsTransitive``), counts of a user's own images
/// (declared retention), and tables of others.
public struct ErasureIsComplete: Checker {
  /// `ErasureIsComplete`.
  public let name = "ErasureIsComplete"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    let writers: [JobName] = [.eventAggregation, .trainingSet, .featureLog]
    let lastWriter = run.jobs.lastIndex { writers.contains($0.job) } ?? -1
    let isComplete = run.jobs.contains { job in
      job.job == .erasure && job.failure == nil && job.at.asEventTime > run.lastChange
        && lastWriter < job.runsBefore
    }
    guard isComplete, lastWriter >= 0 else { return nil }
    let gone = ErasedContent(run)
    let ids = GoneIDs(gone)
    var faults = Metric.allCases.flatMap { metric in
      Self.rows(run, LakeTables.windows(metric), ["image_id": ids.images])
        + Self.rows(
          run, LakeTables.events(metric), ["image_id": ids.images, "event_id": ids.comments])
        + Self.stamps(run, metric)
    }
    faults += Self.rows(run, LakeTables.trainingData, ["image_id": ids.images])
    faults += Self.rows(run, LakeTables.raw("users"), ["id": ids.users])
    faults += Self.rows(run, LakeTables.raw("images"), ["id": ids.images])
    for table in ["comments", "flags"] {
      let own = table == "comments" ? "id" : "comment_id"
      faults += Self.rows(
        run, LakeTables.raw(table),
        ["image_id": ids.images, "user_id": ids.users, own: ids.comments])
    }
    return faults + Self.vectors(run, gone, ids)
  }

  /// Rows of a table that have any of the ids in a column.
  private static func rows(
    _ run: RunResult, _ table: TableName, _ columns: [String: Set<String>]
  ) -> [String] {
    guard let rows = run.lake[table] else { return [] }
    return columns.sorted { $0.key < $1.key }.flatMap { column, ids in
      rows.strings(column).filter(ids.contains).map { "\(table) has a row with \(column) \($0)" }
    }
  }

  /// Events that are stamped eligible, but whose actors weren't.
  private static func stamps(_ run: RunResult, _ metric: Metric) -> [String] {
    let table = LakeTables.events(metric)
    guard let rows = run.lake[table] else { return [] }
    let users = GovernedUsers(run)
    let (actors, times) = (rows.strings("user_id"), rows.integers("event_time"))
    return rows.booleans("actor_eligible").enumerated().compactMap { row, isEligible in
      let time = EventTime(microseconds: times[row])
      guard isEligible, !users.isEligible(UserID(actors[row]), at: time) else { return nil }
      return "\(table) has what \(actors[row]) did at \(time), stamped eligible"
    }
  }

  /// Logged vectors of gone images, and of others that something gone had fed.
  private static func vectors(
    _ run: RunResult, _ gone: ErasedContent, _ ids: GoneIDs
  ) -> [String] {
    let table = LakeTables.featureLog
    guard let rows = run.lake[table] else { return [] }
    var fedSince: [String: Int64] = [:]
    for event in run.events.lazy.map(\.event) {
      guard event.kind.metric != nil, let image = event.image?.description, gone.takes(event)
      else { continue }
      fedSince[image] = min(fedSince[image] ?? .max, event.time.microseconds)
    }
    let instants = rows.integers("as_of")
    return rows.strings("image_id").enumerated().compactMap { row, image in
      let instant = EventTime(microseconds: instants[row])
      if ids.images.contains(image) { return "\(table) has a vector of \(image) as of \(instant)" }
      guard let since = fedSince[image], since <= instants[row] else { return nil }
      return "\(table) has a vector of \(image) as of \(instant), fed by what went"
    }
  }
}

/// The ids of what went, as the lake's tables write them.
private struct GoneIDs {
  let images: Set<String>
  let comments: Set<String>
  let users: Set<String>

  init(_ gone: ErasedContent) {
    images = Set(gone.images.map(\.description))
    comments = Set(gone.comments.map(\.description))
    users = Set(gone.users.map(\.description))
  }
}
