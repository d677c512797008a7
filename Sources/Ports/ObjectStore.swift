/// Files by key: image files, extracts, artifacts.
///
/// Contract (rule N is test N of `ObjectStoreConformance`):
/// 1. `put` replaces; a reader sees the old bytes or the new ones, never a mixture.
/// 2. `putIfAbsent` answers false and changes nothing when the key exists.
/// 3. `get` throws `notFound` for a key that doesn't exist.
/// 4. `list` gives the keys with a prefix, sorted by their UTF-8 bytes.
/// 5. `delete` of a key that doesn't exist succeeds.
/// 6. After `synchronize` all that was put and deleted before survives a crash of the machine. A
///    store may see to that at once, or only then.
public protocol ObjectStore: Sendable {
  /// Stores bytes under a key.
  func put(_ key: String, _ bytes: [UInt8]) async throws(PortError)
  /// Stores bytes unless the key exists; whether it did so.
  func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool
  /// The bytes of a key.
  func get(_ key: String) async throws(PortError) -> [UInt8]
  /// The keys with a prefix.
  func list(prefix: String) async throws(PortError) -> [String]
  /// Removes a key.
  func delete(_ key: String) async throws(PortError)
  /// Waits until what was done is durable.
  func synchronize() async throws(PortError)
}

extension ObjectStore {
  /// Nothing to wait for: every call is durable when it returns, or the store never is.
  public func synchronize() async throws(PortError) {}
}
