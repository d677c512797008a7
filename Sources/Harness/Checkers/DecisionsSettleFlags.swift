import Moderation
import Pipeline
import Ports

/// A moderator's decision settles every flag that its target had by then, and only a decision does.
///
/// Doesn't check: which decision it was, what it does to a comment, flags of the decision's own
/// instant. Doesn't apply where requests reach the API late: a flag may then be older than a
/// decision that couldn't know of it.
public struct DecisionsSettleFlags: Checker {
  /// `DecisionsSettleFlags`.
  public let name = "DecisionsSettleFlags"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    let decisions = run.tables.moderation.filter { $0.inferenceMode == "human" }
    guard !decisions.isEmpty, !run.scenario.hasLateTraffic else { return nil }
    var last: [ModerationTarget: EventTime] = [:]
    for row in decisions {
      last[row.target] = max(last[row.target] ?? row.createdAt, row.createdAt)
    }
    let known = Set(decisions.map(\.id))
    return run.tables.flags.compactMap { flag in
      let target = flag.commentID.map(ModerationTarget.comment) ?? flag.imageID.map { .image($0) }
      guard let target else { return nil }
      if flag.reviewStatus == .pending {
        guard let decision = last[target], flag.createdAt < decision else { return nil }
        return "flag \(flag.id) of \(flag.createdAt) is pending, though its target was decided on "
          + "at \(decision)"
      }
      guard !(flag.moderationActionID.map(known.contains) ?? false) else { return nil }
      return "flag \(flag.id) is settled, but no decision did it"
    }
  }
}
