import Moderation
import Pipeline
import Ports

/// Each window table adds up to the events of the bronze table: no window is written twice, none is
/// lost, and what erasure took from one it took from the other.
///
/// Doesn't check: that the bronze table holds all of the log (see ``NoEventLost`` for the stream).
public struct WindowTablesSumToEvents: Checker {
  /// `WindowTablesSumToEvents`.
  public let name = "WindowTablesSumToEvents"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.jobs.contains(where: { $0.job == .eventAggregation }) else { return nil }
    return Metric.allCases.flatMap { metric -> [String] in
      guard let events = run.lake[LakeTables.events(metric)] else { return [] }
      var expected: [Key: Int64] = [:]
      let times = events.integers("event_time")
      for (row, image) in events.strings("image_id").enumerated() {
        let start = TumblingWindow.start(of: EventTime(microseconds: times[row])).microseconds
        expected[Key(image: image, start: start), default: 0] += 1
      }
      var faults: [String] = []
      for window in run.windows(metric) {
        let key = Key(image: window.image, start: window.start)
        let count = expected.removeValue(forKey: key) ?? 0
        if count != window.count {
          faults.append(
            "\(metric.windowTable) \(window.image) \(EventTime(microseconds: window.start)): "
              + "\(window.count) in the table, \(count) events")
        }
      }
      for (key, count) in expected.sorted(by: { $0.key < $1.key }) {
        faults.append(
          "\(metric.windowTable) \(key.image) \(EventTime(microseconds: key.start)): "
            + "missing, \(count) events")
      }
      return faults
    }
  }

  private struct Key: Hashable, Comparable {
    var image: String
    var start: Int64

    static func < (a: Self, b: Self) -> Bool { (a.image, a.start) < (b.image, b.start) }
  }
}
