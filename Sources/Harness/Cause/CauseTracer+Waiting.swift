import Moderation
import Pipeline
import Ports
import Simulation

extension CauseTracer {
  /// A point on the way from a score's instant to its row.
  private struct Step {
    var at: Int64
    var text: String
  }

  /// How long after its instant a score was stored, what had to come first, and the faults in
  /// between.
  func waitingCause(_ score: ScoredRequest) -> Cause {
    let start = score.request.asOf
    let end = score.row.createdAt
    var steps = self.steps(score).filter { $0.at >= start.microseconds }.sorted { $0.at < $1.at }
    steps.append(Step(at: end.microseconds, text: "scored"))
    var longest: (gap: Int64, text: String) = (0, "")
    var previous = start.microseconds
    for step in steps {
      if step.at - previous > longest.gap { longest = (step.at - previous, step.text) }
      previous = max(previous, step.at)
    }
    var text = "scored \((end.microseconds - start.microseconds).seconds) after the instant"
    if longest.gap > 0 { text += ", \(longest.gap.seconds) of it until: \(longest.text)" }
    let causes = steps.map { step in
      Cause(
        .step, "+\((step.at - start.microseconds).seconds)  \(step.text)",
        fields: [.time("at", EventTime(microseconds: step.at))])
    }
    return Cause(
      .waited, text, name: "scored_at",
      fields: [.number("seconds", Double(end.microseconds - start.microseconds) / 1e6)],
      causes: causes + faults(from: start, to: end))
  }

  private func steps(_ score: ScoredRequest) -> [Step] {
    let request = score.request
    var steps: [Step] = []
    let crossing = crossing(request)
    if let crossing, let applied = crossing.appliedAt {
      steps.append(
        Step(at: applied.microseconds, text: "the stream consumer applied \(crossing.position)"))
    }
    if let record = run.requestRecords[request.id] {
      steps.append(
        Step(
          at: record.timestampMilliseconds * 1000,
          text: "the request was published"))
    }
    guard run.scenario.policy.scoring == .watermark else { return steps }
    guard run.scenario.policy.publication != .direct else {
      let at = (request.asOf + run.scenario.policy.idleWait).microseconds
      return steps + [Step(at: at, text: "the watermark, which follows the clock, may be there")]
    }
    return steps + watermarkSteps(request.asOf, beside: crossing)
  }

  /// The mark that brought the watermark to an instant, and the last record before it where that
  /// was applied later.
  private func watermarkSteps(_ instant: EventTime, beside crossing: Evidence?) -> [Step] {
    guard let (record, mark) = firstMark(reaching: instant) else { return [] }
    let published = record.timestampMilliseconds * 1000
    var steps = [
      Step(
        at: published,
        text: "the mark \(record.partition)@\(record.offset) resolved all up to "
          + "\(mark.resolvedAt)")
    ]
    if let last = lastApplied(before: mark), last.appliedAt.microseconds > published,
      last.appliedAt != crossing?.appliedAt
    {
      steps.append(
        Step(
          at: last.appliedAt.microseconds,
          text: "the stream consumer applied \(last.record.partition)@\(last.record.offset), "
            + "the last record before that mark"))
    }
    return steps
  }

  /// The first mark that resolves an instant; marks never go back.
  private func firstMark(reaching instant: EventTime) -> (EventRecord, ResolvedMark)? {
    var low = 0
    var high = run.marks.count
    while low < high {
      let middle = (low + high) / 2
      if let mark = ResolvedMark(run.marks[middle].value), mark.resolvedAt >= instant {
        high = middle
      } else {
        low = middle + 1
      }
    }
    guard low < run.marks.count, let mark = ResolvedMark(run.marks[low].value) else { return nil }
    return (run.marks[low], mark)
  }

  /// The record before a mark that was applied last.
  private func lastApplied(before mark: ResolvedMark) -> AppliedRecord? {
    run.applied.last { $0.record.offset < mark.end(of: $0.record.partition) }
  }

  /// The scenario's faults that hit something and touch an interval.
  private func faults(from start: EventTime, to end: EventTime) -> [Cause] {
    zip(run.scenario.faults, run.faultHits).compactMap { fault, hits in
      let from = run.scenario.start + fault.at
      let duration = fault.duration ?? max(.zero, run.scenario.duration - fault.at)
      guard hits > 0, from <= end, from + duration >= start else { return nil }
      let subject = [fault.component, fault.target].compactMap { $0 }.joined(separator: " ")
      return Cause(
        .fault,
        "fault: \(fault.kind.name) \(subject) at \(from) for \(duration.microseconds.seconds)",
        fields: [
          .text("subject", subject), .text("fault", fault.kind.name), .time("at", from),
          .number("seconds", Double(duration.microseconds) / 1e6), .integer("hits", hits),
        ])
    }
  }
}
