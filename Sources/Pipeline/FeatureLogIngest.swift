import Moderation
import Ports

/// Moves scored vectors from the log into `moderation.feature_log`, one row per request and
/// inference mode.
///
/// The commit carries the offsets up to which the table holds the log, so that a rerun starts
/// there. A request that was logged twice, because its scorer crashed, counts as it was logged
/// first: with the row that is stored.
public struct FeatureLogIngest: Job {
  /// `feature-log`.
  public static let name = "feature-log"

  private let log: any EventLog
  private let lake: any Lake
  private let environment: Environment
  private let policy: PipelinePolicy

  /// A job over its ports.
  public init(
    log: any EventLog, lake: any Lake, environment: Environment, policy: PipelinePolicy
  ) {
    self.log = log
    self.lake = lake
    self.environment = environment
    self.policy = policy
  }

  /// Which score an entry is about.
  private struct Key: Hashable {
    var request: String
    var mode: String
  }

  /// Appends what the log has beyond the table.
  public func run() async throws(PortError) -> [String: Int] {
    try await environment.attempting { () async throws(PortError) in try await runOnce() }
  }

  private func runOnce() async throws(PortError) -> [String: Int] {
    let table = LakeTables.featureLog
    let ends = try await log.ends(of: Topic.featureLog)
    try await lake.createTable(table, schema: LakeTables.featureLogSchema)
    let parent = try await lake.current(table)
    let starts = LogOffsets.noted(by: parent, count: ends.count)
    guard zip(starts, ends).contains(where: { $0 < $1 }) else {
      return ["rows": 0, "unreadable": 0]
    }
    let records = try await log.records(
      of: Topic.featureLog, from: starts, to: ends, limit: policy.batchLimit)
    var decoded: [FeatureLogEntry] = []
    var unreadable = 0
    for record in records {
      do throws(EventDecodingError) {
        decoded.append(try FeatureLogEntry(decoding: record.value))
      } catch {
        unreadable += 1
        environment.record(
          "bad-feature-log",
          [
            .text("at", "\(record.partition)@\(record.offset)"),
            .text("reason", error.description),
          ])
      }
    }
    var seen = try await known(table, parent, decoded)
    let entries = decoded.filter { entry in
      seen.insert(Key(request: entry.requestID.description, mode: entry.inferenceMode)).inserted
    }
    let change = TableChange(
      id: environment.ids.snapshotID(), committedAt: environment.now.asEventTime,
      append: Self.batch(entries),
      summary: LogOffsets.note(zip(starts, ends).map { max($0, $1) }))
    _ = try await lake.commit(change, to: table, expecting: parent?.id)
    environment.record(
      "committed", [.text("table", table.description), .integer("rows", entries.count)])
    return ["rows": entries.count, "unreadable": unreadable]
  }

  /// The scores that the table has already, of the instants that these are of.
  private func known(
    _ table: TableName, _ snapshot: TableSnapshot?, _ entries: [FeatureLogEntry]
  ) async throws(PortError) -> Set<Key> {
    let instants = entries.map(\.asOf.microseconds)
    guard let snapshot, let first = instants.min(), let last = instants.max() else { return [] }
    let rows = try await lake.rows(
      table, schema: LakeTables.featureLogSchema.only(["request_id", "inference_mode"]),
      snapshot: snapshot.id, within: .init("as_of", first...last))
    return Set(
      zip(rows.strings("request_id"), rows.strings("inference_mode")).map {
        Key(request: $0, mode: $1)
      })
  }

  /// Entries as rows of ``LakeTables/featureLogSchema``.
  private static func batch(_ entries: [FeatureLogEntry]) -> RecordBatch {
    var columns: [RecordBatch.Column] = [
      .init(.strings(entries.map { $0.requestID.description })),
      .init(.strings(entries.map { $0.image.description })),
      .init(.strings(entries.map { $0.trigger.name })),
      .init(.integers(entries.map { $0.asOf.microseconds })),
      .init(.integers(entries.map { $0.scoredAt.microseconds })),
      .init(.strings(entries.map(\.inferenceMode))),
      .strings(entries.map(\.modelVersion)), .strings(entries.map(\.policyVersion)),
      .init(.doubles(entries.map(\.riskScore))),
      .init(.booleans(entries.map(\.isUploaderEligible))),
    ]
    for (index, name) in FeatureVector.numericNames.enumerated() {
      columns.append(.feature(name, entries.map { $0.governed[index] }))
    }
    for (index, name) in FeatureVector.numericNames.enumerated()
    where FeatureVector.countedNames.contains(name) {
      columns.append(.feature(name, entries.map { $0.observed[index] }))
    }
    columns.append(.strings(entries.map(\.category)))
    return RecordBatch(schema: LakeTables.featureLogSchema, columns: columns)
  }
}
