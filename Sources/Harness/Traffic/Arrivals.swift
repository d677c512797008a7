import Glibc
import Moderation
import Simulation

/// The arrival times of a scenario's Poisson entries, merged, in microseconds after its start.
struct Arrivals {
  private var lanes: [(poisson: TrafficEntry.Poisson, next: Int64, end: Int64)] = []
  /// When the next one comes; nil when all lanes have ended.
  private(set) var next: Int64?
  private var nextLane = 0

  init(_ scenario: Scenario, random: inout SeededRandom) {
    for case .poisson(let poisson) in scenario.traffic {
      let end = min(poisson.until ?? scenario.duration, scenario.duration)
      let first = poisson.from.microseconds + Self.gap(poisson.perSecond, &random)
      lanes.append((poisson, first, end.microseconds))
    }
    findNext()
  }

  /// Takes the next arrival and draws the one after it.
  mutating func take(_ random: inout SeededRandom) -> TrafficEntry.Poisson? {
    guard next != nil else { return nil }
    let lane = nextLane
    lanes[lane].next += Self.gap(lanes[lane].poisson.perSecond, &random)
    findNext()
    return lanes[lane].poisson
  }

  /// The earliest of the open lanes, the first of equals.
  private mutating func findNext() {
    next = nil
    for (index, lane) in lanes.enumerated() where lane.next <= lane.end {
      if let next, next <= lane.next { continue }
      next = lane.next
      nextLane = index
    }
  }

  /// An exponential gap of at least a microsecond.
  private static func gap(_ perSecond: Double, _ random: inout SeededRandom) -> Int64 {
    let seconds = -log(1 - random.unit()) / perSecond
    return Int64(min(max(1, seconds * 1_000_000), 1e18))
  }
}
