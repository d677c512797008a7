import InMemoryBackends
import Moderation
import Ports
import Simulation
import Testing

@testable import Lakehouse

/// The files and pointers that survive a writer; every ``lake()`` is one that has read nothing.
struct LakeWorld: Sendable {
  let objects: any ObjectStore = InMemoryObjectStore()
  let catalog: any TableCatalog = InMemoryTableCatalog()
  let time: any TimeSource

  /// A lake without a cache.
  func lake() -> IcebergLake {
    IcebergLake(objects: objects, catalog: catalog, warehouse: "memory://lake", time: time)
  }

  /// A lake whose port operations are watched.
  func lake(_ watch: PortWatch) -> IcebergLake {
    IcebergLake(
      objects: WatchedObjectStore(base: objects, watch: watch),
      catalog: WatchedTableCatalog(base: catalog, watch: watch), warehouse: "memory://lake",
      time: time)
  }

  /// Another world with the same files and the table where it is.
  func copy() async throws(PortError) -> LakeWorld {
    let copy = LakeWorld(time: time)
    for key in try await objects.list(prefix: "") {
      try await copy.objects.put(key, try await objects.get(key))
    }
    if let location = try await catalog.location(of: Row.table) {
      try await copy.catalog.createNamespace(Row.table.namespace)
      try await copy.catalog.move(Row.table, from: nil, to: location)
    }
    return copy
  }

  /// Every key there is.
  func keys() async throws(PortError) -> Set<String> {
    Set(try await objects.list(prefix: ""))
  }

  /// The key of a location.
  func key(_ location: String) -> String { String(location.dropFirst("memory://lake/".count)) }
}

/// Runs a test's body inside a simulation with an empty world of its own.
func simulate(
  _ scheduling: Scheduling = .fifo, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: @escaping @Sendable (LakeWorld) async throws -> Void
) throws {
  let clock = VirtualClock(start: ProcessingTime(microseconds: Row.start))
  let world = LakeWorld(time: clock)
  let stop = SimulationExecutor(clock: clock, scheduling: scheduling).run(budget: 10_000_000) {
    () async -> Result<Void, any Error> in
    do { return .success(try await body(world)) } catch { return .failure(error) }
  }
  guard case .finished(let result) = stop else {
    Issue.record("the simulation didn't finish: \(stop)", sourceLocation: sourceLocation)
    return
  }
  try result.get()
}

/// The error of a port's operation; nil when it succeeds.
func failure<Value>(
  _ operation: () async throws -> Value, sourceLocation: SourceLocation = #_sourceLocation
) async -> PortError? {
  do {
    _ = try await operation()
    return nil
  } catch let error as PortError {
    return error
  } catch {
    Issue.record("not a PortError: \(error)", sourceLocation: sourceLocation)
    return nil
  }
}

/// The table of these tests and its rows.
enum Row {
  /// 2025-06-15T14:00:00Z in microseconds.
  static let start: Int64 = 1_749_996_000_000_000
  static let table = TableName("moderation", "events")
  static let fields = [
    TableSchema.Field("key", .string), TableSchema.Field("number", .int64),
    TableSchema.Field("at", .timestamp), TableSchema.Field("kind", .string, isRequired: false),
  ]
  static let schema = TableSchema(fields)

  /// So many seconds after the start.
  static func at(_ seconds: Int64) -> EventTime {
    EventTime(microseconds: start + seconds * 1_000_000)
  }

  /// A row of each key; the number and the instant follow from the key.
  static func batch(_ keys: [String], kinds: [String?]? = nil) -> RecordBatch {
    let numbers = keys.map { $0.utf8.reduce(0) { ($0 * 31 + Int64($1)) % 1000 } - 500 }
    return RecordBatch(
      schema: schema,
      columns: [
        .init(.strings(keys)), .init(.integers(numbers)),
        .init(.integers(numbers.map { start + $0 * 3_600_000_000 })),
        .strings(kinds ?? keys.map { $0.utf8.count % 2 == 0 ? nil : String($0.prefix(1)) }),
      ])
  }

