import Ports
import Synchronization

/// Stands before an object store and a catalog and counts their operations as one sequence: notes
/// them, lets one of them fail, gives way to other tasks, or looks at the world in between.
final class PortWatch: Sendable {
  /// How an operation fails.
  enum Fault: Hashable, Sendable, CaseIterable {
    /// It isn't carried out.
    case before
    /// It is carried out, but the caller isn't told.
    case afterUnknown
    /// It is carried out, but the caller is told that it wasn't.
    case afterUnavailable
  }

  private let log = Mutex<[String]>([])
  private let fault: (index: Int, kind: Fault)?
  private let yields: Bool
  private let look: (@Sendable () async throws(PortError) -> Void)?

  /// A watch.
  ///
  /// - Parameters:
  ///   - fault: the index of the operation that fails, and how.
  ///   - yields: whether other tasks run before and after each operation.
  ///   - look: is called before each operation.
  init(
    fault: (index: Int, kind: Fault)? = nil, yields: Bool = false,
    look: (@Sendable () async throws(PortError) -> Void)? = nil
  ) {
    self.fault = fault
    self.yields = yields
    self.look = look
  }

  /// `get key`, `move table`, … in order.
  var operations: [String] { log.withLock { $0 } }

  /// How often data files were read.
  var dataReads: Int {
    operations.count { $0.hasPrefix("get ") && $0.contains("/data/") }
  }

  /// Carries out an operation as the watch was told to.
  func around<Value>(
    _ port: String, _ name: String, _ subject: String,
    _ body: () async throws(PortError) -> Value
  ) async throws(PortError) -> Value {
    let index = log.withLock { log in
      log.append("\(name) \(subject)")
      return log.count - 1
    }
    if yields { await Task.yield() }
    try await look?()
    let kind = fault?.index == index ? fault?.kind : nil
    func error(_ code: PortError.Code) -> PortError {
      PortError(code, port: port, operation: name, hint: "injected at operation \(index)")
    }
    if kind == .before { throw error(.unavailable) }
    let value = try await body()
    if kind == .afterUnknown { throw error(.unknownOutcome) }
    if kind == .afterUnavailable { throw error(.unavailable) }
    if yields { await Task.yield() }
    return value
  }
}

/// An ``ObjectStore`` behind a ``PortWatch``.
struct WatchedObjectStore: ObjectStore {
  let base: any ObjectStore
  let watch: PortWatch

  func put(_ key: String, _ bytes: [UInt8]) async throws(PortError) {
    try await watch.around("ObjectStore", "put", key) { () async throws(PortError) in
      try await base.put(key, bytes)
    }
  }

  func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool {
    try await watch.around("ObjectStore", "putIfAbsent", key) { () async throws(PortError) in
      try await base.putIfAbsent(key, bytes)
    }
  }

  func get(_ key: String) async throws(PortError) -> [UInt8] {
    try await watch.around("ObjectStore", "get", key) { () async throws(PortError) in
      try await base.get(key)
    }
  }

  func list(prefix: String) async throws(PortError) -> [String] {
    try await watch.around("ObjectStore", "list", prefix) { () async throws(PortError) in
      try await base.list(prefix: prefix)
    }
  }

  func delete(_ key: String) async throws(PortError) {
    try await watch.around("ObjectStore", "delete", key) { () async throws(PortError) in
      try await base.delete(key)
    }
  }
}

/// A ``TableCatalog`` behind a ``PortWatch``.
struct WatchedTableCatalog: TableCatalog {
  let base: any TableCatalog
  let watch: PortWatch

  func createNamespace(_ namespace: String) async throws(PortError) {
    try await watch.around("TableCatalog", "createNamespace", namespace) {
      () async throws(PortError) in try await base.createNamespace(namespace)
    }
  }

  func tables() async throws(PortError) -> [TableName] {
    try await watch.around("TableCatalog", "tables", "") { () async throws(PortError) in
      try await base.tables()
    }
  }

  func location(of table: TableName) async throws(PortError) -> String? {
    try await watch.around("TableCatalog", "location", "\(table)") { () async throws(PortError) in
      try await base.location(of: table)
    }
  }

  func move(
    _ table: TableName, from expected: String?, to location: String
  ) async throws(PortError) {
    try await watch.around("TableCatalog", "move", "\(table)") { () async throws(PortError) in
      try await base.move(table, from: expected, to: location)
    }
  }

  func drop(_ table: TableName) async throws(PortError) {
    try await watch.around("TableCatalog", "drop", "\(table)") { () async throws(PortError) in
      try await base.drop(table)
    }
  }
}
