import Ports
import Synchronization

/// A table as its catalog points to it now.
struct TableState: Sendable {
  var name: TableName
  /// The current metadata file.
  var file: String
  var metadata: TableMetadata

  /// The location of a file of this table.
  func location(_ path: String) -> String { "\(metadata.location)/\(path)" }
}

/// Parsed files. They never change, so what was read once holds for ever; the oldest go first.
final class ParsedFiles: Sendable {
  private struct State {
    /// Each has all snapshots in it, so only a few are kept.
    var metadata = Kept<TableMetadata>(limit: 128)
    var lists = Kept<[ManifestFile]>(limit: 512)
    var manifests = Kept<[ManifestEntry]>(limit: 4096)
  }

  private let state = Mutex(State())

  func metadata(_ file: String) -> TableMetadata? { state.withLock { $0.metadata[file] } }

  func list(_ file: String) -> [ManifestFile]? { state.withLock { $0.lists[file] } }

  func manifest(_ file: String) -> [ManifestEntry]? { state.withLock { $0.manifests[file] } }

  func keep(_ metadata: TableMetadata, _ file: String) {
    state.withLock { $0.metadata.keep(metadata, file) }
  }

  func keep(_ list: [ManifestFile], _ file: String) { state.withLock { $0.lists.keep(list, file) } }

  func keep(_ entries: [ManifestEntry], _ file: String) {
    state.withLock { $0.manifests.keep(entries, file) }
  }
}

/// Values by file, at most so many.
private struct Kept<Value> {
  private let limit: Int
  private var values: [String: Value] = [:]
  private var order: [String] = []

  init(limit: Int) { self.limit = limit }

  subscript(file: String) -> Value? { values[file] }

  mutating func keep(_ value: Value, _ file: String) {
    if values.updateValue(value, forKey: file) == nil { order.append(file) }
    guard order.count > limit else { return }
    for old in order.prefix(limit / 4) { values[old] = nil }
    order.removeFirst(limit / 4)
  }
}

/// Reads tables: metadata, manifest lists, manifests.
struct TableReader: Sendable {
  let files: TableFiles
  let catalog: any TableCatalog
  let parsed: ParsedFiles

  init(files: TableFiles, catalog: any TableCatalog, parsed: ParsedFiles = ParsedFiles()) {
    self.files = files
    self.catalog = catalog
    self.parsed = parsed
  }

  /// The same reader through other ports to the same files.
  func through(_ objects: any ObjectStore, _ catalog: any TableCatalog) -> TableReader {
    let files = TableFiles(objects: objects, warehouse: files.warehouse, writing: files.writing)
    return TableReader(files: files, catalog: catalog, parsed: parsed)
  }

  /// The table as it is now.
  func load(_ table: TableName, _ operation: String) async throws(PortError) -> TableState {
    guard let file = try await catalog.location(of: table) else {
      throw PortError(
        .notFound, port: "Lake", operation: operation, hint: "there is no table \(table)")
    }
    return TableState(name: table, file: file, metadata: try await metadata(file))
  }

  /// A metadata file.
  func metadata(_ file: String) async throws(PortError) -> TableMetadata {
    if let known = parsed.metadata(file) { return known }
    let bytes = try await files.read(file)
    do throws(LakehouseError) {
      let metadata = try TableMetadata(reading: bytes, file: file)
      parsed.keep(metadata, file)
      return metadata
    } catch {
      throw error.portError("load")
    }
  }

  /// The manifests of a snapshot.
  func manifests(of snapshot: IcebergSnapshot) async throws(PortError) -> [ManifestFile] {
    if let known = parsed.list(snapshot.manifestList) { return known }
    let bytes = try await files.read(snapshot.manifestList)
    do throws(LakehouseError) {
      let list = try ManifestList.decode(bytes, file: snapshot.manifestList)
      try Self.check(list, snapshot)
      parsed.keep(list, snapshot.manifestList)
      return list
    } catch {
      throw error.portError("load")
    }
  }

