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
  /// The same in short, by version.
  public let summaries: [String: ModelSummary]

  init(_ registry: ModelRegistry) async throws(PortError) {
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
    self.metadata = metadata
    summaries = metadata.compactMapValues { ModelSummary(metadata: $0) }
  }
}
