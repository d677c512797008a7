import InMemoryBackends
import Lakehouse
import Moderation
import Pipeline
import Ports

/// The ports of a run, before any gate.
public struct Backends: Sendable {
  /// `in-memory`, as the summary shows it.
  public var name: String
  /// The database.
  public var store: any ApplicationStore
  /// The stream.
  public var log: any EventLog
  /// The online features.
  public var features: any FeatureStore
  /// The files.
  public var objects: any ObjectStore
  /// The jobs' watermarks.
  public var checkpoints: any CheckpointStore
  /// The lake.
  public var lake: any Lake

  /// Ports of the caller's choice.
  public init(
    name: String, store: any ApplicationStore, log: any EventLog, features: any FeatureStore,
    objects: any ObjectStore, checkpoints: any CheckpointStore, lake: any Lake
  ) {
    self.name = name
    self.store = store
    self.log = log
    self.features = features
    self.objects = objects
    self.checkpoints = checkpoints
    self.lake = lake
  }

  /// Looks for an id everywhere: in lake, files, database, log and online features.
  public func proof(
    of id: String, at instant: EventTime
  ) async throws(PortError) -> ErasureProof {
    var proof = ErasureProof(of: id)
    try await proof.search(lake)
    try await proof.search(objects)
    try await proof.search(store)
    try await proof.search(log)
    try await proof.search(features, at: instant)
    try await proof.search(ModelRegistry(objects), store)
    return proof
  }

  /// Everything in memory.
  public static func inMemory(time: any TimeSource) -> Backends {
    var writing = ParquetFile.WriteOptions()
    // Files that nobody keeps gain nothing from being small.
    writing.compressionLevel = 0
    return Backends(
      name: "in-memory", store: InMemoryApplicationStore(), log: InMemoryEventLog(time: time),
      features: InMemoryFeatureStore(), objects: InMemoryObjectStore(),
      checkpoints: InMemoryCheckpointStore(),
      lake: IcebergLake(
        objects: InMemoryObjectStore(), catalog: InMemoryTableCatalog(),
        warehouse: "memory://lake", time: time, writing: writing))
  }
}
