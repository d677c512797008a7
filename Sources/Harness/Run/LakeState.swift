import Moderation
import Pipeline
import Ports

/// The lake at the end of a run, and as the last training-set build saw it.
struct LakeState {
  /// The tables' rows, under the columns that the jobs know.
  private(set) var tables: [TableName: RecordBatch] = [:]
  /// The names of all their columns.
  private(set) var columns: [String: [String]] = [:]
  /// Their histories.
  private(set) var snapshots: [TableName: [TableSnapshot]] = [:]
  /// How far the last training-set build knew the history; nil when none ran.
  private(set) var knownUntil: EventTime?
  /// The training rows.
  private(set) var trainingRows: [TrainingRow] = []
  /// The training rows as that build wrote them; what is left of them once its snapshot expired.
  private(set) var builtRows: [TrainingRow] = []
  /// The events that it saw.
  private(set) var builtHistory: [Metric: RecordBatch] = [:]
  /// Tables without a column that the jobs need, which then stand as empty, and snapshots that have
  /// other rows than they say.
  private(set) var unreadable: [String] = []
  /// The snapshots whose rows ``tables`` has.
  private var read: [TableName: SnapshotID] = [:]

  init(_ lake: any Lake, readsHistory: Bool) async throws(PortError) {
    for table in try await lake.tables() {
      let rows = try await lake.scan(table, snapshot: nil)
      let history = try await lake.snapshots(of: table)
      columns[table.description] = rows.schema.fields.map(\.name)
      do throws(PortError) {
        tables[table] = try LakeTables.known(rows, of: table)
        read[table] = history.last?.id
      } catch {
        unreadable.append(error.hint)
        tables[table] = LakeTables.schema(of: table).map { RecordBatch(schema: $0) }
      }
      snapshots[table] = history
    }
    trainingRows = tables[LakeTables.trainingData].map { TrainingRow.rows(of: $0) } ?? []
    try await readBuild(lake)
    if readsHistory { try await readHistory(lake) }
  }

  private mutating func readBuild(_ lake: any Lake) async throws(PortError) {
    let built = snapshots[LakeTables.trainingData]?.last {
      $0.summary[TrainingSetBuild.jobKey] == TrainingSetBuild.name
    }
    guard let built else {
      // Expiry took the build's snapshot: the table has what is left of its rows.
      builtRows = trainingRows
      return
    }
    knownUntil = built.summary[TrainingSetBuild.knownUntilKey].flatMap { Int64($0) }
      .map { EventTime(microseconds: $0) }
    builtRows =
      read[LakeTables.trainingData] == built.id
      ? trainingRows
      : TrainingRow.rows(
        of: try await lake.rows(
          LakeTables.trainingData, schema: LakeTables.trainingSchema, snapshot: built.id))
    for metric in Metric.allCases {
      let table = LakeTables.events(metric)
      let known = snapshots[table]?.last { $0.committedAt <= built.committedAt }
      guard let known else { continue }
      builtHistory[metric] =
        if read[table] == known.id, let rows = tables[table] {
          rows
        } else {
          try await lake.rows(table, schema: LakeTables.eventSchema, snapshot: known.id)
        }
    }
  }

  private mutating func readHistory(_ lake: any Lake) async throws(PortError) {
    for (table, history) in snapshots.sorted(by: { $0.key < $1.key }) {
      for snapshot in history {
        let count = try await lake.scan(table, snapshot: snapshot.id).count
        guard count != snapshot.rowCount else { continue }
        unreadable.append(
          "\(table)@\(snapshot.id) has \(count) rows and says \(snapshot.rowCount)")
      }
    }
  }
}
