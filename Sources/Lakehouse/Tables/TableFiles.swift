import Ports

/// The files of a warehouse: locations in metadata are URIs, keys of the object store are relative.
struct TableFiles: Sendable {
  let objects: any ObjectStore
  /// The URI of the warehouse's root, without a slash at its end.
  let warehouse: String
  /// How data files are written.
  var writing = ParquetFile.WriteOptions()

  /// Reads a file that metadata names: that it isn't there means that the table is damaged.
  func read(_ location: String) async throws(PortError) -> [UInt8] {
    let key = try key(of: location)
    do throws(PortError) {
      return try await objects.get(key)
    } catch {
      guard error.code == .notFound else { throw error }
      throw LakehouseError(
        file: location, reason: "is missing, though the table's metadata names it"
      ).portError("read")
    }
  }

  /// Writes a file; files are never changed, so writing one again writes the same.
  func write(_ location: String, _ bytes: [UInt8]) async throws(PortError) {
    try await objects.put(try key(of: location), bytes)
  }

  /// The keys of all files under a location.
  func keys(under location: String) async throws(PortError) -> [String] {
    try await objects.list(prefix: try key(of: location) + "/")
  }

  /// The key of a location.
  func key(of location: String) throws(PortError) -> String {
    let (path, root) = (Self.path(location), Self.path(warehouse) + "/")
    guard path.hasPrefix(root) else {
      throw LakehouseError(
        file: location, reason: "lies outside the warehouse \(warehouse)"
      ).portError("read")
    }
    return String(path.dropFirst(root.count))
  }

  /// A URI without its `file:` scheme, as writers differ in whether they give it.
  private static func path(_ location: String) -> String {
    for scheme in ["file://", "file:"] where location.hasPrefix(scheme) {
      return String(location.dropFirst(scheme.count))
    }
    return location
  }
}
