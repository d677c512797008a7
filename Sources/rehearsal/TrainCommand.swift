import ArgumentParser
import Foundation
import Lakehouse
import Moderation
import ONNXExport
import Pipeline
import Ports

/// `rehearsal train`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a model from a pinned snapshot of a training table, whoever wrote it.",
    discussion: """
      DIR gets model.json (weights by feature, scaler, encoder), model.onnx and metadata.json. The
      same snapshot and options give the same bytes. Rows are read one row group at a time.

      Examples:
        rehearsal train --catalog sqlite:out/run/lake/catalog.db --out out/model
        rehearsal train --catalog sqlite:catalog.db --table moderation.training_data \\
          --snapshot 1143932478212951590 --mode lab --out out/lab-model
      """)

  @OptionGroup var place: PinnedTable

  @Option(help: "The table with the labels; of moderation.feature_log: the training set.")
  var labels: TableName?

  @Option(help: "The snapshot of the table with the labels; the current one when not given.")
  var labelsSnapshot: SnapshotID?

  @Option(help: "standard, or lab: one pass, fitted to the first batch, unripe labels as 0.")
  var mode = TrainingOptions.Mode.standard

  @Option(help: "Held back: time (the last images; default), or image (by id; for logs).")
  var split: TrainingOptions.Split?

  @Option(help: "The share that is held back, 0 to below 1.")
  var validation = TrainingOptions().validationShare

  @Option(help: "The most passes over the rows.")
  var epochs = TrainingOptions().epochs

  @Option(help: "Regularisation, above 0 and below 1.")
  var alpha = TrainingOptions().alpha

  @Option(help: "A folder for the model.")
  var out: String

  func validate() throws {
    guard validation >= 0, validation < 1 else {
      throw ValidationError("--validation must be at least 0 and below 1.")
    }
    guard alpha > 0, alpha < 1 else {
      throw ValidationError("--alpha must be above 0 and below 1.")
    }
    guard epochs > 0 else { throw ValidationError("--epochs must be at least 1.") }
    guard labelsSnapshot == nil || labelTable != nil else {
      throw ValidationError("--labels-snapshot goes with --labels.")
    }
    guard labelTable == nil || split != .time else {
      throw ValidationError(
        "--split time: a log's rows stand in the order of scores, not of images; write image.")
    }
  }

  /// The table with the labels; nil where the rows have their own.
  private var labelTable: TableName? {
    labels ?? (place.table == LakeTables.featureLog ? LakeTables.trainingData : nil)
  }

  private var options: TrainingOptions {
    var options = TrainingOptions()
    options.table = labelTable == nil ? .trainingData : .featureLog
    options.mode = mode
    options.split = split ?? (labelTable == nil ? .time : .image)
    options.validationShare = validation
    options.epochs = epochs
    options.alpha = alpha
    return options
  }

  func run() throws {
    let lake = try place.open()
    let pinned = try place.pinned(lake)
    var source = ModelSource(.init(place.table, pinned.id))
    var trainedAt = pinned.committedAt
    if let labelTable {
      let labels = try PinnedTable.pinned(lake, labelTable, labelsSnapshot)
      trainedAt = max(trainedAt, labels.committedAt)
      source.labels = .init(labelTable, labels.id)
    }
    let start = Stopwatch.now
    let trained = try train(lake, source, trainedAt)
    let seconds = Stopwatch.seconds(since: start)
    Terminal.endProgress()
    let metadata = ModelMetadata(
      trainedAt: trainedAt, source: source, options: options, trained: trained)
    try write(trained.model, metadata)
    show(trained, source, seconds)
  }

  private func train(
    _ lake: IcebergLake, _ source: ModelSource, _ instant: EventTime
  ) throws -> TrainedModel {
    let options = options
    let scan = PinnedTable.scan(lake)
    return try Blocking.run { () async throws(PortError) in
      let countries = try await UploaderCountries.read(lake, asOf: instant)
      return try await ModelTrainer(options, countries: countries)
        .train(TrainingRows(source, scan: scan))
    }
  }

  private func write(_ model: LearnedModel, _ metadata: ModelMetadata) throws {
    let onnx = try ONNXModel(model)
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
      for (name, bytes) in [
        (ModelRegistry.modelFile, model.json), (ONNXModel.file, onnx.bytes),
        (ModelRegistry.metadataFile, metadata.json),
      ] {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(out)/\(name)"))
      }
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: '\(out)' can't be written: \(error)")
    }
  }

  private func show(_ trained: TrainedModel, _ source: ModelSource, _ seconds: Double) {
    let counts = trained.counts
    print("\(source): \(counts.rows) rows, \(counts.unripe) without a ripe label")
    print(
      "trained on \(counts.trained) (\(counts.positive) positive) in \(counts.batches) batches, "
        + "held back \(counts.heldBack), \(trained.epochs) epochs, "
        + String(format: "%.2f s", seconds))
    if let metrics = trained.validation?.metrics {
      func text(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "n/a" }
      print(
        "validation: AUC \(text(metrics.areaUnderROC)), average precision "
          + "\(text(metrics.averagePrecision)), log loss \(text(metrics.logLoss)), "
          + "Brier \(text(metrics.brierScore))")
    }
    print("written to \(out): model.json, model.onnx, metadata.json")
  }
}

extension TrainingOptions.Mode: ExpressibleByArgument {}
extension TrainingOptions.Split: ExpressibleByArgument {}
