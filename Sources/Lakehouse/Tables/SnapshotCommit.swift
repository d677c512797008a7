import Ports

/// What a new snapshot adds to its parent and takes from it.
struct SnapshotChange: Sendable {
  var id: Int64
  var committedAtMilliseconds: Int64
  /// `append`, `overwrite`, `delete` or `replace`.
  var operation: String
  var added: [DataFile] = []
  /// The commits that rows belong to, by the paths of added files; the others belong to this one.
  var sequences: [String: Int64] = [:]
  /// Paths of data and delete files that go.
  var removed: Set<String> = []
  /// What the committer notes.
  var summary: [String: String] = [:]
}

/// Writes the manifests, the manifest list and the metadata of a new snapshot, and moves the
/// catalog's pointer (spec, "Table Operations": optimistic concurrency).
///
/// Files are named by the snapshot, so a commit that is tried again writes the same ones.
struct SnapshotCommit {
  /// How many manifests a table may have before they are merged into one.
  private static let manifestsToMerge = 100

  let reader: TableReader
  let table: TableState
  let change: SnapshotChange
  private var manifestCount = 0

  init(_ reader: TableReader, _ table: TableState, _ change: SnapshotChange) {
    self.reader = reader
    self.table = table
    self.change = change
  }

  /// Writes all files of the snapshot; gives the metadata that makes it current.
  mutating func write() async throws(PortError) -> TableMetadata {
    let metadata = table.metadata
    let parent = metadata.currentSnapshot
    let sequence = metadata.lastSequenceNumber + 1
    var totals = Totals(parent)
    var manifests = try await carriedOver(parent, sequence, &totals)
    for holdsDeletes in [false, true] {
      for spec in metadata.specs {
        let added = change.added.filter {
          ($0.content != .data) == holdsDeletes && $0.specID == spec.id
        }
        guard !added.isEmpty else { continue }
        for file in added { totals.add(file) }
        let entries = added.map {
          ManifestEntry(
            status: .added, snapshotID: change.id, sequenceNumber: change.sequences[$0.path],
            file: $0)
        }
        manifests.append(
          try await writeManifest(entries, spec, holdsDeletes: holdsDeletes, sequence))
      }
    }
    for holdsDeletes in [false, true] {
      manifests = try await merged(manifests, holdsDeletes: holdsDeletes, sequence)
    }
    let list = table.location("metadata/snap-\(change.id)-\(table.tag(change.id)).avro")
    let bytes: [UInt8]
    do throws(LakehouseError) {
      bytes = try ManifestList.encode(
        manifests, snapshot: change.id, parent: parent?.id, sequenceNumber: sequence,
        sync: Self.sync(list))
    } catch {
      throw error.portError("commit")
    }
    try await reader.files.write(list, bytes)
    reader.parsed.keep(manifests, list)
    let snapshot = IcebergSnapshot(
      id: change.id, parent: parent?.id, sequenceNumber: sequence,
      timestampMilliseconds: max(
        change.committedAtMilliseconds, parent?.timestampMilliseconds ?? .min),
      manifestList: list, summary: totals.summary(change), schemaID: metadata.schema.id)
    return metadata.committing(snapshot, previousFile: table.file)
  }

  /// The parent's manifests: those with removed files are written anew, the rest stay.
  private mutating func carriedOver(
    _ parent: IcebergSnapshot?, _ sequence: Int64, _ totals: inout Totals
  ) async throws(PortError) -> [ManifestFile] {
    guard let parent else { return [] }
    var kept: [ManifestFile] = []
    for manifest in try await reader.manifests(of: parent) where manifest.isLive {
      guard !change.removed.isEmpty else {
        kept.append(manifest)
        continue
      }
      let entries = try await reader.entries(of: manifest, table.metadata).filter(\.isLive)
      guard entries.contains(where: { change.removed.contains($0.file.path) }) else {
        kept.append(manifest)
        continue
      }
      let updated = entries.map { entry -> ManifestEntry in
        var entry = entry
        let isRemoved = change.removed.contains(entry.file.path)
        if isRemoved {
          totals.remove(entry.file)
          entry.snapshotID = change.id
        }
        entry.status = isRemoved ? .deleted : .existing
        return entry
      }
      kept.append(
        try await writeManifest(
          updated, table.metadata.spec(manifest.specID), holdsDeletes: manifest.holdsDeletes,
          sequence))
    }
    return kept
  }

  /// One manifest in place of many small ones, so that a commit doesn't cost more and more.
  private mutating func merged(
    _ manifests: [ManifestFile], holdsDeletes: Bool, _ sequence: Int64
  ) async throws(PortError) -> [ManifestFile] {
    let spec = table.metadata.spec
    let candidates = manifests.filter {
      $0.holdsDeletes == holdsDeletes && $0.specID == spec.id && $0.addedSnapshotID != change.id
        && $0.existingFiles == 0
    }
    guard candidates.count >= Self.manifestsToMerge else { return manifests }
    var entries: [ManifestEntry] = []
    for manifest in candidates {
      for entry in try await reader.entries(of: manifest, table.metadata) where entry.isLive {
        var entry = entry
        entry.status = .existing
        entries.append(entry)
      }
    }
    let paths = Set(candidates.map(\.path))
    return [try await writeManifest(entries, spec, holdsDeletes: holdsDeletes, sequence)]
      + manifests.filter { !paths.contains($0.path) }
  }

