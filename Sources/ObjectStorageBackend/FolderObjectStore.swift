import Glibc
import Ports
import Synchronization

/// An ``ObjectStore`` in a folder: a key is the path of its file, relative to the folder.
///
/// Bytes go to a temporary file beside their place, to the disk, and then to the place in one step;
/// the step is on the disk when a call returns. Other programs see whole files only, too.
///
/// With ``Durability/deferred`` nothing waits for the disk before ``synchronize()``, which then
/// waits for all files and folders at once: the file system writes them together, in the time of
/// one or two. A power cut before that may leave an object empty, or an older one.
///
/// *Fidelity.* Modelled: atomic puts, one winner of several put-if-absents, durability. Not
/// modelled, for a folder can't: a key that ends in `/` or has an empty part, and a key beside one
/// that continues it (`a` and `a/b`); both are `invalid`. A deleted key's folders stay, and so does
/// the temporary file of a writer that was killed; neither is listed.
public final class FolderObjectStore: ObjectStore {
  /// When objects are on the disk.
  public enum Durability: Sendable {
    /// When the call returns that puts or deletes them.
    case immediate
    /// When ``FolderObjectStore/synchronize()`` returns.
    case deferred
  }

  /// The folder.
  public let path: String
  private let durability: Durability
  private let temporaries = Mutex(0)
  private let unsettled = Mutex(Unsettled())

  /// Keeps objects in a folder, and makes it when there is none.
  public init(path: String, durability: Durability = .immediate) throws(PortError) {
    self.path = path
    self.durability = durability
    do {
      try Files.makeFolder(path)
    } catch {
      throw error.portError("open")
    }
  }

  /// See ``ObjectStore``, rule 1.
  public func put(_ key: String, _ bytes: [UInt8]) async throws(PortError) {
    let place = try place(of: key, "put")
    do throws(FileError) {
      let temporary = try write(bytes, beside: place)
      do throws(FileError) {
        try Files.move(temporary, to: place.path)
      } catch {
        // The first error is the one to tell; listings ignore a temporary file that stays.
        try? Files.remove(temporary)
        throw error
      }
      try settle(place)
    } catch {
      throw error.portError("put")
    }
  }

  /// See ``ObjectStore``, rule 2. Making a link fails when the name exists: of several writers one
  /// makes it.
  public func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool {
    let place = try place(of: key, "putIfAbsent")
    do {
      if try Files.kind(of: place.path) == .file { return false }
      let temporary = try write(bytes, beside: place)
      // A temporary file that stays is ignored by listings.
      defer { try? Files.remove(temporary) }
      guard try Files.link(temporary, to: place.path) else { return false }
      try settle(place)
      return true
    } catch {
      throw error.portError("putIfAbsent")
    }
  }

  /// See ``ObjectStore``, rule 3.
  public func get(_ key: String) async throws(PortError) -> [UInt8] {
    let objectKey = FolderKey(key)
    if objectKey.isUnsafe { throw invalid(key, objectKey, "get") }
    do {
      if objectKey.problem == nil, let bytes = try Files.read(path + "/" + key) { return bytes }
    } catch {
      throw error.portError("get")
    }
    throw PortError(
      .notFound, port: "ObjectStore", operation: "get", hint: "no object '\(key)' in '\(path)'")
  }

  /// See ``ObjectStore``, rule 4.
  public func list(prefix: String) async throws(PortError) -> [String] {
    do {
      var keys: [String] = []
      var folders = [""]
      while let folder = folders.popLast() {
        for (name, kind) in try Files.entries(of: path + "/" + folder) {
          let key = folder + name
          if kind == .file, key.utf8.starts(with: prefix.utf8) { keys.append(key) }
          if kind == .folder, Self.mayHold(prefix, key + "/") { folders.append(key + "/") }
        }
      }
      return keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch {
      throw error.portError("list")
    }
  }

  /// See ``ObjectStore``, rule 5.
  public func delete(_ key: String) async throws(PortError) {
    let objectKey = FolderKey(key)
    if objectKey.isUnsafe { throw invalid(key, objectKey, "delete") }
    if objectKey.problem != nil { return }
    let place = Place(folder: folder(of: objectKey), path: path + "/" + key)
    do {
      guard try Files.kind(of: place.path) == .file else { return }
      try Files.remove(place.path)
      try settle(place)
    } catch {
      throw error.portError("delete")
    }
  }

  /// See ``ObjectStore``, rule 6. After a failure every call throws: the system tells only once
  /// that bytes were lost, and not whose.
  public func synchronize() async throws(PortError) {
    do throws(FileError) {
      // Within the lock: another writer's files may be among those on their way.
      try unsettled.withLock { (unsettled) throws(FileError) in try unsettled.synchronize() }
    } catch {
      throw error.portError("synchronize")
    }
  }

  /// What may not be on the disk.
  private struct Unsettled {
    /// Files and folders.
    var paths: Set<String> = []
    private var failure: FileError?

    mutating func synchronize() throws(FileError) {
      if let failure { throw failure }
      do throws(FileError) {
        try Files.synchronize(paths.sorted())
        paths = []
      } catch {
        failure = error
        throw error
      }
    }
  }

  /// Where an object's file is.
  private struct Place {
    let folder: String
    let path: String
  }

  private func place(of key: String, _ operation: String) throws(PortError) -> Place {
    let objectKey = FolderKey(key)
    guard objectKey.problem == nil else { throw invalid(key, objectKey, operation) }
    return Place(folder: folder(of: objectKey), path: path + "/" + key)
  }

  private func folder(of key: FolderKey) -> String {
    key.folders.isEmpty ? path : path + "/" + key.folders.joined(separator: "/")
  }

  /// Puts a change of a folder on the disk, now or later. The file's bytes, where it has any, are
  /// there already when it is now.
  private func settle(_ place: Place) throws(FileError) {
    switch durability {
    case .immediate: try Files.synchronizeFolder(place.folder)
    case .deferred: unsettled.withLock { $0.paths.formUnion([place.folder, place.path]) }
    }
  }

  /// Writes bytes under a name that is no key; gives the file's path.
  private func write(_ bytes: [UInt8], beside place: Place) throws(FileError) -> String {
    try Files.makeFolder(place.folder)
    while true {
      let number = temporaries.withLock { number in
        number += 1
        return number
      }
      let temporary = "\(place.folder)/\(FolderKey.temporaryPrefix)\(getpid())-\(number)"
      // Another machine's process may have our number, and a killed one may have left its file.
      let isDurable = durability == .immediate
      if try Files.create(temporary, bytes, isDurable: isDurable) { return temporary }
    }
  }

  private static func mayHold(_ prefix: String, _ folder: String) -> Bool {
    folder.utf8.starts(with: prefix.utf8) || prefix.utf8.starts(with: folder.utf8)
  }

  private func invalid(_ key: String, _ objectKey: FolderKey, _ operation: String) -> PortError {
    PortError(
      .invalid, port: "ObjectStore", operation: operation,
      hint: "key '\(key)' in '\(path)': \(objectKey.problem ?? "not a path"); choose another key")
  }
}
