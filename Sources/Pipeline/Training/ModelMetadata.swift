import Moderation
import Ports

/// `metadata.json`: what a model was made of (REFERENCE §7, and what it takes to make it again).
public struct ModelMetadata: Sendable {
  /// The training code's version: another one may come to other weights.
  public static let codeVersion = "1"

  /// When.
  public var trainedAt: EventTime
  /// The table whose snapshot was pinned.
  public var table: TableName
  /// The snapshot.
  public var snapshot: SnapshotID
  /// How.
  public var options: TrainingOptions
  /// What came of it.
  public var trained: TrainedModel

  /// What is to be noted of a training.
  public init(
    trainedAt: EventTime, table: TableName, snapshot: SnapshotID, options: TrainingOptions,
    trained: TrainedModel
  ) {
    self.trainedAt = trainedAt
    self.table = table
    self.snapshot = snapshot
    self.options = options
    self.trained = trained
  }

  /// The file's bytes.
  public var json: [UInt8] {
    let counts = trained.counts
    var json = JSONWriter(capacity: 4096)
    json.field("trained_at", trainedAt)
    json.field("table", table.description)
    json.field("snapshot_id", snapshot)
    json.field("rows_seen", Int64(counts.trained))
    json.field("batches_seen", Int64(counts.batches))
    json.field("algorithm", "SGDClassifier(loss=log_loss)")
    json.field("mode", options.mode.rawValue)
    json.field("rows", Int64(counts.rows))
    json.field("rows_unripe", Int64(counts.unripe))
    json.field("rows_held_back", Int64(counts.heldBack))
    json.field("positive", Int64(counts.positive))
    json.field("epochs", Int64(trained.epochs))
    json.field("split", options.mode == .lab ? nil : options.split.rawValue)
    json.field("validation_share", options.mode == .lab ? nil : options.validationShare)
    json.field("balances_classes", options.mode == .standard && options.balancesClasses)
    json.field("alpha", options.alpha)
    json.field("seed", Int64(TrainingOptions.seed))
    json.field("features", json: Self.list(ModelInputs.numericNames + ModelInputs.categoricalNames))
    json.field("label", ExampleReader.label)
    json.field(
      "label_definition",
      options.mode == .lab
        ? "as the table has it; a row without a label counts as 0"
        : "as the table has it; rows without a label, which isn't ripe, are left out")
    json.field("code_version", Self.codeVersion)
    json.field("data_fingerprint", Self.hexadecimal(counts.fingerprint))
    if let metrics = trained.validation?.metrics {
      json.field("validation", json: Self.json(metrics))
      let segments = trained.validation?.segments ?? []
      json.field("segments", json: Self.joined(segments.map(Self.json)))
    }
    return json.finish()
  }

  private static func json(_ segment: TrainedModel.Validation.Segment) -> [UInt8] {
    var json = JSONWriter()
    json.field("segment", segment.name)
    json.field("count", Int64(segment.metrics.count))
    json.field("positive", Int64(segment.metrics.positiveCount))
    json.field("auc_roc", segment.metrics.areaUnderROC)
    json.field("average_precision", segment.metrics.averagePrecision)
    return json.finish()
  }

  private static func json(_ metrics: ClassifierMetrics) -> [UInt8] {
    var json = JSONWriter(capacity: 1024)
    json.field("count", Int64(metrics.count))
    json.field("positive", Int64(metrics.positiveCount))
    json.field("auc_roc", metrics.areaUnderROC)
    json.field("average_precision", metrics.averagePrecision)
    json.field("log_loss", metrics.logLoss)
    json.field("brier", metrics.brierScore)
    json.field("precision_at_10", metrics.precision(at: 10))
    json.field("precision_at_100", metrics.precision(at: 100))
    let bins = metrics.calibration.filter { $0.count > 0 }.map { bin in
      var json = JSONWriter()
      json.field("lower", bin.lower)
      json.field("upper", bin.upper)
      json.field("count", Int64(bin.count))
      json.field("mean_score", bin.meanScore)
      json.field("positive_rate", bin.positiveRate)
      return json.finish()
    }
    json.field("calibration", json: joined(bins))
    return json.finish()
  }

  private static func list(_ names: [String]) -> [UInt8] {
    joined(
      names.map { name in
        var bytes: [UInt8] = []
        JSONWriter.appendString(name, to: &bytes)
        return bytes
      })
  }

  private static func joined(_ parts: [[UInt8]]) -> [UInt8] {
    [UInt8(ascii: "[")] + parts.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
  }

  private static func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
