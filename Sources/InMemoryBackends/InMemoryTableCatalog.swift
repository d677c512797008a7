import Ports
import Synchronization

/// A ``TableCatalog`` in memory.
///
/// *Fidelity.* Modelled: namespaces, compare-and-swap of pointers. Not modelled: properties of
/// namespaces, nested namespaces, and whether there is a metadata file where a pointer points.
public final class InMemoryTableCatalog: TableCatalog {
  private struct Contents {
    var namespaces: Set<String> = []
    var pointers: [TableName: String] = [:]
  }

  private let contents = Mutex(Contents())

  /// A catalog without namespaces.
  public init() {}

  /// See ``TableCatalog``, rule 5.
  public func createNamespace(_ namespace: String) async throws(PortError) {
    contents.withLock { _ = $0.namespaces.insert(namespace) }
  }

  /// See ``TableCatalog``, rule 4.
  public func tables() async throws(PortError) -> [TableName] {
    contents.withLock { $0.pointers.keys.sorted() }
  }

  /// See ``TableCatalog``, rule 1.
  public func location(of table: TableName) async throws(PortError) -> String? {
    contents.withLock { $0.pointers[table] }
  }

  /// See ``TableCatalog``, rules 2, 3 and 5.
  public func move(
    _ table: TableName, from expected: String?, to location: String
  ) async throws(PortError) {
    let error = contents.withLock { contents -> PortError? in
      guard contents.namespaces.contains(table.namespace) else {
        return Self.error(
          .notFound, "there is no namespace '\(table.namespace)'; create it first")
      }
      let current = contents.pointers[table]
      guard current == expected else {
        return Self.error(
          .conflict,
          "\(table) is at \(current ?? "no location"), not at \(expected ?? "no location"): "
            + "another writer was first; read the table again")
      }
      contents.pointers[table] = location
      return nil
    }
    if let error { throw error }
  }

  /// See ``TableCatalog``, rule 6.
  public func drop(_ table: TableName) async throws(PortError) {
    contents.withLock { $0.pointers[table] = nil }
  }

  private static func error(_ code: PortError.Code, _ hint: String) -> PortError {
    PortError(code, port: "TableCatalog", operation: "move", hint: hint)
  }
}
