import ArgumentParser
import Foundation
import Harness
import InMemoryBackends
import Lakehouse
import Moderation
import ObjectStorageBackend
import Ports
import SQLiteBackend
import Simulation

/// Which backends a run uses: `in-memory`, `sqlite:DIR`, or a backends file.
enum BackendsChoice: ExpressibleByArgument {
  case inMemory
  /// Everything that is durable in a folder: `application.db`, `objects/`, and the warehouse
  /// `lake/` with its `catalog.db`; the stream and the online features stay in memory.
  case sqlite(String)
  /// What the YAML file says.
  case file(String)

  init?(argument: String) {
    if argument == "in-memory" {
      self = .inMemory
    } else if argument.hasPrefix("sqlite:"), argument.count > "sqlite:".count {
      self = .sqlite(String(argument.dropFirst("sqlite:".count)))
    } else if argument.hasSuffix(".yaml") || argument.hasSuffix(".yml") {
      self = .file(argument)
    } else {
      return nil
    }
  }

  /// What makes the backends of runs.
  func source() throws -> any BackendsSource {
    switch self {
    case .inMemory: InMemorySource()
    case .sqlite(let folder): try SQLiteSource(folder)
    case .file(let path): try LiveBackends(path)
    }
  }
}

/// Makes the backends of one run after another, each with nothing in them.
protocol BackendsSource: Sendable {
  /// Whether the lake is in memory, so that `--out` may write it to its folder.
  var isInMemory: Bool { get }
  /// Makes the backends of a run.
  var maker: RunOptions.Maker { get }
  /// Removes what runs left on servers.
  func clean() throws
  /// What the names begin with that runs left on servers.
  var leftPrefixes: [String] { get }
}

extension BackendsSource {
  var isInMemory: Bool { false }
  func clean() throws {}
  var leftPrefixes: [String] { [] }

  /// What runs left on servers, for a person; nil when nothing.
  var remains: String? {
    let made = leftPrefixes
    return made.isEmpty ? nil : "names on the servers begin with \(made.joined(separator: ", "))"
  }
}

/// Everything in memory.
struct InMemorySource: BackendsSource {
  var isInMemory: Bool { true }
  var maker: RunOptions.Maker { { (time) in .inMemory(time: time) } }
}

/// `sqlite:DIR`: the folder must be new or empty.
struct SQLiteSource: BackendsSource {
  private let folder: DurableFolder

  init(_ path: String) throws {
    let whole = URL(fileURLWithPath: path).standardizedFileURL.path
    // A folder that isn't there is as good as an empty one.
    let found = (try? FileManager.default.contentsOfDirectory(atPath: whole)) ?? []
    guard found.isEmpty else {
      throw CommandFailure(
        code: 2,
        message: "rehearsal: '\(path)' isn't empty; a run begins with empty tables: "
          + "name a new folder, or remove this one")
    }
    do {
      folder = try DurableFolder(whole)
    } catch {
      throw CommandFailure(RunFailure.backend(error))
    }
  }

  var maker: RunOptions.Maker {
    let folder = folder
    return { (time) throws(PortError) in
      var backends = Backends.inMemory(time: time)
      backends.name = "sqlite"
      backends.store = try folder.store()
      backends.checkpoints = try folder.checkpoints()
      backends.objects = try FolderObjectStore(path: "\(folder.path)/objects")
      backends.lake = IcebergLake(
        objects: try folder.warehouse(), catalog: try folder.catalog(),
        warehouse: "file://\(folder.path)/lake", time: time)
      return backends
    }
  }
}

/// A folder of SQLite files and of a warehouse.
struct DurableFolder: Sendable {
  /// The whole path.
  let path: String

  /// Makes the folder, unless it is there.
  init(_ path: String) throws(PortError) {
    self.path = path
    do {
      try FileManager.default.createDirectory(
        atPath: "\(path)/lake", withIntermediateDirectories: true)
    } catch {
      throw PortError(
        .invalid, port: "ObjectStore", operation: "open",
        hint: "'\(path)' can't be written: \(error)")
    }
  }

