import Moderation
import Pipeline
import Ports

extension CauseTracer {
  /// Why a score is what it is: rules, the features that they looked at, the trigger, the request,
  /// the wait.
  func cause(of score: ScoredRequest, about column: String?) -> Cause {
    let (request, row) = (score.request, score.row)
    let policy = run.scenario.policy.heuristic
    let sum = sum(score)
    var causes: [Cause] = []
    var shown: Set<String> = []
    if row.modelVersion == nil {
      for rule in policy.rules { causes.append(cause(of: rule, score, &shown)) }
    } else {
      causes += weights(score, &shown)
    }
    causes.append(triggerCause(score, &shown))
    if let column, !shown.contains(column), score.observed[column] != nil {
      causes.append(featureCause(column, score, &shown))
    }
    causes.append(requestCause(score))
    causes.append(waitingCause(score))
    return Cause(
      .score,
      "\(name(request.image))/\(request.trigger.name) scored \(row.riskScore) "
        + "as of \(score.asOf) by \(sum)",
      fields: [
        .text("image", name(request.image)), .id("image_id", request.image),
        .id("request_id", request.id), .text("trigger", request.trigger.name),
        .number("risk_score", row.riskScore), .time("as_of", score.asOf),
        .time("scored_at", row.createdAt),
        .text("policy", row.modelVersion == nil ? policy.name : "model"),
        .text("policy_version", row.modelVersion ?? row.policyVersion),
        .text("rationale", row.rationale ?? ""),
      ], causes: causes)
  }

  /// `heuristic v1: 0 + 0.4 flagged + 0.2 view-burst`.
  private func sum(_ score: ScoredRequest) -> String {
    if let version = score.row.modelVersion {
      return "model \(version) (\(score.row.inferenceMode)): \(score.row.rationale ?? "no reason")"
    }
    let policy = run.scenario.policy.heuristic
    var text = policy.start.brief
    var total = policy.start
    for rule in policy.rules where rule.conditions.allSatisfy({ $0.holds(for: score.observed) }) {
      text += " \(rule.adds < 0 ? "-" : "+") \(abs(rule.adds).brief) \(rule.name)"
      total += rule.adds
    }
    if total > 1 { text += ", at most 1" }
    if total < 0 { text += ", at least 0" }
    return "\(policy.name) \(score.row.policyVersion): \(text)"
  }

  /// The features that weigh most in a model's score, with the counts that they were made from.
  private func weights(_ score: ScoredRequest, _ shown: inout Set<String>) -> [Cause] {
    guard let model = score.row.modelVersion.flatMap({ run.models.models[$0] }) else { return [] }
    let inputs = ModelInputs(score.governed.numeric, category: score.category)
    var causes: [Cause] = []
    for reason in model.reasons(inputs, limit: 5) {
      var inner: [Cause] = []
      if score.governed[reason.feature] != nil, !shown.contains(reason.feature) {
        inner.append(featureCause(reason.feature, score, &shown))
      }
      causes.append(
        Cause(
          .weight, "\(reason.feature) adds \(reason.value.brief) to the logit",
          name: reason.feature, fields: [.number("adds", reason.value)], causes: inner))
    }
    return causes
  }

  /// A rule with what it compared; the features of a rule that held, each shown once.
  private func cause(
    of rule: HeuristicPolicy.Rule, _ score: ScoredRequest, _ shown: inout Set<String>
  ) -> Cause {
    let isFired = rule.conditions.allSatisfy { $0.holds(for: score.observed) }
    let conditions = rule.conditions.map { condition in
      "\(FeatureVector.names[condition.feature]) "
        + "\(score.observed.values[condition.feature].brief) "
        + (condition.holds(for: score.observed) ? "" : "isn't ")
        + "\(condition.comparison.rawValue) \(condition.threshold.brief)"
    }
    var causes: [Cause] = []
    for condition in rule.conditions where isFired {
      let feature = FeatureVector.names[condition.feature]
      if !shown.contains(feature) { causes.append(featureCause(feature, score, &shown)) }
    }
    return Cause(
      .rule,
      "rule \(rule.name) adds \(isFired ? rule.adds.brief : "nothing"): "
        + conditions.joined(separator: ", "), name: rule.name,
      fields: [.number("adds", isFired ? rule.adds : 0)], causes: causes)
  }

  /// A feature as the heuristic saw it: everybody's events.
  private func featureCause(
    _ feature: String, _ score: ScoredRequest, _ shown: inout Set<String>
  ) -> Cause {
    shown.insert(feature)
    if let counted = CountedFeature.all.first(where: { $0.name == feature }) {
      return countCause(counted, score)
    }
    let value = score.observed[feature] ?? 0
    var text = "\(feature) = \(value.brief)"
    var causes: [Cause] = []
    if let (formula, parts) = CountedFeature.derived[feature] {
      text += ": \(formula)"
      for part in parts where !shown.contains(part) {
        causes.append(featureCause(part, score, &shown))
      }
    } else {
      text += ": " + Self.source(of: feature)
    }
    let fields: [TraceField] = [
      .number("value", value), .number("governed", score.governed[feature] ?? 0),
    ]
    return Cause(.feature, text, name: feature, fields: fields, causes: causes)
  }

