import Foundation
import Harness
import InMemoryBackends
import Lakehouse
import ObjectStorageBackend
import Ports
import SQLiteBackend
import Synchronization

/// The backends of a backends file. Each run has names of its own on the servers, so that runs
/// don't meet, whoever starts them.
final class LiveBackends: BackendsSource {
  /// How many runs this process has begun.
  private static let runs = Atomic(0)

  private let file: BackendsFile
  private let prefixes = Mutex<[String]>([])

  /// Reads a backends file.
  init(_ path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure(code: 2, message: "rehearsal: there is no backends file '\(path)'")
    }
    do {
      file = try BackendsFile(yaml: String(decoding: data, as: UTF8.self), file: path) {
        ProcessInfo.processInfo.environment[$0]
      }
    } catch {
      throw CommandFailure(error)
    }
  }

  var maker: RunOptions.Maker {
    { [self] (time) throws(PortError) in try make(prefix: freshPrefix(), time) }
  }

  /// What all prefixes begin with.
  var prefix: String { file.prefix }

  /// Whether a prefix has the form of those of this file's runs: nothing else is ever removed.
  func mayClean(_ prefix: String) -> Bool {
    guard prefix.hasPrefix("\(file.prefix)_") else { return false }
    let parts = prefix.dropFirst(file.prefix.count + 1).split(
      separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, Int(parts[2]) != nil else { return false }
    return parts.prefix(2).allSatisfy { Int($0, radix: 36) != nil && $0 == $0.lowercased() }
  }

  var leftPrefixes: [String] { prefixes.withLock { $0 } }

  func clean() throws {
    for prefix in prefixes.withLock({ $0 }) { try clean(prefix: prefix) }
    prefixes.withLock { $0 = [] }
  }

  /// The file's prefix, the time, the process and the run: nobody else has it.
  private func freshPrefix() -> String {
    let seconds = String(Int(Date().timeIntervalSince1970), radix: 36)
    let process = String(ProcessInfo.processInfo.processIdentifier, radix: 36)
    let run = Self.runs.wrappingAdd(1, ordering: .relaxed).newValue
    let prefix = "\(file.prefix)_\(seconds)_\(process)_\(run)"
    prefixes.withLock { $0.append(prefix) }
    return prefix
  }
}

extension LiveBackends {
  /// The backends of one run.
  private func make(prefix: String, _ time: any TimeSource) throws(PortError) -> Backends {
    let servers = Servers(file, prefix)
    var backends = Backends.inMemory(time: time)
    backends.name = file.name
    if let store = try servers.store() { backends.store = store }
    if let checkpoints = try servers.checkpoints() { backends.checkpoints = checkpoints }
    if let log = try servers.log(time) { backends.log = log }
    if let features = try servers.features() { backends.features = features }
    if let objects = try servers.objects(of: .objects, under: "objects") {
      backends.objects = objects.store
    }
    if let lake = try servers.objects(of: .lake, under: "lake"),
      let catalog = try servers.catalog()
    {
      backends.lake = IcebergLake(
        objects: lake.store, catalog: catalog, warehouse: lake.address, time: time)
    }
    return backends
  }

  /// Looks at every server of the file.
  func check() -> [(server: String, checks: [BackendCheck])] {
    let servers = Servers(file, "\(file.prefix)_check")
    return file.used.map { ($0.rawValue, servers.check($0)) }
  }

  /// Removes what runs with this prefix left.
  func clean(prefix: String) throws {
    let servers = Servers(file, prefix)
    for adapter in file.used {
      do {
        try servers.clean(adapter)
      } catch {
        throw CommandFailure(RunFailure.backend(error))
      }
    }
  }
}
