import Moderation
import Pipeline
import Ports

/// Every request made by the scenario's end has exactly one row in `moderation` that decides.
///
/// Doesn't check: that a request should have been made, the score itself, and a shadow's rows (see
/// ``ModelLineageHolds``). A request for an
/// image that the database doesn't know at that instant is rightly unscored.
public struct EveryRequestScoredOnce: Checker {
  /// `EveryRequestScoredOnce`.
  public let name = "EveryRequestScoredOnce"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.scenario.policy.publication != .none else { return nil }
    // One row decides; a shadow's may stand beside it.
    var rows: [RequestID: Int] = [:]
    for row in run.tables.moderation where row.inferenceMode != "shadow" {
      if let request = row.requestID { rows[request, default: 0] += 1 }
    }
    let created = Dictionary(
      uniqueKeysWithValues: run.tables.images.map { ($0.id, $0.createdAt) })
    return run.requests.compactMap { request in
      guard let upload = created[request.image], upload <= request.asOf,
        request.asOf <= run.scenario.end
      else { return nil }
      let count = rows[request.id] ?? 0
      guard count != 1 else { return nil }
      return "\(run.aliases.name(request.image)) \(request.trigger.name) as of \(request.asOf) "
        + "has \(count) rows"
    }
  }
}
