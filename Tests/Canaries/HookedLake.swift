import Harness
import Lakehouse
import Moderation
import Ports

/// A ``Lake`` of which single methods can be replaced.
struct HookedLake: Lake {
  private let base: any Lake
  var onCommit:
    @Sendable (TableChange, TableName, SnapshotID?) async throws(PortError) -> TableSnapshot
  var onSnapshots: @Sendable (TableName) async throws(PortError) -> [TableSnapshot]
  var onScan: @Sendable (TableName, RowSelection) async throws(PortError) -> RecordBatch
  var onExpire: @Sendable (TableName, EventTime) async throws(PortError) -> MaintenanceReport

  init(_ base: any Lake) {
    self.base = base
    onCommit = { (change, table, parent) async throws(PortError) in
      try await base.commit(change, to: table, expecting: parent)
    }
    onSnapshots = { (table) async throws(PortError) in try await base.snapshots(of: table) }
    onScan = { (table, selection) async throws(PortError) in try await base.scan(table, selection) }
    onExpire = { (table, instant) async throws(PortError) in
      try await base.expire(table, olderThan: instant)
    }
  }

  func createTable(_ table: TableName, schema: TableSchema) async throws(PortError) {
    try await base.createTable(table, schema: schema)
  }

  func tables() async throws(PortError) -> [TableName] { try await base.tables() }

  func snapshots(of table: TableName) async throws(PortError) -> [TableSnapshot] {
    try await onSnapshots(table)
  }

  func commit(
    _ change: TableChange, to table: TableName, expecting parent: SnapshotID?
  ) async throws(PortError) -> TableSnapshot {
    try await onCommit(change, table, parent)
  }

  func scan(_ table: TableName, _ selection: RowSelection) async throws(PortError) -> RecordBatch {
    try await onScan(table, selection)
  }

  func expire(
    _ table: TableName, olderThan instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    try await onExpire(table, instant)
  }

  func compact(
    _ table: TableName, id: SnapshotID, at instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    try await base.compact(table, id: id, at: instant)
  }

  func remains(
    of text: String, in table: TableName
  ) async throws(PortError) -> [String: Int] {
    try await base.remains(of: text, in: table)
  }

  func evolve(_ table: TableName, _ change: SchemaChange) async throws(PortError) {
    try await base.evolve(table, change)
  }
}

extension Backends {
  /// Replaces methods of the database; the second argument is the one behind.
  mutating func hookStore(_ change: (inout HookedStore, any ApplicationStore) -> Void) {
    var hooked = HookedStore(store)
    change(&hooked, store)
    store = hooked
  }

  /// Replaces methods of the event log.
  mutating func hookLog(_ change: (inout HookedLog, any EventLog) -> Void) {
    var hooked = HookedLog(log)
    change(&hooked, log)
    log = hooked
  }

  /// Replaces methods of the feature store.
  mutating func hookFeatures(_ change: (inout HookedFeatures, any FeatureStore) -> Void) {
    var hooked = HookedFeatures(features)
    change(&hooked, features)
    features = hooked
  }

  /// Replaces methods of the store of image files.
  mutating func hookObjects(_ change: (inout HookedObjects, any ObjectStore) -> Void) {
    var hooked = HookedObjects(objects)
    change(&hooked, objects)
    objects = hooked
  }

  /// Replaces methods of the lake.
  mutating func hookLake(_ change: (inout HookedLake, any Lake) -> Void) {
    var hooked = HookedLake(lake)
    change(&hooked, lake)
    lake = hooked
  }

  /// Reaches the lake's own files and pointers through other ports.
  mutating func hookLakeFiles(
    objects: (any ObjectStore) -> any ObjectStore = { $0 },
    catalog: (any TableCatalog) -> any TableCatalog = { $0 }
  ) {
    guard let tables = lake as? IcebergLake else { preconditionFailure("the lake is \(lake)") }
    lake = tables.through(objects: objects, catalog: catalog)
  }
}
