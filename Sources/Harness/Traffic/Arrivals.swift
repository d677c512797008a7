import Glibc
import Moderation
import Simulation

/// The arrival times of a scenario's Poisson entries, merged.
struct Arrivals {
  private var lanes: [(poisson: TrafficEntry.Poisson, next: Duration, end: Duration)] = []

  init(_ scenario: Scenario, random: inout SeededRandom) {
    for case .poisson(let poisson) in scenario.traffic {
      let end = min(poisson.until ?? scenario.duration, scenario.duration)
      lanes.append((poisson, poisson.from + Self.gap(poisson.perSecond, &random), end))
    }
  }

  /// When the next one comes; nil when all lanes have ended.
  var next: Duration? { lanes.filter { $0.next <= $0.end }.map(\.next).min() }

  /// Takes the next arrival and draws the one after it.
  mutating func take(_ random: inout SeededRandom) -> TrafficEntry.Poisson? {
    guard let next, let lane = lanes.firstIndex(where: { $0.next == next }) else { return nil }
    lanes[lane].next += Self.gap(lanes[lane].poisson.perSecond, &random)
    return lanes[lane].poisson
  }

  /// An exponential gap of at least a microsecond.
  private static func gap(_ perSecond: Double, _ random: inout SeededRandom) -> Duration {
    let seconds = -log(1 - random.unit()) / perSecond
    return .microseconds(Int64(min(max(1, seconds * 1_000_000), 1e18)))
  }
}
