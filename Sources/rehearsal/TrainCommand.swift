import ArgumentParser
import Foundation
import Lakehouse
import Moderation
import ONNXExport
import Pipeline
import Ports
import Synchronization

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

  @Option(help: "sqlite:FILE, a SQL catalog as PyIceberg has it.")
  var catalog: String

  @Option(help: "The catalog's name in that file.")
  var catalogName = LakeFolder.catalogName

  @Option(help: "The table, NAMESPACE.NAME.")
  var table = LakeTables.trainingData

  @Option(help: "The snapshot; the current one when not given.")
  var snapshot: SnapshotID?

  @Option(help: "standard, or lab: one pass, fitted to the first batch, unripe labels as 0.")
  var mode = TrainingOptions.Mode.standard

  @Option(help: "What is held back: time (the last images of the table) or image (by id).")
  var split = TrainingOptions.Split.time

  @Option(help: "The share that is held back, 0 to below 1.")
  var validation = TrainingOptions().validationShare

  @Option(help: "The most passes over the rows.")
  var epochs = TrainingOptions().epochs

  @Option(help: "Regularisation, above 0 and below 1.")
  var alpha = TrainingOptions().alpha

  @Option(help: "A folder for the model.")
  var out: String

  func validate() throws {
    guard catalog.hasPrefix("sqlite:"), catalog.count > "sqlite:".count else {
      throw ValidationError("--catalog is sqlite:FILE, not '\(catalog)'.")
    }
    guard validation >= 0, validation < 1 else {
      throw ValidationError("--validation must be at least 0 and below 1.")
    }
    guard alpha > 0, alpha < 1 else {
      throw ValidationError("--alpha must be above 0 and below 1.")
    }
    guard epochs > 0 else { throw ValidationError("--epochs must be at least 1.") }
  }

  func run() throws {
    let lake = try open()
    let (table, wanted) = (table, snapshot)
    let snapshots = try Blocking.run { () async throws(PortError) in
      try await lake.snapshots(of: table)
    }
    let found = wanted.map { id in snapshots.first { $0.id == id } } ?? snapshots.last
    guard let pinned = found else {
      let missing = wanted.map { "no snapshot \($0)" } ?? "no snapshot"
      throw CommandFailure(code: 2, message: "rehearsal: \(table) has \(missing)")
    }
    let start = Stopwatch.now
    let trained = try train(lake, pinned)
    let seconds = Stopwatch.seconds(since: start)
    Terminal.endProgress()
    let metadata = ModelMetadata(
      trainedAt: pinned.committedAt, table: table, snapshot: pinned.id, options: options,
      trained: trained)
    try write(trained.model, metadata)
    show(trained, pinned, seconds)
  }

  private var options: TrainingOptions {
    var options = TrainingOptions()
    options.mode = mode
    options.split = split
    options.validationShare = validation
    options.epochs = epochs
    options.alpha = alpha
    return options
  }

  private func open() throws -> IcebergLake {
    let file = String(catalog.dropFirst("sqlite:".count))
    guard FileManager.default.fileExists(atPath: file) else {
      throw CommandFailure(code: 2, message: "rehearsal: there is no catalog '\(file)'")
    }
    return try LakePlace.open(file, catalog: catalogName, isReadOnly: true)
  }

  private func train(_ lake: IcebergLake, _ pinned: TableSnapshot) throws -> TrainedModel {
    let (table, options) = (table, options)
    let progress = TrainingProgress()
    return try Blocking.run { () async throws(PortError) in
      try await ModelTrainer(options).train { (columns, body) async throws(PortError) in
        try await lake.batches(table, snapshot: pinned.id, columns: columns) {
          (batch) throws(PortError) in
          progress.note(batch.count)
          try body(batch)
        }
      }
    }
  }

  private func write(_ model: LearnedModel, _ metadata: ModelMetadata) throws {
    let onnx: ONNXModel
    do {
      let encoding = model.encoding
      onnx = try ONNXModel(
        numericNames: encoding.numericNames, means: encoding.scaler.means,
        scales: encoding.scaler.scales, categoricalNames: encoding.categoricalNames,
        categories: encoding.encoder.categories, weights: model.weights,
        intercept: model.intercept)
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: no ONNX of this model: \(error)")
    }
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
      for (name, bytes) in [
        (ModelRegistry.modelFile, model.json), ("model.onnx", onnx.bytes),
        (ModelRegistry.metadataFile, metadata.json),
      ] {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(out)/\(name)"))
      }
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: '\(out)' can't be written: \(error)")
    }
  }

  private func show(_ trained: TrainedModel, _ pinned: TableSnapshot, _ seconds: Double) {
    let counts = trained.counts
    print("\(table)@\(pinned.id): \(counts.rows) rows, \(counts.unripe) without a ripe label")
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

/// Says on a terminal how many rows were read.
private final class TrainingProgress: Sendable {
  private let rows = Atomic(0)
  private let state = ProgressState()
  private let start = Stopwatch.now

  func note(_ count: Int) {
    let total = rows.wrappingAdd(count, ordering: .relaxed).newValue
    let now = Stopwatch.now
    guard now - start > 2_000_000_000, state.isDue(now) else { return }
    Terminal.progressLine("\(total) rows read")
  }
}
