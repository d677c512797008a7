import Ports

/// Names of snapshots (spec, "Snapshot References").
extension IcebergLake {
  /// Names a snapshot, which then outlives expiry. A tag of that name moves if it may be replaced.
  public func tag(
    _ name: String, _ snapshot: SnapshotID, of table: TableName, replacing: Bool = false
  ) async throws(PortError) {
    try await refer(name, to: snapshot, of: table, isBranch: false, replacing: replacing)
  }

  /// Lets a branch begin at a snapshot: other engines commit to it, and it outlives expiry with as
  /// many of its ancestors as it says. A branch of that name moves if it may be replaced.
  public func branch(
    _ name: String, _ snapshot: SnapshotID, of table: TableName, replacing: Bool = false
  ) async throws(PortError) {
    try await refer(name, to: snapshot, of: table, isBranch: true, replacing: replacing)
  }

  /// Takes a tag or branch away: what only it reached goes with the next expiry.
  public func removeReference(_ name: String, of table: TableName) async throws(PortError) {
    _ = try await change(table, "tag") { metadata throws(LakehouseError) in
      guard name != TableMetadata.mainBranch else {
        throw LakehouseError(reason: "the branch \(name) can't be removed")
      }
      guard metadata.references[name] != nil else {
        throw LakehouseError(reason: "there is no tag or branch '\(name)'")
      }
      var next = metadata
      next.references[name] = nil
      return next
    }
  }

  private func refer(
    _ name: String, to snapshot: SnapshotID, of table: TableName, isBranch: Bool,
    replacing: Bool
  ) async throws(PortError) {
    _ = try self.snapshot(snapshot, of: try await reader.load(table, "tag"))
    _ = try await change(table, "tag") { metadata throws(LakehouseError) in
      guard !name.isEmpty else { throw LakehouseError(reason: "a snapshot's name can't be empty") }
      guard name != TableMetadata.mainBranch else {
        throw LakehouseError(reason: "the branch \(name) moves with commits only")
      }
      // How long it is to be kept stays as it was.
      let old = metadata.references[name]
      if let old, old.isBranch != isBranch {
        throw LakehouseError(
          reason: "'\(name)' is a \(old.isBranch ? "branch" : "tag") already; remove it first")
      }
      if let old, old.snapshot != snapshot, !replacing {
        throw LakehouseError(reason: "'\(name)' names snapshot \(old.snapshot) already")
      }
      var reference = old ?? SnapshotReference(snapshot: snapshot, isBranch: isBranch)
      reference.snapshot = snapshot
      var next = metadata
      next.references[name] = reference
      return next
    }
  }
}
