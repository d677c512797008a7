import Moderation
import Ports

/// The moderators' work (REFERENCE §8): the queue by risk, and decisions.
public struct ReviewDesk: Sendable {
  private let store: any ApplicationStore
  private let environment: Environment

  /// A desk over its port.
  public init(store: any ApplicationStore, environment: Environment) {
    self.store = store
    self.environment = environment
  }

  /// The pending items with the highest risk first.
  public func queue(limit: Int) async throws(PortError) -> [ReviewItem] {
    try await store.reviewQueue(limit: limit)
  }

  /// Settles the pending flags of an item; a confirmed comment is hidden.
  ///
  /// - Returns: how many flags were settled; 0 when there was nothing pending, and then nothing is
  ///   written.
  public func decide(
    _ target: ModerationTarget, _ status: ReviewStatus
  ) async throws(PortError) -> Int {
    let now = environment.now.asEventTime
    guard status != .pending else {
      throw PortError(
        .invalid, port: "ReviewDesk", operation: "decide",
        hint: "a decision is confirmed or rejected, not pending")
    }
    let action: ModerationID = environment.ids.make(label: "review")
    var mutations: [Mutation] = [
      .requirePending(target),
      .insertModeration(
        ModerationRow(
          id: action, requestID: nil, target: target, inferenceMode: "human",
          riskScore: status == .confirmed ? 1 : 0, triggerType: "review", createdAt: now)),
      .resolveFlags(target, status: status, by: action, at: now),
    ]
    if case .comment(let id) = target, status == .confirmed {
      mutations.append(.hideComment(id, by: action))
    }
    let outcomes: [MutationOutcome]
    do throws(PortError) {
      outcomes = try await store.commit(mutations)
    } catch {
      // Nothing is pending, or another moderator was first.
      if error.code == .conflict { return 0 }
      throw error
    }
    environment.record(
      "reviewed", [.text("target", target.idText), .text("status", status.rawValue)])
    guard case .changed(let count) = outcomes[2] else { return 0 }
    return count
  }
}
