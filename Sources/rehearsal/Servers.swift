import Foundation
import Harness
import ObjectStorageBackend
import Ports
import SQLiteBackend

/// The adapters of one run over what a backends file says; nil where the port is in memory.
final class Servers {
  private let file: BackendsFile
  private let prefix: String

  init(_ file: BackendsFile, _ prefix: String) {
    self.file = file
    self.prefix = prefix
  }

  func store() throws(PortError) -> (any ApplicationStore)? {
    switch file.adapter(of: .store) {
    case .sqlite: try sqlite().store()
    default: nil
    }
  }

  func checkpoints() throws(PortError) -> (any CheckpointStore)? {
    switch file.adapter(of: .checkpoints) {
    case .sqlite: try sqlite().checkpoints()
    default: nil
    }
  }

  func catalog() throws(PortError) -> (any TableCatalog)? {
    switch file.adapter(of: .catalog) {
    case .sqlite: try sqlite().catalog()
    default: nil
    }
  }

  func log(_ time: any TimeSource) throws(PortError) -> (any EventLog)? { nil }

  func features() throws(PortError) -> (any FeatureStore)? { nil }

  /// An object store, and its address as tables note it.
  ///
  /// - Parameter name: tells apart what one run keeps in one place.
  func objects(
    of role: BackendsFile.Role, under name: String
  ) throws(PortError) -> (store: any ObjectStore, address: String)? {
    switch file.adapter(of: role) {
    case .folder:
      let path = "\(absolute(file[.folder].text("path") ?? "out"))/\(prefix)/\(name)"
      let durability: FolderObjectStore.Durability = role == .lake ? .deferred : .immediate
      return (try FolderObjectStore(path: path, durability: durability), "file://\(path)")
    default: return nil
    }
  }

  /// Looks at a server.
  func check(_ adapter: BackendsFile.Adapter) -> [BackendCheck] {
    do {
      return try checks(adapter)
    } catch {
      return [BackendCheck("reachable", found: "no", problem: "\(error)")]
    }
  }

  private func checks(_ adapter: BackendsFile.Adapter) throws(PortError) -> [BackendCheck] {
    switch adapter {
    case .sqlite: [Self.folder(sqlitePath)]
    case .folder: [Self.folder(absolute(file[.folder].text("path") ?? "out"))]
    default: []
    }
  }

  /// Removes what has the prefix.
  func clean(_ adapter: BackendsFile.Adapter) throws(PortError) {
    switch adapter {
    case .sqlite: try Self.remove("\(sqlitePath)/\(prefix)")
    case .folder: try Self.remove("\(absolute(file[.folder].text("path") ?? "out"))/\(prefix)")
    default: break
    }
  }

  // MARK: Folders

  private var sqlitePath: String { absolute(file[.sqlite].text("folder") ?? "out") }

  private func sqlite() throws(PortError) -> DurableFolder {
    try DurableFolder("\(sqlitePath)/\(prefix)")
  }

  private func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }

  private static func folder(_ path: String) -> BackendCheck {
    let probe = "\(path)/.rehearsal-check"
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data().write(to: URL(fileURLWithPath: probe))
      try FileManager.default.removeItem(atPath: probe)
      return BackendCheck("permissions", found: "'\(path)' can be written")
    } catch {
      return BackendCheck(
        "permissions", found: "'\(path)' can't be written",
        problem: "\(error); make it writable, or name another folder")
    }
  }

  private static func remove(_ path: String) throws(PortError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw PortError(
        .unavailable, port: "ObjectStore", operation: "clean", hint: "'\(path)': \(error)")
    }
  }
}
