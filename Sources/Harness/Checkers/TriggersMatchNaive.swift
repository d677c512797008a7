import Moderation
import Pipeline
import Ports

/// The requests for scores are those that a brute-force walk over the applied events asks for: the
/// anchors after each upload, and each threshold once per image, as of the same instants.
///
/// A late event counts from the watermark that it found on; so a threshold may be crossed as of an
/// instant after the event that crossed it. Doesn't check: triggers that are only logged, requests
/// by hand (`score_at`), how soon a request was made.
public struct TriggersMatchNaive: Checker {
  /// `TriggersMatchNaive`.
  public let name = "TriggersMatchNaive"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.scenario.policy.publication != .none else { return nil }
    let horizon = run.scenario.policy.horizon
    var wanted: [ModerationRequest] = []
    wanted.reserveCapacity(run.requests.count)
    let history = run.history
    let policy = run.scenario.policy.triggers
    for (image, upload) in history.uploads {
      for minutes in policy.anchors {
        let asOf = upload + .seconds(60 * minutes)
        // Nothing is asked for after the horizon.
        if let horizon, asOf > horizon { continue }
        let request = ModerationRequest(
          FiredTrigger(image: image, trigger: .anchor(minutes: minutes), asOf: asOf))
        wanted.append(request)
      }
    }
    for image in history.images {
      for fired in Self.crossings(image, history[image], policy) {
        wanted.append(ModerationRequest(fired))
      }
    }
    // By place: a request is five times as large as its id.
    var open: [RequestID: Int] = Dictionary(minimumCapacity: wanted.count)
    for index in wanted.indices { open[wanted[index].id] = index }
    func title(_ request: ModerationRequest) -> String {
      "\(run.aliases.name(request.image)) \(request.trigger.name) as of \(request.asOf)"
    }
    func crossed(_ request: ModerationRequest) -> String {
      request.count.map { " with \($0)" } ?? ""
    }
    var faults: [String] = []
    for request in run.requests where request.trigger != .scoreAt {
      let other = open.removeValue(forKey: request.id).map { wanted[$0] }
      guard other != request else { continue }
      faults.append(
        title(request) + crossed(request) + " was asked for; the events ask for "
          + (other.map { title($0) + crossed($0) } ?? "none"))
    }
    let missing = open.values.map { wanted[$0] }.filter { $0.asOf <= run.scenario.end }
    return faults
      + missing.sorted { ($0.asOf, $0.id) < ($1.asOf, $1.id) }.map {
        title($0) + crossed($0) + " was never asked for"
      }
  }

  /// The thresholds that an image's events cross, in the order in which they were applied.
  private static func crossings(
    _ image: ImageID, _ entries: [ImageHistory.Entry], _ policy: TriggerPolicy
  ) -> [FiredTrigger] {
    let thresholds: [(Trigger, Int?, EventKind, Int64)] = [
      (.viral, policy.viral, .view, 300), (.suspicious, policy.suspicious, .comment, 60),
      (.flagged, policy.flagged, .flag, 300),
    ]
    var fired: [FiredTrigger] = []
    for (trigger, threshold, kind, seconds) in thresholds {
      guard let threshold else { continue }
      // No more than the threshold's number of times is ever kept.
      var times: [EventTime] = []
      var asOf = EventTime(microseconds: .min)
      for entry in entries where entry.event.kind == kind {
        asOf = max(asOf, entry.event.time, entry.visibleFrom ?? entry.event.time)
        times.append(entry.event.time)
        times.removeAll { $0 <= asOf - .seconds(seconds) }
        guard times.count >= threshold else { continue }
        fired.append(
          FiredTrigger(image: image, trigger: trigger, asOf: asOf, count: times.count))
        break
      }
    }
    return fired
  }
}
