import Moderation
import Ports

/// Trains a model from the training set's current snapshot, which it pins, and registers it as a
/// candidate (REFERENCE §7).
///
/// The same snapshot gives the same model, byte by byte; training again on it adds no version.
public struct ModelTraining: Job {
  /// `training`.
  public static let name = "training"

  private let lake: any Lake
  private let registry: ModelRegistry
  private let environment: Environment
  private let options: TrainingOptions

  /// A job over its ports.
  public init(
    lake: any Lake, registry: ModelRegistry, environment: Environment, options: TrainingOptions
  ) {
    self.lake = lake
    self.registry = registry
    self.environment = environment
    self.options = options
  }

  /// Trains and registers.
  public func run() async throws(PortError) -> [String: Int] {
    try await environment.attempting { () async throws(PortError) in try await runOnce() }
  }

  private func runOnce() async throws(PortError) -> [String: Int] {
    let table = LakeTables.trainingData
    guard let snapshot = try await lake.current(table) else {
      throw PortError(
        .notFound, port: "Lake", operation: "scan",
        hint: "\(table) has no snapshot; run the job training-set first")
    }
    // Pinned: what is committed meanwhile isn't trained on.
    let pinned = snapshot.id
    let trained = try await ModelTrainer(options).train {
      (columns, body) async throws(PortError) in
      try body(
        try await lake.scan(table, RowSelection(snapshot: pinned, columns: columns)))
    }
    // By the snapshot's own time, so that the same snapshot gives the same bytes.
    let metadata = ModelMetadata(
      trainedAt: snapshot.committedAt, table: table, snapshot: pinned, options: options,
      trained: trained)
    let rows = try await lake.scan(
      table, RowSelection(snapshot: pinned, columns: [ExampleReader.image]))
    let version = try await registry.register(
      [
        (ModelRegistry.modelFile, trained.model.json),
        (ModelRegistry.metadataFile, metadata.json),
        (ModelLineage.file, ModelLineage(images: rows.strings(ExampleReader.image)).bytes),
      ],
      source: "\(table)@\(pinned)", at: environment.now.asEventTime)
    environment.record(
      "trained",
      [
        .text("version", version), .integer("rows", trained.counts.trained),
        .integer("unripe", trained.counts.unripe), .integer("epochs", trained.epochs),
      ])
    return [
      "rows": trained.counts.trained, "unripe": trained.counts.unripe,
      "positive": trained.counts.positive, "held_back": trained.counts.heldBack,
      "epochs": trained.epochs,
    ]
  }
}