  private func countCause(
    _ feature: CountedFeature, _ score: ScoredRequest, crossedBy position: String? = nil
  ) -> Cause {
    let (counted, leftOut) = evidence(feature, of: score)
    // The minute that `suspicious` looks at is no feature: it has the records alone.
    let value = score.observed[feature.name] ?? Double(counted.count)
    let governed = score.governed[feature.name] ?? Double(counted.count { $0.isEligible })
    let records = counted.map { record in
      line(of: record, note: record.position == position ? "crossed the threshold" : nil)
    }
    return Cause(
      .feature, "\(feature.name) = \(value.brief): \(feature.scope(asOf: score.asOf))",
      name: feature.name, fields: [.number("value", value), .number("governed", governed)],
      causes: contradiction(counted.count, value) + records
        + leftOut.map { line(of: $0.record, .leftOut, note: "not counted: \($0.why)") })
  }

  /// Where a feature that isn't a count of events comes from.
  static func source(of feature: String) -> String {
    switch feature {
    case "time_since_upload_seconds": "from the upload to the instant"
    case "hour_of_day", "day_of_week", "is_weekend": "of the upload"
    case "caption_length", "has_caption": "of the caption"
    case "user_image_count": "the uploader's images at the instant"
    case "user_age_days": "since the uploader's account was made"
    default: "the image's category"
    }
  }

  // MARK: Trigger and request

  /// What asked for the score: the count that reached a threshold with the record that did it, or
  /// the upload.
  private func triggerCause(_ score: ScoredRequest, _ shown: inout Set<String>) -> Cause {
    let request = score.request
    let fields: [TraceField] = [.time("as_of", request.asOf)]
    guard let feature = CountedFeature(request.trigger) else {
      let upload = index.records(request.image, .upload).first
      guard case .anchor(let minutes) = request.trigger else {
        return Cause(.trigger, "asked for by name as of \(request.asOf)", fields: fields)
      }
      return Cause(
        .trigger, "anchor: \(minutes) min after the upload", name: request.trigger.name,
        fields: fields, causes: upload.map { [line(of: $0)] } ?? [])
    }
    let record = crossing(request)
    let text =
      "trigger \(request.trigger.name): \(feature.name) reached "
      + "\(request.count ?? 0), threshold \(threshold(of: request.trigger) ?? 0), with "
      + (record?.position ?? "an unknown record")
    var causes: [Cause] = []
    // The instant of the request is the score's, but under `scoring: immediate`.
    if !shown.contains(feature.name), request.asOf == score.asOf {
      shown.insert(feature.name)
      causes = [countCause(feature, score, crossedBy: record?.position)]
    } else if let record {
      causes = [line(of: record, note: "crossed the threshold")]
    }
    return Cause(.trigger, text, name: request.trigger.name, fields: fields, causes: causes)
  }

  private func threshold(of trigger: Trigger) -> Int? {
    let triggers = run.scenario.policy.triggers
    switch trigger {
    case .viral: return triggers.viral
    case .suspicious: return triggers.suspicious
    case .flagged: return triggers.flagged
    case .popular, .milestone, .anchor, .scoreAt: return nil
    }
  }

  /// The record with which a request's count reached its threshold, or an anchor's upload.
  func crossing(_ request: ModerationRequest) -> Evidence? {
    guard let feature = CountedFeature(request.trigger), let window = feature.window,
      let threshold = threshold(of: request.trigger)
    else {
      if case .anchor = request.trigger { return index.records(request.image, .upload).first }
      return nil
    }
    var counter = RollingCounter()
    for record in index.records(request.image, feature.metric.kind) where !record.isRepeat {
      let asOf = counter.record(
        record.time, visibleFrom: record.visibleFrom, isEligible: record.isEligible)
      if counter.count(window, asOf: asOf).observed >= threshold { return record }
    }
    return nil
  }

  private func requestCause(_ score: ScoredRequest) -> Cause {
    let request = score.request
    guard let record = run.requestRecords[request.id] else {
      return Cause(.request, "request \(request.id): not in the log")
    }
    let published = EventTime(microseconds: record.timestampMilliseconds * 1000)
    return Cause(
      .request,
      "request \(request.id): \(record.partition)@\(record.offset), published \(published)",
      fields: [
        .text("topic", record.partition.topic), .integer("partition", record.partition.partition),
        .integer("offset", Int(record.offset)), .time("published_at", published),
      ])
  }
}
