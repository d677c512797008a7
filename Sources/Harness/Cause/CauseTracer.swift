import Moderation
import Pipeline
import Ports

/// Explains values of a run: which records, requests, snapshots and faults made them.
///
/// It counts again by itself, from the records that were applied and the rows of the lake; where
/// that doesn't give the value, the explanation says so.
public struct CauseTracer: Sendable {
  let run: RunResult
  let index: EvidenceIndex
  /// The events of the lake at the end.
  let history: HistoryIndex
  /// Those that the last training-set build saw.
  let builtHistory: HistoryIndex
  /// What the database said when a job last made training rows from it.
  let extracts: [JobName: DatabaseExtract]
  /// What it says at the end.
  let database: DatabaseExtract
  private let appliedBefore: [ModerationID: Int]

  /// Looks through a run once, for any number of questions.
  public init(_ run: RunResult) {
    self.run = run
    index = EvidenceIndex(run)
    appliedBefore = Dictionary(
      uniqueKeysWithValues: zip(run.scores.map(\.row.id), run.appliedBeforeScore))
    var events: [Metric: RecordBatch] = [:]
    for metric in Metric.allCases { events[metric] = run.lake[LakeTables.events(metric)] }
    history = HistoryIndex(events)
    // Where the snapshots that the build saw have expired, what is there now is the nearest.
    builtHistory = HistoryIndex(run.builtHistory.merging(events) { built, _ in built })
    extracts = run.extracts.mapValues { DatabaseExtract($0) }
    database = DatabaseExtract(run.tables)
  }

  /// Why a value is what it is.
  ///
  /// - Parameter column: a feature to be explained even where nothing turned on it.
  public func explain(
    _ question: CauseQuestion, about column: String? = nil
  ) throws(CauseError) -> Cause {
    switch question {
    case .score(let text): cause(of: try score(text), about: column)
    case .row(let image, let minutes): try rowCause(try self.image(image), minutes)
    case .window(let table, let image, let start):
      try windowCause(try metric(table), try self.image(image), start)
    }
  }

  /// The score that a request's id, `IMAGE,TRIGGER` or `IMAGE/TRIGGER` names.
  private func score(_ text: String) throws(CauseError) -> ScoredRequest {
    if let id = RequestID(text) {
      guard let score = run.scores.first(where: { $0.request.id == id }) else {
        let isAsked = run.requests.contains { $0.id == id }
        throw CauseError("the request \(text) " + (isAsked ? "wasn't scored" : "isn't in the run"))
      }
      return score
    }
    guard let separator = text.lastIndex(where: { $0 == "," || $0 == "/" }) else {
      throw CauseError("'\(text)' is no request; write its id or IMAGE,TRIGGER, as hero,viral")
    }
    let image = try image(String(text[..<separator]))
    let trigger = String(text[text.index(after: separator)...])
    let scores = run.scores.filter { $0.request.image == image }
    // What decided; a shadow's row is found by its request.
    let found = scores.filter {
      $0.request.trigger.name == trigger && $0.row.inferenceMode != "shadow"
    }
    if found.count > 1 {
      let ids = found.map { "\($0.request.id) as of \($0.asOf)" }.joined(separator: ", ")
      throw CauseError("\(name(image)) has \(found.count) scores by \(trigger): \(ids)")
    }
    if let score = found.first { return score }
    if let request = run.requests.first(where: {
      $0.image == image && $0.trigger.name == trigger
    }) {
      throw CauseError(
        "\(name(image)) by \(trigger) was asked for as of \(request.asOf), not scored")
    }
    throw .unknown(
      "score of \(name(image)) by", trigger, known: scores.map(\.request.trigger.name).sorted())
  }

  private func image(_ text: String) throws(CauseError) -> ImageID {
    if let image = run.aliases.uploadedImage(text) { return image }
    throw .unknown("image", text, known: run.aliases.imageNames)
  }

  /// The metric of a window table, by its whole name or without namespace or `_5min`.
  private func metric(_ table: String) throws(CauseError) -> Metric {
    let name = table.split(separator: ".").last.map(String.init) ?? table
    let found = Metric.allCases.first {
      name == $0.windowTable || "\(name)_5min" == $0.windowTable
    }
    if let found { return found }
    throw .unknown("window table", table, known: Metric.allCases.map(\.windowTable))
  }

