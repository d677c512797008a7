import Ports
import Synchronization

/// An ``ObjectStore`` in memory.
///
/// *Fidelity.* Modelled: atomic puts, put-if-absent, sorted listing. Not modelled: size limits,
/// multipart uploads, eventual listing, permissions.
public final class InMemoryObjectStore: ObjectStore {
  /// By the key's bytes: strings that look alike may be different keys.
  private let objects = Mutex<[[UInt8]: [UInt8]]>([:])

  /// An empty store.
  public init() {}

  /// See ``ObjectStore``, rule 1.
  public func put(_ key: String, _ bytes: [UInt8]) async throws(PortError) {
    objects.withLock { $0[Array(key.utf8)] = bytes }
  }

  /// See ``ObjectStore``, rule 2.
  public func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool {
    objects.withLock { objects in
      guard objects[Array(key.utf8)] == nil else { return false }
      objects[Array(key.utf8)] = bytes
      return true
    }
  }

  /// See ``ObjectStore``, rule 3.
  public func get(_ key: String) async throws(PortError) -> [UInt8] {
    guard let bytes = objects.withLock({ $0[Array(key.utf8)] }) else {
      throw PortError(.notFound, port: "ObjectStore", operation: "get", hint: "no object '\(key)'")
    }
    return bytes
  }

  /// See ``ObjectStore``, rule 4.
  public func list(prefix: String) async throws(PortError) -> [String] {
    let keys = objects.withLock { Array($0.keys) }
    return keys.filter { $0.starts(with: prefix.utf8) }
      .sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
  }

  /// See ``ObjectStore``, rule 5.
  public func delete(_ key: String) async throws(PortError) {
    objects.withLock { $0[Array(key.utf8)] = nil }
  }
}
