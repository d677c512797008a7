import Moderation
import Pipeline
import Ports

extension CauseTracer {
  /// What a training row was made from.
  struct RowSource {
    var row: TrainingRow
    /// The job that wrote it as it is now.
    var job: JobName
    /// What the database said then.
    var extract: DatabaseExtract
    /// The events that the job saw.
    var history: HistoryIndex
    var upload: EventTime
    /// The decision point.
    var instant: EventTime
  }

  /// The source of a training row at the end; nil when there is no such row.
  func source(_ image: ImageID, _ minutes: Int) -> RowSource? {
    func isIt(_ row: TrainingRow) -> Bool {
      row.image == image && row.decisionPointMinutes == minutes
    }
    guard let row = run.trainingRows.first(where: isIt) else { return nil }
    let isAsBuilt = run.builtRows.contains(row)
    let job: JobName = isAsBuilt ? .trainingSet : .erasure
    let extract = extracts[job] ?? database
    guard let upload = extract.images[image]?.createdAt else { return nil }
    return RowSource(
      row: row, job: job, extract: extract, history: isAsBuilt ? builtHistory : history,
      upload: upload, instant: upload + .seconds(60 * minutes))
  }

  /// Why a training row is what it is: who wrote it, the lake's rows that it counts, its label, and
  /// what the scorer saw.
  func rowCause(_ image: ImageID, _ minutes: Int) throws(CauseError) -> Cause {
    guard let source = source(image, minutes) else {
      throw CauseError(
        "\(name(image)) has no training row at \(minutes) min: "
          + absence(image, minutes))
    }
    let label = source.row.label.map { $0 ? "1" : "0" } ?? "null"
    var causes = [writer(of: source)]
    for feature in FeatureVector.numericNames[4..<14] {
      if let cause = cause(of: feature, source) { causes.append(cause) }
    }
    causes += facts(source)
    causes.append(labelCause(source))
    causes += onlineCauses(source)
    return Cause(
      .row,
      "\(name(image)) at \(minutes) min, as of \(source.instant): training row, label \(label)",
      fields: [
        .text("image", name(image)), .id("image_id", image),
        .integer("decision_point_minutes", minutes), .time("as_of", source.instant),
        .text("label", label),
      ], causes: causes)
  }

  /// Why there is no such row.
  private func absence(_ image: ImageID, _ minutes: Int) -> String {
    let table = LakeTables.trainingData
    guard let knownUntil = run.trainingKnownUntil else { return "\(table) was never built" }
    let points = run.trainingRows.filter { $0.image == image }.map(\.decisionPointMinutes).sorted()
    if !points.isEmpty {
      let list = points.map { "\($0)m" }.joined(separator: ", ")
      guard OfflineFeatures.decisionPoints.contains(minutes) else { return "there are \(list)" }
    }
    guard let row = database.images[image], let uploader = database.users[row.userID] else {
      return "the image isn't in the database"
    }
    if let deleted = row.deletedAt { return "the image was deleted at \(deleted)" }
    if !run.scenario.policy.governance.isEligible(row, uploader: uploader) {
      return "its uploader \(run.aliases.name(uploader.id)) is "
        + ineligibility(of: uploader.id, at: row.createdAt)
    }
    let instant = row.createdAt + .seconds(60 * minutes)
    if instant > knownUntil { return "the history was known until \(knownUntil), not \(instant)" }
    return "rows are made at 0m, 5m and 30m"
  }

  private func writer(of source: RowSource) -> Cause {
    let table = LakeTables.trainingData
    let snapshot = run.snapshots[table]?.last {
      $0.summary[TrainingSetBuild.jobKey] == source.job.rawValue && $0.operation != "replace"
    }
    var text = "written by \(source.job.rawValue)"
    guard let snapshot else {
      return Cause(.snapshot, text + ", in a snapshot of \(table) that has expired")
    }
    text += " in snapshot \(snapshot.id) of \(table), committed \(snapshot.committedAt)"
    if let known = run.trainingKnownUntil { text += ", history known until \(known)" }
    return Cause(
      .snapshot, text,
      fields: [
        .text("table", table.description), .integer("snapshot_id", Int(snapshot.id)),
        .text("job", source.job.rawValue), .time("committed_at", snapshot.committedAt),
      ])
  }

  // MARK: Features

