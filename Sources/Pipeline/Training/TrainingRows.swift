import Moderation
import Ports

/// The rows of pinned snapshots that a model is trained on, batch by batch, as often as they are
/// asked for, always the same ones in the same order.
///
/// Rows of `moderation.feature_log` have no label: the one of an anchor gets the label of its image
/// and decision point from the training set, so that no flag is both a feature and the label, and
/// what governance keeps out of that table is kept out here. Other triggers' rows have no label of
/// their own, and a shadow's have the vectors of the rows beside them: both are left out. The
/// labels are held in memory.
public struct TrainingRows: Sendable {
  /// Gives the rows of a snapshot, some columns, batch by batch.
  public typealias Scan =
    @Sendable (
      ModelSource.Pinned, _ columns: Set<String>, _ body: (RecordBatch) throws(PortError) -> Void
    ) async throws(PortError) -> Void

  /// What is read.
  public let source: ModelSource
  private let scan: Scan
  private let labels: [Key: Bool?]

  private struct Key: Hashable {
    var image: String
    var trigger: String
  }

  /// Rows of a source.
  public init(_ source: ModelSource, scan: @escaping Scan) async throws(PortError) {
    self.source = source
    self.scan = scan
    var labels: [Key: Bool?] = [:]
    if let pinned = source.labels {
      let schema = LakeTables.trainingSchema.only([ExampleReader.image, Self.point])
      try await scan(pinned, [ExampleReader.image, Self.point, ExampleReader.label]) {
        batch throws(PortError) in
        let found = try ExampleReader(batch).labels
        let keys = try Self.shaped(batch, as: schema, of: pinned)
        let (images, points) = (keys.strings(ExampleReader.image), keys.integers(Self.point))
        for index in images.indices {
          let trigger = Trigger.anchor(minutes: Int(points[index])).name
          labels[Key(image: images[index], trigger: trigger)] = .some(found[index])
        }
      }
    }
    self.labels = labels
  }

  /// Rows out of a lake: the port reads a snapshot whole.
  public init(_ source: ModelSource, in lake: any Lake) async throws(PortError) {
    try await self.init(source) { (pinned, columns, body) async throws(PortError) in
      try body(
        try await lake.scan(
          pinned.table, RowSelection(snapshot: pinned.snapshot, columns: columns)))
    }
  }

  /// Gives the rows.
  public func each(
    _ columns: Set<String>, _ body: (RecordBatch) throws(PortError) -> Void
  ) async throws(PortError) {
    guard source.labels != nil else {
      try await scan(source.rows, columns, body)
      return
    }
    let wanted = columns.subtracting([ExampleReader.label])
      .union([ExampleReader.image, Self.mode, Self.trigger])
    try await scan(source.rows, wanted) { batch throws(PortError) in
      let rows = try labelled(batch)
      if rows.count > 0 { try body(rows) }
    }
  }

  /// The images whose rows are trained on, each once.
  public func images() async throws(PortError) -> [String] {
    var found: Set<String> = []
    try await each([ExampleReader.image]) { batch throws(PortError) in
      found.formUnion(batch.strings(ExampleReader.image))
    }
    return found.sorted()
  }

  private static let mode = "inference_mode"
  private static let trigger = "trigger"
  private static let point = "decision_point_minutes"

  private func labelled(_ batch: RecordBatch) throws(PortError) -> RecordBatch {
    let schema = LakeTables.featureLogSchema.only([ExampleReader.image, Self.mode, Self.trigger])
    let keys = try Self.shaped(batch, as: schema, of: source.rows)
    let modes = keys.strings(Self.mode)
    let found = zip(keys.strings(ExampleReader.image), keys.strings(Self.trigger)).map {
      labels[Key(image: $0, trigger: $1)]
    }
    let keep = found.indices.map { modes[$0] != "shadow" && found[$0] != nil }
    var rows = batch.filtered(keep)
    rows.schema.fields.append(.init(ExampleReader.label, .int64, isRequired: false))
    rows.columns.append(
      .integers(
        found.indices.filter { keep[$0] }.map { index in
          found[index].flatMap { $0 }.map { $0 ? 1 : 0 }
        }))
    return rows
  }

  private static func shaped(
    _ batch: RecordBatch, as schema: TableSchema, of pinned: ModelSource.Pinned
  ) throws(PortError) -> RecordBatch {
    do throws(ColumnMismatch) {
      return try batch.shaped(as: schema)
    } catch {
      throw PortError(.invalid, port: "Lake", operation: "scan", hint: "\(pinned.table): \(error)")
    }
  }
}
