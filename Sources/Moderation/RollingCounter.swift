/// One metric of one image: when each event happened, so that a count as of any recent instant can
/// be asked for.
///
/// On-time events are kept in event-time order. A *late* event (it came after the watermark had
/// passed it) counts only as of instants from its `visibleFrom` on: whoever asked about an earlier
/// instant has been answered already, and gets the same answer again.
public struct RollingCounter: Sendable {
  /// How many events there were: everybody's, and only the eligible actors'.
  @frozen public struct Tally: Hashable, Sendable {
    /// Everybody's events.
    public var observed: Int
    /// The events of eligible actors.
    public var governed: Int

    /// A tally of the two flavours.
    @inlinable public init(observed: Int = 0, governed: Int = 0) {
      self.observed = observed
      self.governed = governed
    }
  }

  private struct Late: Sendable {
    var time: Int64
    var visibleFrom: Int64
    var isEligible: Bool
  }

  /// Event times of on-time events, ascending.
  private var times: [Int64] = []
  /// The last of ``times`` that there ever was: most events come after it, and then the array's
  /// end, which nothing else touches, needn't be read.
  private var newest = Int64.min
  /// Those of ineligible actors, ascending; a subset of `times`.
  private var ineligible: [Int64] = []
  private var late: [Late] = []
  /// Events whose times were trimmed away; they stay in the totals.
  private var trimmed = Tally()
  /// The latest instant at which anything is counted.
  public private(set) var latest: EventTime?

  /// An empty counter.
  public init() {}

  /// Events whose times are known: no window holds more.
  var kept: Int { times.count + late.count }

  /// The last time that is kept, read from where it is kept; 0 without one.
  var newestKept: Int64 { times.last ?? 0 }

  /// All events, whenever they count.
  var all: Int { trimmed.observed + kept }

  /// Adds one event.
  ///
  /// - Parameter visibleFrom: the instant after the watermark at its arrival when it came late,
  ///   else nil.
  /// - Returns: the first instant at which the count includes it and all earlier arrivals.
  @discardableResult
  public mutating func record(
    _ time: EventTime, visibleFrom: EventTime?, isEligible: Bool
  ) -> EventTime {
    if let visibleFrom {
      late.append(
        Late(
          time: time.microseconds, visibleFrom: visibleFrom.microseconds, isEligible: isEligible))
    } else {
      if time.microseconds >= newest {
        newest = time.microseconds
        times.append(newest)
      } else {
        times.insert(time.microseconds, at: Self.rank(time.microseconds, in: times))
      }
      if !isEligible {
        ineligible.insert(time.microseconds, at: Self.rank(time.microseconds, in: ineligible))
      }
    }
    let counted = max(visibleFrom ?? time, time)
    latest = max(latest ?? counted, counted)
    return latest ?? counted
  }

  /// Events in `(asOf − window, asOf]`, as known at `asOf`.
  public func count(_ window: RollingWindow, asOf: EventTime) -> Tally {
    let upper = asOf.microseconds
    let lower = upper - window.microseconds
    let all = Self.rank(upper, in: times) - Self.rank(lower, in: times)
    let excluded =
      ineligible.isEmpty
      ? 0 : Self.rank(upper, in: ineligible) - Self.rank(lower, in: ineligible)
    var tally = Tally(observed: all, governed: all - excluded)
    for event in late where event.visibleFrom <= upper && event.time > lower {
      tally.observed += 1
      if event.isEligible { tally.governed += 1 }
    }
    return tally
  }

  /// Whether ``count(_:asOf:)`` has observed so many; at the present a single look tells.
  func reaches(_ threshold: Int, _ window: RollingWindow, asOf: EventTime) -> Bool {
    guard late.isEmpty, newest <= asOf.microseconds, threshold > 0 else {
      return count(window, asOf: asOf).observed >= threshold
    }
    return times.count >= threshold
      && times[times.count - threshold] > asOf.microseconds - window.microseconds
  }

  /// All events up to `asOf`, as known at `asOf`.
  public func total(asOf: EventTime) -> Tally {
    let all = Self.rank(asOf.microseconds, in: times)
    let excluded = Self.rank(asOf.microseconds, in: ineligible)
    var tally = Tally(
      observed: trimmed.observed + all, governed: trimmed.governed + all - excluded)
    for event in late where event.visibleFrom <= asOf.microseconds {
      tally.observed += 1
      if event.isEligible { tally.governed += 1 }
    }
    return tally
  }

  /// Forgets the times of events at or before `horizon`; they stay in the totals.
  ///
  /// Counts stay exact as of any instant from `horizon` plus the longest window on.
  public mutating func trim(through horizon: EventTime) {
    if !late.isEmpty {
      late.removeAll { event in
        let isOld = event.time <= horizon.microseconds && event.visibleFrom <= horizon.microseconds
        if isOld {
          trimmed.observed += 1
          trimmed.governed += event.isEligible ? 1 : 0
        }
        return isOld
      }
    }
    guard let first = times.first, first <= horizon.microseconds else { return }
    let dropped = Self.rank(horizon.microseconds, in: times)
    guard dropped > 64, dropped > times.count / 2 else { return }
    let droppedIneligible = Self.rank(horizon.microseconds, in: ineligible)
    times.removeFirst(dropped)
    ineligible.removeFirst(droppedIneligible)
    trimmed.observed += dropped
    trimmed.governed += dropped - droppedIneligible
  }

  /// How many of the ascending `times` are at or before `bound`.
  private static func rank(_ bound: Int64, in times: [Int64]) -> Int {
    // Nearly every question is about the present, where the answer is at the end.
    if let last = times.last, last <= bound { return times.count }
    var low = 0
    var high = times.count
    while low < high {
      let middle = (low + high) / 2
      if times[middle] <= bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
