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

/// Which backends a run uses: `in-memory`, or `sqlite:DIR`.
enum BackendsChoice: ExpressibleByArgument {
  case inMemory
  /// Everything that is durable in a folder: `application.db`, `objects/`, and the warehouse
  /// `lake/` with its `catalog.db`; the stream and the online features stay in memory.
  case sqlite(String)

  init?(argument: String) {
    if argument == "in-memory" {
      self = .inMemory
    } else if argument.hasPrefix("sqlite:"), argument.count > "sqlite:".count {
      self = .sqlite(String(argument.dropFirst("sqlite:".count)))
    } else {
      return nil
    }
  }

  /// Makes the backends of one run; a folder must be new or empty.
  func maker() throws -> @Sendable (any TimeSource) -> Backends {
    guard case .sqlite(let folder) = self else { return { .inMemory(time: $0) } }
    let path = URL(fileURLWithPath: folder).standardizedFileURL.path
    // A folder that isn't there is as good as an empty one.
    let found = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard found.isEmpty else {
      throw CommandFailure(
        code: 2,
        message: "rehearsal: '\(folder)' isn't empty; a run begins with empty tables: "
          + "name a new folder, or remove this one")
    }
    do {
      try FileManager.default.createDirectory(
        atPath: "\(path)/lake", withIntermediateDirectories: true)
      let application = try SQLiteDatabase(path: "\(path)/application.db")
      let catalog = try SQLiteDatabase(path: "\(path)/lake/catalog.db")
      let store = try SQLiteApplicationStore(application)
      let checkpoints = try SQLiteCheckpointStore(application)
      let tables = try SQLiteTableCatalog(catalog, catalog: LakeFolder.catalogName)
      let objects = try FolderObjectStore(path: "\(path)/objects")
      let warehouse = try FolderObjectStore(path: "\(path)/lake", durability: .deferred)
      return { time in
        var backends = Backends.inMemory(time: time)
        backends.name = "sqlite"
        backends.store = store
        backends.checkpoints = checkpoints
        backends.objects = objects
        backends.lake = IcebergLake(
          objects: warehouse, catalog: tables, warehouse: "file://\(path)/lake", time: time)
        return backends
      }
    } catch let failure as PortError {
      throw CommandFailure(RunFailure.backend(failure))
    } catch {
      throw CommandFailure(
        code: 2, message: "rehearsal: '\(folder)' can't be written: \(error)")
    }
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
  var maker: @Sendable (any TimeSource) -> Backends {
    let (path, objects, catalog) = (path, objects, catalog)
    return { time in
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
