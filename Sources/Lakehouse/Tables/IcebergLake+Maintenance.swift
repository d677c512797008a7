import Moderation
import Ports

extension IcebergLake {
  /// Drops snapshots that are older than an instant and that neither a branch's current state nor a
  /// tag is, and then every file that no remaining snapshot reaches: from here on what was deleted
  /// is gone. Where a branch or a tag says how long it is to be kept, that holds instead (spec,
  /// "Snapshot Retention Policy"). A table with `gc.enabled=false` is refused.
  ///
  /// - Parameter keep: how many of the newest snapshots of each branch stay, whatever their age.
  public func expire(
    _ table: TableName, olderThan instant: EventTime, keep: Int
  ) async throws(PortError) -> MaintenanceReport {
    let now = time.now.microseconds / 1000
    let (before, after) = try await change(table, "expire") { metadata throws(LakehouseError) in
      guard metadata.properties["gc.enabled"]?.lowercased() != "false" else {
        throw LakehouseError(field: "gc.enabled", reason: "is false: no file may be removed")
      }
      return metadata.expiring(olderThan: instant, keep: max(1, keep), nowMilliseconds: now)
    }
    var report = MaintenanceReport()
    let remaining = Set(after.snapshots.map(\.id))
    report.expiredSnapshots = before.snapshots.map(\.id).filter { !remaining.contains($0) }
    var reachable = try await files(of: after.snapshots, after)
    for file in after.statisticsFiles() { reachable.insert(try reader.files.key(of: file)) }
    for keys in try await expiredFiles(before, after) {
      for key in keys.subtracting(reachable).sorted() {
        try await reader.files.objects.delete(key)
        report.deletedFiles.append(key)
      }
      try await reader.files.objects.synchronize()
    }
    return report
  }

  /// The files of snapshots that went, now or in an expiry that didn't get to its end: data, then
  /// manifests, then lists, so that whatever is still there can be found again from its list.
  private func expiredFiles(
    _ before: TableMetadata, _ after: TableMetadata
  ) async throws(PortError) -> [Set<String>] {
    let remaining = Set(after.snapshots.map(\.id))
    var gone: [Int64: (IcebergSnapshot, TableMetadata)] = [:]
    for file in after.previousFiles.map(\.file) {
      guard
        let old = try await ifThere({ () async throws(PortError) in
          try await reader.metadata(file)
        })
      else { continue }
      for snapshot in old.snapshots where !remaining.contains(snapshot.id) {
        gone[snapshot.id] = (snapshot, old)
      }
    }
    for snapshot in before.snapshots where !remaining.contains(snapshot.id) {
      gone[snapshot.id] = (snapshot, before)
    }
    var levels: [Set<String>] = [[], [], []]
    for (_, (snapshot, metadata)) in gone.sorted(by: { $0.key < $1.key }) {
      let lists = try await ifThere { () async throws(PortError) in
        try await reader.manifests(of: snapshot)
      }
      guard let lists else { continue }
      levels[2].insert(try reader.files.key(of: snapshot.manifestList))
      for file in metadata.statisticsFiles(of: snapshot.id) {
        levels[0].insert(try reader.files.key(of: file))
      }
      for manifest in lists {
        let entries = try await ifThere { () async throws(PortError) in
          try await reader.entries(of: manifest, metadata)
        }
        guard let entries else { continue }
        levels[1].insert(try reader.files.key(of: manifest.path))
        for entry in entries where entry.isLive {
          levels[0].insert(try reader.files.key(of: entry.file.path))
        }
      }
    }
    return levels
  }

  /// What a read gives; nil when its file is gone.
  private func ifThere<Value>(
    _ read: () async throws(PortError) -> Value
  ) async throws(PortError) -> Value? {
    do throws(PortError) {
      return try await read()
    } catch {
      guard error.code == .corrupt else { throw error }
      return nil
    }
  }

  /// See ``Lake``, rule 9.
  public func expire(
    _ table: TableName, olderThan instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    try await expire(table, olderThan: instant, keep: 1)
  }

