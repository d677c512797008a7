import Moderation
import Ports

/// Trains a model from the current snapshot of the training set, or of the feature log with the
/// training set's labels, which it pins, and registers it as a candidate (REFERENCE §7).
///
/// The same snapshot gives the same model, byte by byte; training again on it adds no version.
public struct ModelTraining: Job {
  /// `training`.
  public static let name = "training"

  private let lake: any Lake
  private let registry: ModelRegistry
  private let environment: Environment
  private let policy: PipelinePolicy
  private let options: TrainingOptions

  /// A job over its ports.
  ///
  /// - Parameter options: nil for those of the policy.
  public init(
    lake: any Lake, registry: ModelRegistry, environment: Environment, policy: PipelinePolicy,
    options: TrainingOptions? = nil
  ) {
    self.lake = lake
    self.registry = registry
    self.environment = environment
    self.policy = policy
    self.options = options ?? policy.training
  }

  /// Trains and registers.
  public func run() async throws(PortError) -> [String: Int] {
    try await environment.attempting { () async throws(PortError) in try await runOnce() }
  }

  private func runOnce() async throws(PortError) -> [String: Int] {
    // Pinned: what is committed meanwhile isn't trained on.
    let set = try await pinned(LakeTables.trainingData, by: "training-set")
    let source: ModelSource
    var trainedAt = set.committedAt
    switch options.table {
    case .trainingData: source = ModelSource(.init(LakeTables.trainingData, set.id))
    case .featureLog:
      let log = try await pinned(LakeTables.featureLog, by: "feature-log")
      trainedAt = max(trainedAt, log.committedAt)
      source = ModelSource(
        .init(LakeTables.featureLog, log.id), labels: .init(LakeTables.trainingData, set.id))
    }
    let rows = try await TrainingRows(source, in: lake)
    let trained = try await ModelTrainer(
      options, countries: try await UploaderCountries.read(lake, asOf: set.committedAt)
    ).train(rows)
    // By the snapshots' own time, so that the same ones give the same bytes.
    let metadata = ModelMetadata(
      trainedAt: trainedAt, source: source, policy: policy, options: options, trained: trained)
    let version = try await registry.register(
      [
        (ModelRegistry.modelFile, trained.model.json),
        (ModelRegistry.metadataFile, metadata.json),
        (ModelLineage.file, ModelLineage(images: try await rows.images()).bytes),
      ],
      source: source.description, at: environment.now.asEventTime)
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

  private func pinned(
    _ table: TableName, by job: String
  ) async throws(PortError) -> TableSnapshot {
    guard let snapshot = try await lake.current(table) else {
      throw PortError(
        .notFound, port: "Lake", operation: "scan",
        hint: "\(table) has no snapshot; run the job \(job) first")
    }
    return snapshot
  }
}
