import Simulation

/// Every fault of the scenario hit something: one that never does shows nothing.
///
/// Doesn't check: that a hit had any effect.
public struct EveryFaultFired: Checker {
  /// `EveryFaultFired`.
  public let name = "EveryFaultFired"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard !run.scenario.faults.isEmpty else { return nil }
    return zip(run.scenario.faults, run.faultHits).filter { $0.1 == 0 }.map { fault, _ in
      "\(fault) hit nothing"
    }
  }
}