  /// `key|number|at|kind` of each row, in order.
  static func texts(_ batch: RecordBatch) -> [String] {
    (0..<batch.count).map { row in
      batch.columns.indices.map { batch.text(row: row, column: $0) ?? "null" }
        .joined(separator: "|")
    }
  }
}

extension TableChange {
  /// Appends rows; committed so many seconds after the start as the id says.
  static func append(_ id: SnapshotID, _ keys: [String]) -> Self {
    TableChange(id: id, committedAt: Row.at(id), append: Row.batch(keys))
  }

  /// Deletes the rows of some keys.
  static func delete(
    _ id: SnapshotID, _ keys: Set<String>, append: [String]? = nil
  ) -> Self {
    TableChange(
      id: id, committedAt: Row.at(id), removal: .rows([TableChange.RowFilter(["key": keys])]),
      append: append.map { Row.batch($0) })
  }

  /// Puts rows in place of all others.
  static func overwrite(_ id: SnapshotID, _ keys: [String]) -> Self {
    TableChange(
      id: id, committedAt: Row.at(id), removal: .everything, append: Row.batch(keys))
  }
}

extension Lake {
  /// Makes the table and commits changes, each on top of the one before.
  func prepare(
    _ changes: TableChange..., schema: TableSchema = Row.schema
  ) async throws(PortError) {
    try await createTable(Row.table, schema: schema)
    var parent: SnapshotID?
    for change in changes {
      _ = try await commit(change, to: Row.table, expecting: parent)
      parent = change.id
    }
  }

  /// The keys of a snapshot's rows, in order.
  func keys(_ snapshot: SnapshotID? = nil) async throws(PortError) -> [String] {
    try await scan(Row.table, snapshot: snapshot).strings("key")
  }

  /// A snapshot's rows as text, in order.
  func rows(_ snapshot: SnapshotID? = nil) async throws(PortError) -> [String] {
    Row.texts(try await scan(Row.table, snapshot: snapshot))
  }

  /// The ids of the table's history.
  func history() async throws(PortError) -> [SnapshotID] {
    try await snapshots(of: Row.table).map(\.id)
  }
}

extension IcebergLake {
  /// Changes the table's metadata as another engine may.
  func edit(_ body: (inout TableMetadata) -> Void) async throws(PortError) {
    let state = try await reader.load(Row.table, "test")
    var metadata = state.metadata
    metadata.remember(state.file)
    body(&metadata)
    let isPublished = try await publish(metadata, of: state)
    #expect(isPublished)
  }

  /// The files of the current snapshot.
  func live() async throws(PortError) -> LiveFiles {
    let metadata = try await metadata(of: Row.table)
    guard let snapshot = metadata.currentSnapshot else { return LiveFiles() }
    return try await reader.liveFiles(of: snapshot, metadata)
  }

  /// The manifests of the current snapshot.
  func currentManifests() async throws(PortError) -> [ManifestFile] {
    guard let snapshot = try await metadata(of: Row.table).currentSnapshot else { return [] }
    return try await reader.manifests(of: snapshot)
  }

  /// The keys that the given metadata's snapshots reach, found the long way.
  func reachable(_ metadata: TableMetadata, in world: LakeWorld) async throws(PortError)
    -> Set<String>
  {
    var keys: Set<String> = []
    for snapshot in metadata.snapshots {
      keys.insert(world.key(snapshot.manifestList))
      for manifest in try await reader.manifests(of: snapshot) {
        keys.insert(world.key(manifest.path))
        for entry in try await reader.entries(of: manifest, metadata) where entry.isLive {
          keys.insert(world.key(entry.file.path))
        }
      }
    }
    return keys
  }
}

/// Numbers made from a seed (SplitMix64).
struct Dice {
  private var state: UInt64

  /// A sequence of its own for each seed.
  init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
  }

  /// A number below a bound.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// One of some values.
  mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
}