  private mutating func writeManifest(
    _ entries: [ManifestEntry], _ spec: PartitionSpec, holdsDeletes: Bool, _ sequence: Int64
  ) async throws(PortError) -> ManifestFile {
    let path = table.location(
      "metadata/\(change.id)-\(table.tag(change.id))-m\(manifestCount).avro")
    manifestCount += 1
    let bytes: [UInt8]
    do throws(LakehouseError) {
      bytes = try Manifest.encode(
        entries, table.metadata, spec, holdsDeletes: holdsDeletes, sync: Self.sync(path))
    } catch {
      throw error.portError("commit")
    }
    try await reader.files.write(path, bytes)
    var manifest = ManifestFile(
      path: path, length: Int64(bytes.count), specID: spec.id, holdsDeletes: holdsDeletes,
      sequenceNumber: sequence, minSequenceNumber: sequence, addedSnapshotID: change.id)
    manifest.count(entries, spec, table.metadata)
    reader.parsed.keep(entries.map { $0.inheriting(from: manifest) }, path)
    return manifest
  }

  /// The marker between the blocks of an Avro file: made from its name.
  private static func sync(_ path: String) -> [UInt8] {
    let words = [StableHash.of(path.utf8), StableHash.of("sync \(path)".utf8)]
    return words.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
  }
}

extension ManifestFile {
  /// Notes what a manifest holds.
  fileprivate mutating func count(
    _ entries: [ManifestEntry], _ spec: PartitionSpec, _ table: TableMetadata
  ) {
    for entry in entries {
      switch entry.status {
      case .added:
        addedFiles += 1
        addedRows += entry.file.recordCount
      case .existing:
        existingFiles += 1
        existingRows += entry.file.recordCount
      case .deleted:
        deletedFiles += 1
        deletedRows += entry.file.recordCount
      }
      if entry.isLive {
        minSequenceNumber = min(minSequenceNumber, entry.sequenceNumber ?? sequenceNumber)
      }
    }
    partitions = spec.fields.enumerated().map { index, field in
      let type = field.transform.resultType(of: table.sourceType(of: field))
      let values = entries.map {
        $0.file.partition.indices.contains(index) ? $0.file.partition[index] : nil
      }
      let known = values.compactMap { $0 }.filter { !$0.isNaN }.sorted()
      return FieldSummary(
        containsNull: values.contains { $0 == nil },
        containsNaN: values.contains { $0?.isNaN == true },
        lower: known.first.flatMap { ColumnBounds.bytes(of: $0, type) },
        upper: known.last.flatMap { ColumnBounds.bytes(of: $0, type) })
    }
  }
}

/// The sums that a snapshot's summary holds (spec, "Optional Snapshot Summary Fields").
private struct Totals {
  /// The sums over all files; one that the parent doesn't have stays unknown.
  private var sums: [String: Int64] = [:]
  private var counts: [String: Int64] = [:]

  init(_ parent: IcebergSnapshot?) {
    for name in Summary.totals {
      sums[name] = parent.map { $0.summary[name].flatMap { Int64($0) } } ?? 0
    }
  }

  mutating func add(_ file: DataFile) { note(file, "added", 1) }

  mutating func remove(_ file: DataFile) {
    note(file, file.content == .data ? "deleted" : "removed", -1)
  }

  func summary(_ change: SnapshotChange) -> [String: String] {
    var summary = change.summary
    summary["operation"] = change.operation
    for (name, value) in counts { summary[name] = "\(value)" }
    for (name, value) in sums { summary[name] = "\(value)" }
    return summary
  }

  private mutating func note(_ file: DataFile, _ verb: String, _ sign: Int64) {
    count(sign > 0 ? "added-files-size" : "removed-files-size", file.fileSize)
    sums["total-files-size"]? += sign * file.fileSize
    switch file.content {
    case .data:
      count("\(verb)-data-files", 1)
      count("\(verb)-records", file.recordCount)
      sums["total-data-files"]? += sign
      sums["total-records"]? += sign * file.recordCount
    case .positionDeletes, .equalityDeletes:
      let kind = file.content == .positionDeletes ? "position" : "equality"
      count("\(verb)-delete-files", 1)
      count("\(verb)-\(kind)-delete-files", 1)
      count("\(verb)-\(kind)-deletes", file.recordCount)
      sums["total-delete-files"]? += sign
      sums["total-\(kind)-deletes"]? += sign * file.recordCount
    }
  }

  private mutating func count(_ name: String, _ value: Int64) { counts[name, default: 0] += value }
}