  func store() throws(PortError) -> SQLiteApplicationStore {
    try SQLiteApplicationStore(try SQLiteDatabase(path: "\(path)/application.db"))
  }

  func checkpoints() throws(PortError) -> SQLiteCheckpointStore {
    try SQLiteCheckpointStore(try SQLiteDatabase(path: "\(path)/application.db"))
  }

  func catalog() throws(PortError) -> SQLiteTableCatalog {
    try SQLiteTableCatalog(
      try SQLiteDatabase(path: "\(path)/lake/catalog.db"), catalog: LakeFolder.catalogName)
  }

  func warehouse() throws(PortError) -> FolderObjectStore {
    try FolderObjectStore(path: "\(path)/lake", durability: .deferred)
  }
}

/// A warehouse that is written to a run's folder: in memory while the run goes, as files after it.
struct LakeFolder {
  /// The name under which PyIceberg finds the tables: `SqlCatalog("rehearsal", …)`.
  static let catalogName = "rehearsal"

  private let path: String
  private let objects = InMemoryObjectStore()
  private let catalog = InMemoryTableCatalog()

  /// A warehouse that will lie in `folder`.
  init(_ folder: String) {
    path = URL(fileURLWithPath: folder).standardizedFileURL.path
  }

  /// Backends in memory whose lake is this one.
  var maker: RunOptions.Maker {
    let (path, objects, catalog) = (path, objects, catalog)
    return { (time) in
      var backends = Backends.inMemory(time: time)
      backends.lake = IcebergLake(
        objects: objects, catalog: catalog, warehouse: "file://\(path)", time: time)
      return backends
    }
  }

  /// Writes the files and the catalog, in place of what lay there; nothing for a run without
  /// tables.
  func write() throws {
    let (path, objects, catalog) = (path, objects, catalog)
    if FileManager.default.fileExists(atPath: path) {
      try FileManager.default.removeItem(atPath: path)
    }
    try Blocking.run { () async throws(PortError) in
      let tables = try await catalog.tables()
      guard !tables.isEmpty else { return }
      for key in try await objects.list(prefix: "") {
        try Self.write(try await objects.get(key), to: "\(path)/\(key)")
      }
      let pointers = try SQLiteTableCatalog(
        try SQLiteDatabase(path: "\(path)/catalog.db"), catalog: Self.catalogName)
      for table in tables {
        try await pointers.createNamespace(table.namespace)
        guard let location = try await catalog.location(of: table) else { continue }
        try await pointers.move(table, from: nil, to: location)
      }
    }
  }

  private static func write(_ bytes: [UInt8], to file: String) throws(PortError) {
    let url = URL(fileURLWithPath: file)
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    } catch {
      throw PortError(
        .unavailable, port: "ObjectStore", operation: "put", hint: "\(file): \(error)")
    }
  }
}

/// Port operations from a command: they block, on the simulation's thread.
enum Blocking {
  /// Runs a body to its end; a port's error ends the command with its exit code.
  static func run<Value: Sendable>(
    _ body: @escaping @Sendable () async throws(PortError) -> Value
  ) throws -> Value {
    let microseconds = Int64(Date().timeIntervalSince1970 * 1_000_000)
    let executor = SimulationExecutor(
      clock: VirtualClock(start: .init(microseconds: microseconds)))
    let stop = executor.run { () async -> Result<Value, PortError> in
      do throws(PortError) {
        return .success(try await body())
      } catch {
        return .failure(error)
      }
    }
    guard case .finished(let result) = stop else {
      throw CommandFailure(code: 3, message: "rehearsal: no progress")
    }
    switch result {
    case .success(let value): return value
    case .failure(let error):
      throw CommandFailure(
        code: error.isRetryable ? 4 : 2, message: "rehearsal: \(error)")
    }
  }
}
