import Moderation
import Ports

/// The models that a scorer asks, as the registry has them: read anew before each batch, so that a
/// promotion is picked up without a restart.
///
/// Which model scores a request follows from the request's instant, not from when the scorer gets
/// to it: lag and outages change no score.
struct DeployedModels: Sendable {
  /// What a model says when asked.
  enum Answer: Sendable {
    /// A model that can score images.
    case model(String, LearnedModel)
    /// None, and why.
    case none(String)
  }

  private let registry: ModelRegistry
  private var journal = ModelJournal()
  private var loaded: [String: Answer] = [:]

  init(_ registry: ModelRegistry) { self.registry = registry }

  /// Takes over what the registry has by now.
  mutating func refresh() async throws(PortError) {
    journal = try await registry.journal(known: journal)
    for change in journal.changes
    where [.shadow, .deployed].contains(change.stage) && loaded[change.version] == nil {
      loaded[change.version] = try await load(change.version)
    }
  }

  /// A model's file; what no retry mends keeps it from scoring, and nothing else.
  private func load(_ version: String) async throws(PortError) -> Answer {
    do throws(PortError) {
      let model = try await registry.model(version)
      if let problem = model.incompatibility { return .none("\(version): \(problem)") }
      return .model(version, model)
    } catch {
      guard !error.isRetryable else { throw error }
      return .none("\(version): \(error.hint)")
    }
  }

  /// The model at a stage as of an instant.
  func answer(_ stage: ModelStage, at instant: EventTime) -> Answer {
    guard let version = journal.version(stage, at: instant) else {
      return .none("no model is \(stage.rawValue)")
    }
    return loaded[version] ?? .none("\(version) isn't loaded")
  }
}
