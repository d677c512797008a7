import Foundation
import Harness
import KafkaBackend
import Moderation
import ObjectStorageBackend
import Ports
import PostgresBackend
import RedisBackend
import SQLiteBackend
import Simulation

/// The adapters of one run over what a backends file says; nil where the port is in memory.
final class Servers {
  private let file: BackendsFile
  private let prefix: String
  /// The one pool of connections of a run's stores.
  private var database: PostgresDatabase?

  init(_ file: BackendsFile, _ prefix: String) {
    self.file = file
    self.prefix = prefix
  }

  func store() throws(PortError) -> (any ApplicationStore)? {
    switch file.adapter(of: .store) {
    case .sqlite: try sqlite().store()
    case .postgres: try PostgresApplicationStore(postgres())
    default: nil
    }
  }

  func checkpoints() throws(PortError) -> (any CheckpointStore)? {
    switch file.adapter(of: .checkpoints) {
    case .sqlite: try sqlite().checkpoints()
    case .postgres: try PostgresCheckpointStore(postgres())
    default: nil
    }
  }

  func catalog() throws(PortError) -> (any TableCatalog)? {
    switch file.adapter(of: .catalog) {
    case .sqlite: try sqlite().catalog()
    case .postgres: try PostgresTableCatalog(postgres(), catalog: LakeFolder.catalogName)
    default: nil
    }
  }

  func log(_ time: any TimeSource) throws(PortError) -> (any EventLog)? {
    guard file.adapter(of: .log) == .kafka else { return nil }
    return try KafkaEventLog(kafkaSettings, time: time)
  }

  func features() throws(PortError) -> (any FeatureStore)? {
    guard file.adapter(of: .features) == .redis else { return nil }
    let store = try RedisFeatureStore(redisSettings)
    try Self.requireAnswer(store.check(), "FeatureStore")
    return store
  }

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
    case .s3:
      let settings = S3Settings(file[.s3], prefix: prefix, name: name)
      let store = try S3ObjectStore(settings)
      try Self.requireAnswer(store.check(), "ObjectStore")
      return (store, "s3://\(settings.bucket)/\(prefix)/\(name)")
    default: return nil
    }
  }

  /// Looks at a server.
  func check(_ adapter: BackendsFile.Adapter) -> [BackendCheck] {
    do {
      return try checks(adapter)
    } catch {
      return [BackendCheck(unreachable: error)]
    }
  }

  private func checks(_ adapter: BackendsFile.Adapter) throws(PortError) -> [BackendCheck] {
    switch adapter {
    case .sqlite: [Self.folder(sqlitePath)]
    case .folder: [Self.folder(absolute(file[.folder].text("path") ?? "out"))]
    case .postgres: try postgres().check()
    case .kafka: Self.check(try KafkaEventLog(kafkaSettings, time: Self.now))
    case .redis: try RedisFeatureStore(redisSettings).check()
    case .s3: try S3ObjectStore(S3Settings(file[.s3], prefix: prefix)).check()
    case .inMemory: []
    }
  }

  /// Removes what has the prefix.
  func clean(_ adapter: BackendsFile.Adapter) throws(PortError) {
    switch adapter {
    case .sqlite: try Self.remove("\(sqlitePath)/\(prefix)")
    case .folder: try Self.remove("\(absolute(file[.folder].text("path") ?? "out"))/\(prefix)")
    case .postgres: try postgres().clean()
    case .kafka: try KafkaEventLog(kafkaSettings, time: Self.now).clean()
    case .redis: try RedisFeatureStore(redisSettings).clean()
    case .s3: try S3ObjectStore(S3Settings(file[.s3], prefix: prefix)).clean()
    case .inMemory: break
    }
  }

  // MARK: Servers

  /// A run without this server would wait for it, in virtual time, to its end.
  private static func requireAnswer(
    _ checks: [BackendCheck], _ port: String
  ) throws(PortError) {
    guard let refusal = checks.first?.refusal else { return }
    throw PortError(refusal.code, port: port, operation: "open", hint: refusal.hint)
  }

  private func postgres() throws(PortError) -> PostgresDatabase {
    if let database { return database }
    let made = try PostgresDatabase(PostgresSettings(file[.postgres], prefix: prefix))
    database = made
    return made
  }

  /// A clock for calls outside of any run, which don't wait on it.
  private static var now: VirtualClock {
    VirtualClock(
      start: ProcessingTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)))
  }

  private static func check(_ log: KafkaEventLog) -> [BackendCheck] {
    do {
      return try Blocking.run { () async throws(PortError) in await log.check() }
    } catch {
      let error = PortError(
        .unavailable, port: "EventLog", operation: "check", hint: "\(error)")
      return [BackendCheck(unreachable: error)]
    }
  }

  private var kafkaSettings: KafkaSettings { KafkaSettings(file[.kafka], prefix: prefix) }
  private var redisSettings: RedisSettings { RedisSettings(file[.redis], prefix: prefix) }

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