  /// The lake's rows that a count of a training row was made from, and those of its window that
  /// governance leaves out.
  func evidence(
    _ feature: CountedFeature, of source: RowSource
  ) -> (counted: [Evidence], leftOut: [(record: Evidence, why: String)]) {
    let governance = run.scenario.policy.governance
    var counted: [Evidence] = []
    var leftOut: [(record: Evidence, why: String)] = []
    for record in source.history.events(source.row.image, feature.metric, index)
    where feature.holds(record.time, asOf: source.instant) {
      let user = record.actor.flatMap { source.extract.users[$0] }
      if source.extract.deletedComments.contains(record.event) {
        leftOut.append((record, "the comment was deleted"))
      } else if !record.isEligible {
        leftOut.append((record, ""))
      } else if let user, !governance.isEligible(user, at: record.time) {
        let why = ineligibility(of: user.id, at: record.time, in: source.extract)
        leftOut.append((record, "found later: \(why)"))
      } else {
        counted.append(record)
      }
    }
    return (counted, leftOut)
  }

  /// A feature with its rows of the lake; nil when it is 0 and nothing was left out.
  private func cause(of name: String, _ source: RowSource) -> Cause? {
    let value = FeatureVector.index(of: name).map { source.row.features[$0] } ?? 0
    let fields: [TraceField] = [.number("value", value)]
    guard let feature = CountedFeature.all.first(where: { $0.name == name }) else {
      let formula = CountedFeature.derived[name]?.formula ?? ""
      return value == 0
        ? nil : Cause(.feature, "\(name) = \(value.brief): \(formula)", name: name, fields: fields)
    }
    var text = "\(name) = \(value.brief): "
    if run.scenario.policy.offline == .lab {
      guard value != 0 else { return nil }
      let windows = windows(feature, source)
      text += "\(LakeTables.windows(feature.metric)) in that time"
      return Cause(
        .feature, text, name: name, fields: fields,
        causes: contradiction(windows.reduce(0) { $0 + $1.count }, value)
          + windows.map { window in
            Cause(
              .aggregate, "\(window.start)  \(window.count)",
              fields: [.time("window_start", window.start), .integer("count", window.count)])
          })
    }
    let (counted, leftOut) = evidence(feature, of: source)
    guard value != 0 || !counted.isEmpty || !leftOut.isEmpty else { return nil }
    text += "eligible \(feature.scope(asOf: source.instant))"
    return Cause(
      .feature, text, name: name, fields: fields,
      causes: contradiction(counted.count, value) + counted.map { line(of: $0) }
        + leftOut.map { record, why in
          line(of: record, .leftOut, note: why.isEmpty ? "left out" : "left out: \(why)")
        })
  }

  /// Under `offline: lab`, the windows that a count adds up: those wholly after the upload and
  /// before the decision point, as far as they were aggregated when the row was written.
  func windows(_ feature: CountedFeature, _ source: RowSource) -> [AggregateWindow] {
    let table = LakeTables.windows(feature.metric)
    let built = run.snapshots[LakeTables.trainingData]?.last {
      $0.summary[TrainingSetBuild.jobKey] == source.job.rawValue
    }
    guard let rows = run.lake[table] else { return [] }
    let starts = rows.integers("window_start")
    let counts = rows.integers("event_count")
    let processed = rows.integers("processed_at")
    let end = source.instant.microseconds
    return rows.strings("image_id").enumerated().compactMap { row, image in
      let windowEnd = starts[row] + TumblingWindow.microseconds
      guard image == source.row.image.description, starts[row] >= source.upload.microseconds,
        windowEnd <= end, feature.window.map({ windowEnd > end - $0.microseconds }) ?? true,
        built.map({ processed[row] <= $0.committedAt.microseconds }) ?? true
      else { return nil }
      return AggregateWindow(
        start: EventTime(microseconds: starts[row]), count: Int(counts[row]))
    }.sorted { ($0.start, $0.count) < ($1.start, $1.count) }
  }

  /// The features that aren't counts of events, those of one source on one line.
  private func facts(_ source: RowSource) -> [Cause] {
    let uploader = source.extract.images[source.row.image]?.userID
    let groups: [(from: String, names: ArraySlice<String>)] = [
      ("the upload at \(source.upload)", FeatureVector.numericNames[0..<4]),
      ("the caption", FeatureVector.numericNames[14..<16]),
      (
        "the uploader \(uploader.map { run.aliases.name($0) } ?? "")",
        FeatureVector.numericNames[16..<18]
      ),
    ]
    return groups.compactMap { from, names in
      let values = names.indices.filter { source.row.features[$0] != 0 }.map {
        "\(FeatureVector.numericNames[$0]) = \(source.row.features[$0].brief)"
      }
      guard !values.isEmpty else { return nil }
      return Cause(.facts, "from \(from): " + values.joined(separator: ", "))
    }
  }
}
