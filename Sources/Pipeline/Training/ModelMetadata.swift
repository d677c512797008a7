import Moderation
import Ports

/// `metadata.json`: what a model was made of (REFERENCE §7, and what it takes to make it again).
public struct ModelMetadata: Sendable {
  /// The training code's version: another one may come to other weights.
  public static let codeVersion = "1"

  /// When.
  public var trainedAt: EventTime
  /// The snapshots that were pinned.
  public var source: ModelSource
  /// How rows and labels came about, where whoever trains knows; nil otherwise.
  public var policy: PipelinePolicy?
  /// How.
  public var options: TrainingOptions
  /// What came of it.
  public var trained: TrainedModel

  /// What is to be noted of a training.
  public init(
    trainedAt: EventTime, source: ModelSource, policy: PipelinePolicy? = nil,
    options: TrainingOptions, trained: TrainedModel
  ) {
    self.trainedAt = trainedAt
    self.source = source
    self.policy = policy
    self.options = options
    self.trained = trained
  }

  /// The file's bytes.
  public var json: [UInt8] {
    let counts = trained.counts
    var json = JSONWriter(capacity: 4096)
    json.field("trained_at", trainedAt)
    json.field("table", source.rows.table.description)
    json.field("snapshot_id", source.rows.snapshot)
    if let labels = source.labels {
      json.field("labels_table", labels.table.description)
      json.field("labels_snapshot_id", labels.snapshot)
    }
    if let policy { json.field("policy", json: Self.json(policy)) }
    json.field("rows_seen", Int64(counts.trained))
    json.field("batches_seen", Int64(counts.batches))
    json.field("algorithm", "SGDClassifier(loss=log_loss)")
    json.field("mode", options.mode.rawValue)
    json.field("rows", Int64(counts.rows))
    json.field("rows_unripe", Int64(counts.unripe))
    json.field("rows_held_back", Int64(counts.heldBack))
    json.field("positive", Int64(counts.positive))
    json.field("epochs", Int64(trained.epochs))
    json.field("epochs_limit", options.mode == .lab ? nil : Int64(options.epochs))
    json.field("patience", options.mode == .lab ? nil : Int64(options.patience))
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
        ? "as \(labelTable) has it; a row without a label counts as 0"
        : "as \(labelTable) has it; rows without a label, which isn't ripe, are left out")
    json.field("code_version", Self.codeVersion)
    json.field("data_fingerprint", Self.hexadecimal(counts.fingerprint))
    if let metrics = trained.validation?.metrics {
      json.field("validation", json: Self.json(metrics))
      let segments = trained.validation?.segments ?? []
      json.field("segments", json: Self.joined(segments.map(Self.json)))
    }
    return json.finish()
  }

  private var labelTable: TableName { (source.labels ?? source.rows).table }

  private static func json(_ policy: PipelinePolicy) -> [UInt8] {
    var json = JSONWriter()
    json.field("offline", policy.offline.rawValue)
    json.field("labels", policy.labels == .lab ? "lab" : "ripe")
    json.field("minors", policy.governance.ageRule.rawValue)
    json.field("scoring", policy.scoring.rawValue)
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
