import Ports
import Simulation

/// Measures port operations in real time, failed ones included.
///
/// A consumer's polls are left out: on the virtual clock they wait while others work.
public struct PortStopwatch: Sendable {
  private let clock: @Sendable () -> UInt64
  private let lap: @Sendable (_ operation: String, _ nanoseconds: UInt64) -> Void

  /// A stopwatch.
  ///
  /// - Parameters:
  ///   - clock: a real clock, in nanoseconds.
  ///   - lap: gets each operation, as `Port.method`, and how long it took.
  public init(
    clock: @escaping @Sendable () -> UInt64,
    lap: @escaping @Sendable (_ operation: String, _ nanoseconds: UInt64) -> Void
  ) {
    self.clock = clock
    self.lap = lap
  }

  /// The ports with a stopwatch before each.
  public func timed(_ ports: Backends, _ environment: Environment) -> Backends {
    let gate = PortGate(environment: environment, stopwatch: clock, lap: lap)
    return Backends(
      name: ports.name, store: GatedApplicationStore(ports.store, gate: gate),
      log: GatedEventLog(ports.log, gate: gate),
      features: GatedFeatureStore(ports.features, gate: gate),
      objects: GatedObjectStore(ports.objects, gate: gate),
      checkpoints: GatedCheckpointStore(ports.checkpoints, gate: gate),
      lake: GatedLake(ports.lake, gate: gate))
  }
}