  /// Removes the files under a table's folder that its metadata doesn't reach: what crashed commits
  /// left behind. Run it while nobody writes, or with files that are too new left out by `except`.
  public func removeOrphans(
    _ table: TableName, except isKept: (String) -> Bool = { _ in false }
  ) async throws(PortError) -> MaintenanceReport {
    let state = try await reader.load(table, "removeOrphans")
    var reachable = try await files(of: state.metadata.snapshots, state.metadata)
    let named = state.metadata.previousFiles.map(\.file) + state.metadata.statisticsFiles()
    for file in [state.file] + named {
      reachable.insert(try reader.files.key(of: file))
    }
    var report = MaintenanceReport()
    for key in try await reader.files.keys(under: state.metadata.location)
    where !reachable.contains(key) && !isKept(key) {
      try await reader.files.objects.delete(key)
      report.deletedFiles.append(key)
    }
    return report
  }

  /// Publishes changed metadata without a new snapshot; made anew from the current metadata when a
  /// commit comes between.
  func change(
    _ table: TableName, _ operation: String,
    _ edit: (TableMetadata) throws(LakehouseError) -> TableMetadata
  ) async throws(PortError) -> (before: TableMetadata, after: TableMetadata) {
    for _ in 0..<5 {
      let state = try await reader.load(table, operation)
      var next = state.metadata
      do throws(LakehouseError) {
        next = try edit(state.metadata)
      } catch {
        throw self.error(.invalid, operation, "\(table): \(error)")
      }
      guard next != state.metadata else { return (next, next) }
      next.remember(state.file)
      if try await publish(next, of: state) { return (state.metadata, next) }
    }
    throw error(.conflict, operation, "\(table) changed at every attempt")
  }

  /// The keys of every file that some snapshots reach: lists, manifests, data and deletes. Keys, as
  /// writers spell the same location differently.
  private func files(
    of snapshots: [IcebergSnapshot], _ metadata: TableMetadata
  ) async throws(PortError) -> Set<String> {
    var files: Set<String> = []
    for snapshot in snapshots {
      files.insert(try reader.files.key(of: snapshot.manifestList))
      for manifest in try await reader.manifests(of: snapshot) {
        guard files.insert(try reader.files.key(of: manifest.path)).inserted else { continue }
        for entry in try await reader.entries(of: manifest, metadata) where entry.isLive {
          files.insert(try reader.files.key(of: entry.file.path))
        }
      }
    }
    return files
  }
}

extension TableMetadata {
  /// Without the snapshots that may go, and the names that are to be kept no longer.
  fileprivate func expiring(
    olderThan instant: EventTime, keep: Int, nowMilliseconds now: Int64
  ) -> TableMetadata {
    func isYoung(_ snapshot: IcebergSnapshot, _ age: Int64?) -> Bool {
      age.map { snapshot.timestampMilliseconds >= now - max(0, $0) }
        ?? (snapshot.committedAt >= instant)
    }
    var next = self
    next.references = references.filter { name, reference in
      guard name != Self.mainBranch, let age = reference.maxReferenceAge else { return true }
      return snapshot(reference.snapshot).map { isYoung($0, age) } ?? false
    }
    var kept: Set<Int64> = []
    var reached: Set<Int64> = []
    for reference in next.references.values {
      kept.insert(reference.snapshot)
      guard reference.isBranch else { continue }
      let chain = ancestors(of: reference.snapshot)
      reached.formUnion(chain.map(\.id))
      let least = max(keep, reference.minSnapshotsToKeep ?? 1)
      for (index, snapshot) in chain.enumerated()
      where index < least || isYoung(snapshot, reference.maxSnapshotAge) {
        kept.insert(snapshot.id)
      }
    }
    next.snapshots = snapshots.filter {
      kept.contains($0.id) || !reached.contains($0.id) && $0.committedAt >= instant
    }
    next.dropDeadStatistics()
    let remaining = Set(next.snapshots.map(\.id))
    // What came before a gap is no history any more (spec, "Snapshot Log").
    if let gap = snapshotLog.lastIndex(where: { !remaining.contains($0.snapshot) }) {
      next.snapshotLog = Array(snapshotLog[(gap + 1)...])
    }
    return next
  }
}