  // MARK: Records

  /// The records that a count of a score was made from, in the order of their events, and those of
  /// its window that it doesn't have.
  func evidence(
    _ feature: CountedFeature, of score: ScoredRequest
  ) -> (counted: [Evidence], leftOut: [(record: Evidence, why: String)]) {
    let isImmediate = run.scenario.policy.scoring == .immediate
    let known = isImmediate ? appliedBefore[score.row.id] ?? .max : .max
    var counted: [Evidence] = []
    var leftOut: [(record: Evidence, why: String)] = []
    for record in index.records(score.request.image, feature.metric.kind)
    where feature.holds(record.time, asOf: score.asOf) {
      if record.isRepeat {
        leftOut.append((record, "a repeat of an event that was applied before"))
      } else if let from = record.visibleFrom, from > score.asOf {
        leftOut.append((record, "late: counts from \(from) on"))
      } else if record.place >= known {
        leftOut.append((record, "not applied yet when this was scored"))
      } else {
        counted.append(record)
      }
    }
    counted.sort { ($0.time, $0.place) < ($1.time, $1.place) }
    return (counted, leftOut)
  }

  /// A record's line: where it stands, when it happened and was applied, whose it is.
  func line(of record: Evidence, _ kind: Cause.Kind = .record, note: String? = nil) -> Cause {
    var fields: [TraceField] = [
      .text("topic", record.partition.topic), .integer("partition", record.partition.partition),
      .integer("offset", Int(record.offset)), .text("event_id", record.event),
      .time("event_time", record.time),
    ]
    var text = "\(record.position)  \(record.time)"
    if let applied = record.appliedAt {
      text += "  applied \(applied)"
      fields.append(.time("applied_at", applied.asEventTime))
    }
    text += "  " + (record.actor.map { run.aliases.name($0) } ?? "anonymous")
    if let actor = record.actor { fields.append(.id("user_id", actor)) }
    fields.append(.integer("actor_eligible", record.isEligible ? 1 : 0))
    if !record.isEligible { text += ", \(ineligibility(of: record.actor, at: record.time))" }
    if kind == .record, let from = record.visibleFrom {
      text += ", late: the watermark was at \(from - .microseconds(1))"
      fields.append(.time("visible_from", from))
    }
    if let note {
      text += ", \(note)"
      fields.append(.text("note", note))
    }
    return Cause(kind, text, fields: fields)
  }

  /// Why somebody's events aren't governed, as far as the database still tells.
  func ineligibility(
    of actor: UserID?, at time: EventTime, in extract: DatabaseExtract? = nil
  ) -> String {
    let users = (extract ?? database).users
    guard let user = actor.flatMap({ users[$0] }) else { return "ineligible" }
    if user.isTestAccount { return "ineligible: test account" }
    let isMinor = run.scenario.policy.governance.isMinor(user, at: time)
    return isMinor ? "ineligible: minor" : "ineligible when it happened"
  }

  func name(_ image: ImageID) -> String { run.aliases.name(image) }

  /// A node that says where the records don't give the value; none where they do.
  func contradiction(_ found: Int, _ value: Double) -> [Cause] {
    guard Double(found) != value else { return [] }
    return [
      Cause(
        .contradiction, "the value is \(value.brief), but \(found) such records are found",
        fields: [.integer("found", found), .number("value", value)])
    ]
  }
}

/// The database's rows at one instant, by their ids.
struct DatabaseExtract: Sendable {
  let users: [UserID: User]
  let images: [ImageID: Image]
  /// The flags of each image, by (instant, id).
  let flags: [ImageID: [Flag]]
  /// The ids of deleted comments, which are those of their events.
  let deletedComments: Set<String>

  init(_ snapshot: ApplicationSnapshot) {
    users = Dictionary(uniqueKeysWithValues: snapshot.users.map { ($0.id, $0) })
    images = Dictionary(uniqueKeysWithValues: snapshot.images.map { ($0.id, $0) })
    var flags: [ImageID: [Flag]] = [:]
    for flag in snapshot.flags.sorted(by: { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }) {
      if let image = flag.imageID { flags[image, default: []].append(flag) }
    }
    self.flags = flags
    deletedComments = Set(
      snapshot.comments.filter { $0.deletedAt != nil }.map(\.id.description))
  }
}