  /// Refuses a list with fewer files than its snapshot's sums say: Avro can't tell a file that was
  /// cut between two blocks from a whole one. Sums that other writers left out say nothing.
  private static func check(
    _ list: [ManifestFile], _ snapshot: IcebergSnapshot
  ) throws(LakehouseError) {
    guard list.allSatisfy(\.isCounted) else { return }
    for (total, holdsDeletes) in [("total-data-files", false), ("total-delete-files", true)] {
      guard let expected = snapshot.summary[total].flatMap({ Int($0) }) else { continue }
      let count = list.reduce(0) {
        $0 + ($1.holdsDeletes == holdsDeletes ? $1.addedFiles + $1.existingFiles : 0)
      }
      guard count < expected else { continue }
      throw LakehouseError(
        file: snapshot.manifestList, field: total,
        reason: "is \(expected) in snapshot \(snapshot.id)'s summary, but the list has \(count): "
          + "it is cut off")
    }
  }

  /// The entries of a manifest, with what they inherit from it.
  func entries(
    of manifest: ManifestFile, _ metadata: TableMetadata
  ) async throws(PortError) -> [ManifestEntry] {
    if let known = parsed.manifest(manifest.path) { return known }
    let bytes = try await files.read(manifest.path)
    do throws(LakehouseError) {
      let spec = metadata.spec(manifest.specID)
      let entries = try Manifest.decode(bytes, file: manifest.path, spec: spec)
        .map { $0.inheriting(from: manifest) }
      guard !entries.isEmpty || !manifest.isLive else {
        throw LakehouseError(
          file: manifest.path, reason: "holds no entry, though its list counts some")
      }
      parsed.keep(entries, manifest.path)
      return entries
    } catch {
      throw error.portError("load")
    }
  }

  /// The files of a snapshot: rows by (sequence number, place), and deletes.
  func liveFiles(
    of snapshot: IcebergSnapshot, _ metadata: TableMetadata
  ) async throws(PortError) -> LiveFiles {
    var live = LiveFiles()
    for manifest in try await manifests(of: snapshot) where manifest.isLive {
      for entry in try await entries(of: manifest, metadata) where entry.isLive {
        switch entry.file.content {
        case .data: live.data.append(entry)
        case .positionDeletes: live.positionDeletes.append(entry)
        case .equalityDeletes: live.equalityDeletes.append(entry)
        }
      }
    }
    // Stable: files of one commit stay in the order of their manifest.
    live.data = live.data.enumerated().sorted { a, b in
      let (first, second) = (a.element.sequence, b.element.sequence)
      return first != second ? first < second : a.offset < b.offset
    }.map(\.element)
    return live
  }
}

/// The files of a snapshot.
struct LiveFiles: Sendable {
  var data: [ManifestEntry] = []
  var positionDeletes: [ManifestEntry] = []
  var equalityDeletes: [ManifestEntry] = []

  /// How many rows there are at the most: deletions aren't taken off.
  var mostRows: Int { Int(data.reduce(0) { $0 &+ max(0, $1.file.recordCount) }) }
}

extension ManifestEntry {
  /// The commit that the rows belong to.
  var sequence: Int64 { sequenceNumber ?? 0 }

  /// With the snapshot and the sequence numbers that a new entry leaves to its manifest.
  func inheriting(from manifest: ManifestFile) -> ManifestEntry {
    var entry = self
    entry.file.specID = manifest.specID
    if entry.snapshotID == nil { entry.snapshotID = manifest.addedSnapshotID }
    if entry.status == .added || manifest.sequenceNumber == 0 {
      entry.sequenceNumber = entry.sequenceNumber ?? manifest.sequenceNumber
      entry.fileSequenceNumber = entry.fileSequenceNumber ?? manifest.sequenceNumber
    }
    return entry
  }
}
