import Moderation
import Ports

/// The lake's tables: names and schemas (REFERENCE §7).
public enum LakeTables {
  /// The event-level history of one metric: the bronze layer.
  public static func events(_ metric: Metric) -> TableName { TableName("events", metric.name) }

  /// The 5-minute windows of one metric.
  public static func windows(_ metric: Metric) -> TableName {
    TableName("event_aggregations", metric.windowTable)
  }

  /// The training set.
  public static let trainingData = TableName("moderation", "training_data")

  /// Every scored vector, as the scorer saw it.
  public static let featureLog = TableName("moderation", "feature_log")

  /// Since when vectors of an image may have been fed by what an erasure took.
  public static let erasureMarks = TableName("moderation", "erasure_marks")

  /// An extract of a database table.
  public static func raw(_ table: String) -> TableName { TableName("raw", table) }

  /// The columns that the jobs write to a table and ask of it; nil for a table of somebody else's.
  public static func schema(of table: TableName) -> TableSchema? { schemas[table] }

  private static let schemas: [TableName: TableSchema] = {
    var schemas = [
      trainingData: trainingSchema, featureLog: featureLogSchema, erasureMarks: erasureMarkSchema,
    ]
    for metric in Metric.allCases {
      schemas[events(metric)] = eventSchema
      schemas[windows(metric)] = windowSchema
    }
    for (name, batch) in RawExtract.batches(ApplicationSnapshot()) {
      schemas[raw(name)] = batch.schema
    }
    return schemas
  }()

  /// Rows under the columns that the jobs know; as they are, of somebody else's table.
  public static func known(
    _ rows: RecordBatch, of table: TableName
  ) throws(PortError) -> RecordBatch {
    try schema(of: table).map { (schema) throws(PortError) in
      try shaped(rows, of: table, as: schema)
    } ?? rows
  }

  fileprivate static func shaped(
    _ rows: RecordBatch, of table: TableName, as schema: TableSchema
  ) throws(PortError) -> RecordBatch {
    do throws(ColumnMismatch) {
      return try rows.shaped(as: schema)
    } catch {
      throw PortError(.invalid, port: "Lake", operation: "scan", hint: "\(table): \(error)")
    }
  }

  /// Every table that the jobs write, sorted.
  public static let all: [TableName] = schemas.keys.sorted()

  /// Columns of ``events(_:)``.
  public static let eventSchema = TableSchema([
    .init("event_id", .string), .init("image_id", .string),
    .init("user_id", .string, isRequired: false), .init("actor_eligible", .boolean),
    .init("event_time", .timestamp), .init("kafka_partition", .int64),
    .init("kafka_offset", .int64),
  ])

  /// Columns of ``windows(_:)``.
  public static let windowSchema = TableSchema(
    [
      .init("image_id", .string), .init("window_start", .timestamp),
      .init("window_end", .timestamp), .init("event_count", .int64),
      .init("processed_at", .timestamp),
    ], partitionedBy: [.init("window_start", "day")])

  /// Columns of ``featureLog``: the governed values by the names that they have in
  /// ``trainingData``, and everybody's where they may differ.
  public static let featureLogSchema = TableSchema(
    [
      .init("request_id", .string), .init("image_id", .string), .init("trigger", .string),
      .init("as_of", .timestamp), .init("scored_at", .timestamp), .init("inference_mode", .string),
      .init("model_version", .string, isRequired: false),
      .init("policy_version", .string, isRequired: false), .init("risk_score", .double),
      .init("uploader_eligible", .boolean),
    ] + FeatureVector.numericNames.map { .init($0, type($0)) }
      + FeatureVector.countedNames.map { .init("observed_\($0)", type($0)) }
      + [.init("category", .string, isRequired: false)])

  private static func type(_ feature: String) -> TableSchema.ColumnType {
    FeatureVector.fractionalNames.contains(feature) ? .double : .int64
  }

