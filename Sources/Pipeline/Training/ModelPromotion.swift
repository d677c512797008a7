import Moderation
import Ports

/// Moves a model to a stage: deployment, shadow, retirement, rollback.
public struct ModelPromotion: Job {
  /// `promote`.
  public static let name = "promote"

  /// Which model, and where to.
  public struct Order: Hashable, Sendable {
    /// `latest` (the youngest candidate), `previous` (what was deployed before) or a version.
    public var model: String
    /// Where to.
    public var stage: ModelStage

    /// An order.
    public init(model: String = "latest", stage: ModelStage = .deployed) {
      self.model = model
      self.stage = stage
    }
  }

  /// How long after the decision a promotion takes effect: every scorer has read the journal by
  /// then, so none scores a request of a later instant with the model before.
  public static let notice = Duration.seconds(10)

  private let registry: ModelRegistry
  private let environment: Environment
  private let order: Order

  /// A job over its ports.
  public init(registry: ModelRegistry, environment: Environment, order: Order) {
    self.registry = registry
    self.environment = environment
    self.order = order
  }

  /// Moves the model.
  public func run() async throws(PortError) -> [String: Int] {
    try await environment.attempting { () async throws(PortError) in
      let journal = try await registry.journal()
      let version = try chosen(journal)
      let effectiveAt = environment.now.asEventTime + Self.notice
      try await registry.move(version, to: order.stage, effectiveAt: effectiveAt)
      environment.record(
        "promoted",
        [
          .text("version", version), .text("stage", order.stage.rawValue),
          .time("effective_at", effectiveAt),
        ])
      return ["moved": journal.stage(of: version) == order.stage ? 0 : 1]
    }
  }

  private func chosen(_ journal: ModelJournal) throws(PortError) -> String {
    let version: String? =
      switch order.model {
      case "latest": journal.versions.last
      case "previous": journal.previous
      default: order.model
      }
    guard let version else {
      throw PortError(
        .notFound, port: "ModelRegistry", operation: "move",
        hint: order.model == "latest"
          ? "there is no model; run the job training first" : "no model was deployed before")
    }
    return version
  }
}
