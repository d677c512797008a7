import InMemoryBackends
import Lakehouse
import ObjectStorageBackend
import Ports
import SQLiteBackend
import Testing

/// One implementation of a port, for tests that run against each.
struct Adapter<Port: Sendable>: CustomTestStringConvertible, Sendable {
  /// Product and role, as test reports show it.
  let name: String
  /// Makes a fresh, empty instance that waits on the given clock and keeps its files, if it has
  /// any, in the given folder, which is removed after the test.
  let make: @Sendable (any TimeSource, TemporaryFolder) async throws -> Port

  init(_ name: String, _ make: @escaping @Sendable (any TimeSource) async throws -> Port) {
    self.name = name
    self.make = { time, _ in try await make(time) }
  }

  init(
    _ name: String,
    _ make: @escaping @Sendable (any TimeSource, TemporaryFolder) async throws -> Port
  ) {
    self.name = name
    self.make = make
  }

  var testDescription: String { name }
}

/// Every adapter there is, by port: a new one is one more line here. Those of servers are there
/// when ``LiveServices`` says where the servers are.
enum Adapters {
  /// How long a consumer may stay away: every event log is made with it.
  static let session: Duration = .seconds(45)
  /// How far back counts are kept: every feature store is made with it.
  static let grace: Duration = .seconds(7200)

  static let eventLogs: [Adapter<any EventLog>] =
    [Adapter("in-memory") { InMemoryEventLog(time: $0, session: session) }] + LiveKafka.eventLogs
  static let featureStores: [Adapter<any FeatureStore>] =
    [Adapter("in-memory") { _ in InMemoryFeatureStore(grace: grace) }] + LiveRedis.featureStores
  static let applicationStores: [Adapter<any ApplicationStore>] =
    [
      Adapter("in-memory") { _ in InMemoryApplicationStore() },
      Adapter("sqlite") { _, folder in
        try SQLiteApplicationStore(try SQLiteDatabase(path: try folder.file("application.db")))
      },
    ] + LivePostgres.applicationStores
  static let objectStores: [Adapter<any ObjectStore>] =
    objectStoresOfAnyKey + LiveS3.objectStores + [
      Adapter("folder") { _, folder in try FolderObjectStore(path: try folder.file("objects")) },
      Adapter("folder, deferred") { _, folder in
        try FolderObjectStore(path: try folder.file("objects"), durability: .deferred)
      },
    ]
  /// Those whose keys are plain text, not paths: they may end in a slash and continue each other.
  static let objectStoresOfAnyKey: [Adapter<any ObjectStore>] =
    [Adapter("in-memory") { _ in InMemoryObjectStore() }]
  static let checkpointStores: [Adapter<any CheckpointStore>] =
    [
      Adapter("in-memory") { _ in InMemoryCheckpointStore() },
      Adapter("sqlite") { _, folder in
        try SQLiteCheckpointStore(try SQLiteDatabase(path: try folder.file("checkpoints.db")))
      },
    ] + LivePostgres.checkpointStores
  static let tableCatalogs: [Adapter<any TableCatalog>] =
    [
      Adapter("in-memory") { _ in InMemoryTableCatalog() },
      Adapter("sqlite") { _, folder in
        try SQLiteTableCatalog(
          try SQLiteDatabase(path: try folder.file("catalog.db")), catalog: "lake")
      },
    ] + LivePostgres.tableCatalogs
  static let lakes: [Adapter<any Lake>] = [
    Adapter("in-memory") { _ in InMemoryLake() },
    Adapter("iceberg") { time in
      IcebergLake(
        objects: InMemoryObjectStore(), catalog: InMemoryTableCatalog(),
        warehouse: "memory://lake", time: time)
    },
    Adapter("iceberg in a folder") { time, folder in
      IcebergLake(
        objects: try FolderObjectStore(path: try folder.file("lake"), durability: .deferred),
        catalog: try SQLiteTableCatalog(
          try SQLiteDatabase(path: try folder.file("catalog.db")), catalog: "lake"),
        warehouse: "file://\(try folder.file("lake"))", time: time)
    },
  ]
}
