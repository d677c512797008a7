import Moderation
import Pipeline
import Ports

/// Every score's window counts and totals equal those of a brute-force count over the applied
/// events.
///
/// Doesn't check: features from the database, triggers (see ``TriggersMatchNaive``), and
/// `scoring: immediate`, whose instant depends on when the scorer got to it.
public struct WindowsMatchNaive: Checker {
  /// `WindowsMatchNaive`.
  public let name = "WindowsMatchNaive"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.scenario.policy.scoring == .watermark else { return nil }
    let oracle = Oracle(run)
    return run.scores.flatMap { score -> [String] in
      let history = oracle.history(of: score.request.image, asOf: score.asOf)
      return Oracle.features.compactMap { feature, kind, seconds in
        let events = Oracle.events(history, kind, asOf: score.asOf, seconds)
        let (all, governed) = (Double(events.count), Double(events.count { $0.isEligible }))
        let (observed, seen) = (score.observed.values[feature], score.governed.values[feature])
        guard observed != all || seen != governed else { return nil }
        let name = "\(run.aliases.name(score.request.image)) \(score.request.trigger.name)"
        return "\(name) as of \(score.asOf): \(FeatureVector.names[feature]) is \(observed) "
          + "(governed \(seen)), counted \(all) (\(governed))"
      }
    }
  }

  /// The naive count: filter a list.
  private struct Oracle {
    struct Entry {
      var kind: EventKind
      var time: EventTime
      var visibleFrom: EventTime
      var isEligible: Bool
    }

    /// The place in the vector, what is counted, and in how many seconds.
    static let features: [(Int, EventKind, Int64?)] = [
      ("views_5min", .view, 300), ("views_1hr", .view, 3600), ("comments_5min", .comment, 300),
      ("comments_1hr", .comment, 3600), ("flags_5min", .flag, 300), ("flags_1hr", .flag, 3600),
      ("total_flags", .flag, nil),
    ].compactMap { name, kind, seconds in
      FeatureVector.index(of: name).map { ($0, kind, seconds) }
    }

    private var byImage: [ImageID: [Entry]] = [:]

    init(_ run: RunResult) {
      let late = Dictionary(uniqueKeysWithValues: run.late.map { ($0.id, $0.visibleFrom) })
      var seen: Set<EventID> = []
      for event in run.events.lazy.map(\.event) {
        guard let image = event.image, seen.insert(event.id).inserted else { continue }
        byImage[image, default: []].append(
          Entry(
            kind: event.kind, time: event.time, visibleFrom: late[event.id] ?? event.time,
            isEligible: event.actorEligible ?? true))
      }
    }

    /// What was done to an image, as known at an instant.
    func history(of image: ImageID, asOf: EventTime) -> [Entry] {
      (byImage[image] ?? []).filter { $0.time <= asOf && $0.visibleFrom <= asOf }
    }

    /// Those of a kind that happened in the last seconds.
    static func events(
      _ history: [Entry], _ kind: EventKind, asOf: EventTime, _ seconds: Int64?
    ) -> [Entry] {
      let start = seconds.map { asOf - .seconds($0) }
      return history.filter { entry in
        entry.kind == kind && (start.map { entry.time > $0 } ?? true)
      }
    }
  }
}
