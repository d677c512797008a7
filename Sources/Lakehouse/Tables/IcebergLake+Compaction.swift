import Moderation
import Ports

extension IcebergLake {
  /// See ``Lake``, rule 10: files under 128 MiB are small.
  public func compact(
    _ table: TableName, id: SnapshotID, at instant: EventTime
  ) async throws(PortError) -> MaintenanceReport {
    try await compact(table, id: id, at: instant, targetBytes: 128 << 20)
  }

  /// Rewrites data files smaller than `targetBytes`, and those with deleted rows, and drops every
  /// delete file; the rows stay the same, and within a partition their order.
  ///
  /// Files of older partitionings are divided as the table is now. Neighbours in a partition's
  /// order become one file. It belongs to the latest commit among
  /// theirs, so that it stands where they stood; a file that stays between two keeps them apart.
  /// A commit in between makes compaction start again, a few times.
  public func compact(
    _ table: TableName, id: SnapshotID, at instant: EventTime, targetBytes: Int64
  ) async throws(PortError) -> MaintenanceReport {
    for _ in 0..<5 {
      let state = try await reader.load(table, "compact")
      guard let current = state.metadata.currentSnapshot, state.metadata.snapshot(id) == nil else {
        return MaintenanceReport()
      }
      let columns = try Self.columns(state.metadata.schema, of: table, "compact")
      let scan = try await TableScan(reader, state.metadata, current)
      let runs = scan.runsToCompact(targetBytes)
      let deletes = scan.live.positionDeletes + scan.live.equalityDeletes
      guard !runs.isEmpty || !deletes.isEmpty else { return MaintenanceReport() }
      // Notes are about the rows, and the rows are the same: offsets, for one.
      var notes = Summary.noted(current.summary)
      notes[Summary.committedAtKey] = "\(instant.microseconds)"
      var change = SnapshotChange(
        id: id, committedAtMilliseconds: instant.microseconds / 1000, operation: "replace",
        summary: notes)
      var writer = FileWriter(state, reader.files, snapshot: id)
      for run in runs {
        var rows = RecordBatch(schema: TableSchema(columns))
        for entry in run {
          try await scan.rows(of: entry, state.metadata.schema) { batch throws(PortError) in
            rows.append(batch)
          }
        }
        guard rows.count > 0 else { continue }
        for file in try await writer.append(rows) {
          change.added.append(file)
          change.sequences[file.path] = run.map(\.sequence).max()
        }
      }
      change.removed = Set((runs.joined() + deletes).map(\.file.path))
      // No deletes are left: the rows are those of the files.
      let files =
        change.added + scan.live.data.map(\.file).filter { !change.removed.contains($0.path) }
      change.summary[Summary.rowCountKey] = "\(files.reduce(0) { $0 + $1.recordCount })"
      var commit = SnapshotCommit(reader, state, change)
      let metadata = try await commit.write()
      guard try await publish(metadata, of: state) else { continue }
      var report = MaintenanceReport()
      report.rewrittenFiles = runs.joined().count
      report.writtenFiles = change.added.count
      return report
    }
    throw error(.conflict, "compact", "\(table) changed at every attempt")
  }
}

extension TableScan {
  /// The files to rewrite, by neighbours: those with deleted rows, those that were divided as the
  /// table isn't any more, and small ones that have a neighbour to join.
  fileprivate func runsToCompact(_ targetBytes: Int64) -> [[ManifestEntry]] {
    var order: [DataFile.Place] = []
    var open: [DataFile.Place: [ManifestEntry]] = [:]
    var runs: [[ManifestEntry]] = []
    func close(_ place: DataFile.Place) {
      guard let run = open.updateValue([], forKey: place) else { return }
      if run.count > 1 || run.contains(where: mustGo) { runs.append(run) }
    }
    func mustGo(_ entry: ManifestEntry) -> Bool {
      entry.file.specID != metadata.spec.id || deletions.concern(entry)
    }
    for entry in live.data {
      // What older partitionings kept apart is divided anew, together.
      let isOld = entry.file.specID != metadata.spec.id
      let place = isOld ? DataFile.Place(specID: -1, values: []) : entry.file.place
      if open[place] == nil { order.append(place) }
      if entry.file.fileSize < targetBytes || mustGo(entry) {
        open[place, default: []].append(entry)
      } else {
        close(place)
      }
    }
    for place in order { close(place) }
    return runs
  }
}