  /// Columns of ``erasureMarks``: one row per image.
  public static let erasureMarkSchema = TableSchema([
    .init("image_id", .string), .init("fed_since", .timestamp),
  ])

  /// Columns of ``trainingData``.
  public static let trainingSchema = TableSchema(
    [.init("image_id", .string), .init("decision_point_minutes", .int64)]
      + FeatureVector.numericNames.map { .init($0, type($0)) }
      + [
        .init("category", .string, isRequired: false),
        .init(TrainingRow.labelColumn, .int64, isRequired: false),
      ])
}

extension TrainingRow {
  /// Rows as a batch of ``LakeTables/trainingSchema``.
  public static func batch(_ rows: [TrainingRow]) -> RecordBatch {
    var columns: [RecordBatch.Column] = [
      RecordBatch.Column(.strings(rows.map { $0.image.description })),
      RecordBatch.Column(.integers(rows.map { Int64($0.decisionPointMinutes) })),
    ]
    for (index, name) in FeatureVector.numericNames.enumerated() {
      columns.append(.feature(name, rows.map { $0.features[index] }))
    }
    columns.append(.strings(rows.map(\.category)))
    columns.append(.integers(rows.map { row in row.label.map { $0 ? 1 : 0 } }))
    return RecordBatch(schema: LakeTables.trainingSchema, columns: columns)
  }

  /// The rows that a batch of ``LakeTables/trainingSchema`` holds.
  public static func rows(of batch: RecordBatch) -> [TrainingRow] {
    let ids = batch.strings("image_id")
    let points = batch.integers("decision_point_minutes")
    let features: [[Double]] = FeatureVector.numericNames.map { name in
      switch batch.column(name)?.values {
      case .doubles(let values)?: values
      case .integers(let values)?: values.map { Double($0) }
      default: []
      }
    }
    let categories = batch.column("category")
    let categoryNames = batch.strings("category")
    let labels = batch.column(TrainingRow.labelColumn)
    let labelValues = batch.integers(TrainingRow.labelColumn)
    return ids.indices.compactMap { row in
      guard let image = ImageID(ids[row]) else { return nil }
      return TrainingRow(
        image: image, decisionPointMinutes: Int(points[row]),
        features: features.map { $0[row] },
        category: categories?.isValid(row) == true ? categoryNames[row] : nil,
        label: labels?.isValid(row) == true ? labelValues[row] == 1 : nil)
    }
  }
}

extension RecordBatch.Column {
  /// A feature's values: whole numbers, unless they are fractions by nature.
  static func feature(_ name: String, _ values: [Double]) -> Self {
    RecordBatch.Column(
      FeatureVector.fractionalNames.contains(name)
        ? .doubles(values) : .integers(values.map { Int64($0) }))
  }
}

extension Lake {
  /// A table's current snapshot; nil when it has none or isn't there.
  func current(_ table: TableName) async throws(PortError) -> TableSnapshot? {
    do throws(PortError) {
      return try await snapshots(of: table).last
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  /// A table's rows under the columns that the jobs know; none when it isn't there.
  ///
  /// Columns that somebody added are left out. One that somebody renamed or dropped is `invalid`:
  /// rows without it would look as if there were none.
  public func rows(
    _ table: TableName, schema: TableSchema, snapshot: SnapshotID? = nil,
    within bounds: RowSelection.Bounds? = nil
  ) async throws(PortError) -> RecordBatch {
    let found: RecordBatch
    do throws(PortError) {
      found = try await scan(
        table,
        RowSelection(
          snapshot: snapshot, columns: Set(schema.fields.map(\.name)), bounds: bounds))
    } catch {
      if error.code == .notFound { return RecordBatch(schema: schema) }
      throw error
    }
    return try LakeTables.shaped(found, of: table, as: schema)
  }
}

extension IDSource {
  /// A fresh snapshot id: positive, 62 bits.
  func snapshotID() -> SnapshotID { SnapshotID(next("snapshot").0 >> 2) }
}
