import Moderation
import Ports

/// Makes deletions physical: files with deleted rows are rewritten without them, old snapshots go
/// from every lake table, with the files that only they reach, and so do the files of deleted
/// images.
public struct LakeExpiry: Job {
  /// `expire`.
  public static let name = "expire"

  private let store: any ApplicationStore
  private let objects: any ObjectStore
  private let lake: any Lake
  private let environment: Environment
  private let policy: PipelinePolicy

  /// A job over its ports.
  public init(
    store: any ApplicationStore, objects: any ObjectStore, lake: any Lake,
    environment: Environment, policy: PipelinePolicy
  ) {
    self.store = store
    self.objects = objects
    self.lake = lake
    self.environment = environment
    self.policy = policy
  }

  /// Expires what is older than the policy's retention.
  public func run() async throws(PortError) -> [String: Int] {
    // A millisecond more, tables' own grain: what was committed just now is old enough, too, when
    // nothing is retained.
    let instant = environment.now.asEventTime - policy.snapshotRetention + .milliseconds(1)
    var counts = ["snapshots": 0, "files": 0, "objects": 0]
    for table in try await lake.tables() {
      let report = try await environment.attempting { () async throws(PortError) in
        // A row that is only marked as deleted would stay in its file for ever.
        _ = try await lake.compact(
          table, id: environment.ids.snapshotID(), at: environment.now.asEventTime)
        return try await lake.expire(table, olderThan: instant)
      }
      counts["snapshots", default: 0] += report.expiredSnapshots.count
      counts["files", default: 0] += report.deletedFiles.count
    }
    for image in try await store.snapshot().images {
      guard let deletedAt = image.deletedAt, deletedAt < instant,
        let key = image.s3URL.split(separator: "/").last.map(String.init)
      else { continue }
      try await objects.delete(key)
      counts["objects", default: 0] += 1
    }
    environment.record(
      "expired",
      [
        .integer("snapshots", counts["snapshots"] ?? 0), .integer("files", counts["files"] ?? 0),
        .integer("objects", counts["objects"] ?? 0),
      ])
    return counts
  }
}

/// Rewrites the small files of every lake table, and those with deleted rows, into fewer.
public struct LakeCompaction: Job {
  /// `compaction`.
  public static let name = "compaction"

  private let lake: any Lake
  private let environment: Environment

  /// A job over its ports.
  public init(lake: any Lake, environment: Environment) {
    self.lake = lake
    self.environment = environment
  }

  /// Compacts all tables; a commit in between makes a table's turn start again.
  public func run() async throws(PortError) -> [String: Int] {
    var counts = ["rewritten": 0, "written": 0]
    for table in try await lake.tables() {
      let report = try await environment.attempting { () async throws(PortError) in
        try await lake.compact(
          table, id: environment.ids.snapshotID(), at: environment.now.asEventTime)
      }
      counts["rewritten", default: 0] += report.rewrittenFiles
      counts["written", default: 0] += report.writtenFiles
    }
    environment.record(
      "compacted",
      [
        .integer("rewritten", counts["rewritten"] ?? 0),
        .integer("written", counts["written"] ?? 0),
      ])
    return counts
  }
}
