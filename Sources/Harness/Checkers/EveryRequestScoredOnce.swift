import Moderation
import Pipeline
import Ports

/// Every request made by the scenario's end has exactly one row of each mode in `moderation`.
///
/// Doesn't check: that a request should have been made, and the score itself. A request for an
/// image that the database doesn't know at that instant is rightly unscored.
public struct EveryRequestScoredOnce: Checker {
  /// `EveryRequestScoredOnce`.
  public let name = "EveryRequestScoredOnce"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.scenario.policy.publication != .none else { return nil }
    var rows: [RequestID: Int] = [:]
    for row in run.tables.moderation {
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
