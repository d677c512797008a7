import Moderation
import Pipeline
import Ports

/// The registry at a run's end.
public struct ModelsOfRun: Sendable {
  /// Every change of a stage.
  public let journal: ModelJournal
  /// The models, by version; those that can't be read are left out.
  public let models: [String: LearnedModel]
  /// What each model was made of, by version: `metadata.json`.
  public let metadata: [String: [UInt8]]
  /// What training again from each model's pinned snapshot comes to, by version; missing where that
  /// snapshot is gone.
  public let retrained: [String: LearnedModel]
  /// The metadata in short, by version.
  public let summaries: [String: ModelSummary]

  init(_ registry: ModelRegistry, _ lake: any Lake) async throws(PortError) {
    journal = try await registry.journal()
    var models: [String: LearnedModel] = [:]
    var metadata: [String: [UInt8]] = [:]
    for change in journal.changes where change.stage == .candidate {
      let version = change.version
      do throws(PortError) {
        models[version] = try await registry.model(version)
        metadata[version] = try await registry.artifact(ModelRegistry.metadataFile, of: version)
      } catch {
        guard !error.isRetryable else { throw error }
      }
    }
    self.models = models
    var retrained: [String: LearnedModel] = [:]
    for change in journal.changes where change.stage == .candidate {
      let options = metadata[change.version].flatMap { TrainingOptions(metadata: $0) }
      guard let options else { continue }
      retrained[change.version] = try await Self.retrain(change, lake, options)
    }
    self.retrained = retrained
    self.metadata = metadata
    summaries = metadata.compactMapValues { ModelSummary(metadata: $0) }
  }

  /// Trains again from the snapshot that a candidate names; nil where it is gone.
  private static func retrain(
    _ change: ModelStageChange, _ lake: any Lake, _ options: TrainingOptions
  ) async throws(PortError) -> LearnedModel? {
    guard let source = change.source.flatMap({ ModelSource($0) }) else { return nil }
    do throws(PortError) {
      return try await ModelTrainer(options).train(TrainingRows(source, in: lake)).model
    } catch {
      // What the job could train on, and nobody can now, is reported by ModelLineageHolds.
      guard !error.isRetryable else { throw error }
      return nil
    }
  }
}
