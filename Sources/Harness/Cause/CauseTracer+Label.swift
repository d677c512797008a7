import Moderation
import Pipeline
import Ports

extension CauseTracer {
  /// The label of a training row with the flags that make it, and those that don't.
  func labelCause(_ source: RowSource) -> Cause {
    let rule = run.scenario.policy.labels
    let end = source.upload + LabelRule.horizon
    let scope =
      switch rule {
      case .ripe: "in (\(source.instant), \(end)]"
      case .lab: "in [\(source.upload), \(end)]"
      }
    let (makers, others) = flags(source, rule, until: end)
    var text: String
    switch source.row.label {
    case true?: text = "label 1: eligible flags \(scope)"
    case false?: text = "label 0: no eligible flag \(scope)"
    case nil:
      let known = run.trainingKnownUntil.map { "\($0)" } ?? "?"
      text = "label null: flags are known until \(known), not until \(end)"
    }
    return Cause(
      .label, text, name: TrainingRow.labelColumn,
      fields: [.integer("value", source.row.label.map { $0 ? 1 : 0 } ?? -1)],
      causes: labelContradiction(source, makers.count) + makers
        + others)
  }

  private func labelContradiction(_ source: RowSource, _ found: Int) -> [Cause] {
    guard let label = source.row.label, label != (found > 0) else { return [] }
    return [
      Cause(
        .contradiction, "the label is \(label ? 1 : 0), but \(found) such flags are found",
        fields: [.integer("found", found)])
    ]
  }

  /// The flags on the image that the database had: those that make the label, and the others.
  private func flags(
    _ source: RowSource, _ rule: LabelRule, until end: EventTime
  ) -> (makers: [Cause], others: [Cause]) {
    let governance = run.scenario.policy.governance
    var (makers, others): ([Cause], [Cause]) = ([], [])
    let records = index.records(source.row.image, .flag).filter { !$0.isRepeat }
    for flag in source.extract.flags[source.row.image] ?? [] {
      let record = records.first { $0.event == flag.id.description }
      var why: String?
      if let reporter = source.extract.users[flag.userID],
        !governance.isEligible(reporter, at: flag.createdAt)
      {
        why = ineligibility(of: flag.userID, at: flag.createdAt, in: source.extract)
      } else if rule == .ripe, flag.createdAt <= source.instant {
        why = "at or before the decision point"
      } else if flag.createdAt > end || flag.createdAt < source.upload {
        why = "not within 24 h of the upload"
      }
      var text = "flag \(flag.id)  \(flag.createdAt)  \(run.aliases.name(flag.userID))"
      if let record { text += "  \(record.position)" }
      let fields: [TraceField] = [
        .id("flag_id", flag.id), .time("created_at", flag.createdAt), .id("user_id", flag.userID),
      ]
      if let why {
        others.append(Cause(.leftOut, text + ", doesn't count: \(why)", fields: fields))
      } else {
        makers.append(Cause(.record, text, fields: fields))
      }
    }
    return (makers, others)
  }

  /// What the scorer saw for the same image and instant, feature by feature where it differs.
  func onlineCauses(_ source: RowSource) -> [Cause] {
    let anchor = Trigger.anchor(minutes: source.row.decisionPointMinutes)
    let score = run.scores.first {
      $0.request.image == source.row.image && $0.request.trigger == anchor
    }
    guard let score else {
      return [Cause(.online, "the scorer saw nothing: there is no score by \(anchor.name)")]
    }
    let differing = source.row.features.indices.filter {
      score.governed.values[$0] != source.row.features[$0]
    }
    let place = "the scorer at \(anchor.name), \(score.row.createdAt)"
    guard !differing.isEmpty else {
      return [Cause(.online, "\(place), saw the same 18 values (governed)")]
    }
    let mismatches = Set(
      run.skew.mismatches.filter { mismatch in
        mismatch.image == source.row.image && mismatch.isLate
          && mismatch.decisionPoint == source.row.decisionPointMinutes
      }.map(\.feature))
    let skewed = differing.map { place in
      let name = FeatureVector.numericNames[place]
      let (online, offline) = (score.governed.values[place], source.row.features[place])
      let why = mismatches.contains(name) ? ", for events that came late" : ""
      return Cause(
        .feature, "skew: \(name) was \(online.brief) online, is \(offline.brief) here\(why)",
        fields: [.number("online", online), .number("offline", offline)])
    }
    return [Cause(.online, "\(place), saw other values", causes: skewed)]
  }
}
