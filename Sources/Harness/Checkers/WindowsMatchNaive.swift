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
    var faults: [String] = []
    for score in run.scores {
      let entries = oracle.entries(of: score.request.image)
      for (feature, kind, seconds) in Oracle.features {
        let (all, governed) = Oracle.count(entries, kind, asOf: score.asOf, seconds)
        let (observed, seen) = (score.observed.values[feature], score.governed.values[feature])
        guard observed != all || seen != governed else { continue }
        let name = "\(run.aliases.name(score.request.image)) \(score.request.trigger.name)"
        faults.append(
          "\(name) as of \(score.asOf): \(FeatureVector.names[feature]) is \(observed) "
            + "(governed \(seen)), counted \(all) (\(governed))")
      }
    }
    return faults
  }

  /// The naive count: look through a list.
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
      seen.reserveCapacity(run.events.count)
      for logged in run.events {
        let event = logged.event
        guard let image = event.image, seen.insert(event.id).inserted else { continue }
        byImage[image, default: []].append(
          Entry(
            kind: event.kind, time: event.time, visibleFrom: late[event.id] ?? event.time,
            isEligible: event.actorEligible ?? true))
      }
    }

    /// What was done to an image.
    func entries(of image: ImageID) -> [Entry] { byImage[image] ?? [] }

    /// Those of a kind that are known at an instant and happened in the last seconds: all, and
    /// eligible actors'.
    static func count(
      _ entries: [Entry], _ kind: EventKind, asOf: EventTime, _ seconds: Int64?
    ) -> (all: Double, governed: Double) {
      let start = seconds.map { asOf - .seconds($0) }
      var count = (all: 0.0, governed: 0.0)
      for entry in entries
      where entry.kind == kind && entry.time <= asOf && entry.visibleFrom <= asOf
        && start.map({ entry.time > $0 }) ?? true
      {
        count.all += 1
        if entry.isEligible { count.governed += 1 }
      }
      return count
    }
  }
}
