import InMemoryBackends
import Ports
import Testing

/// One implementation of a port, for tests that run against each.
struct Adapter<Port: Sendable>: CustomTestStringConvertible, Sendable {
  /// Product and role, as test reports show it.
  let name: String
  /// Makes a fresh, empty instance that waits on the given clock.
  let make: @Sendable (any TimeSource) async throws -> Port

  init(_ name: String, _ make: @escaping @Sendable (any TimeSource) async throws -> Port) {
    self.name = name
    self.make = make
  }

  var testDescription: String { name }
}

/// Every adapter there is, by port: a new one is one more line here.
enum Adapters {
  /// How long a consumer may stay away: every event log is made with it.
  static let session: Duration = .seconds(45)
  /// How far back counts are kept: every feature store is made with it.
  static let grace: Duration = .seconds(7200)

  static let eventLogs: [Adapter<any EventLog>] = [
    Adapter("in-memory") { InMemoryEventLog(time: $0, session: session) }
  ]
  static let featureStores: [Adapter<any FeatureStore>] = [
    Adapter("in-memory") { _ in InMemoryFeatureStore(grace: grace) }
  ]
  static let applicationStores: [Adapter<any ApplicationStore>] = [
    Adapter("in-memory") { _ in InMemoryApplicationStore() }
  ]
  static let objectStores: [Adapter<any ObjectStore>] = [
    Adapter("in-memory") { _ in InMemoryObjectStore() }
  ]
  static let checkpointStores: [Adapter<any CheckpointStore>] = [
    Adapter("in-memory") { _ in InMemoryCheckpointStore() }
  ]
  static let lakes: [Adapter<any Lake>] = [
    Adapter("in-memory") { _ in InMemoryLake() }
  ]
}
