import Moderation
import Pipeline
import Ports

/// No training row counts what an ineligible actor did, nor a deleted comment: its ten counted
/// features equal a brute-force count over the applied events, with the users as they are at the
/// end.
///
/// Applies to `offline: point-in-time` under `publish: outbox`, when a build or an erasure ran
/// after the last change. Late events may or may not have come before the build; once an erasure
/// ran, a row may also count less. Doesn't check: whose images have rows (see
/// ``TrainingSetIsGoverned``), labels, and features that count no events.
public struct GovernanceIsTransitive: Checker {
  /// `GovernanceIsTransitive`.
  public let name = "GovernanceIsTransitive"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    let policy = run.scenario.policy
    guard policy.offline == .pointInTime, policy.publication == .outbox, run.isTrainingSetCurrent
    else { return nil }
    let history = run.history
    let users = GovernedUsers(run)
    let deleted = Set(
      run.tables.comments.filter { $0.deletedAt != nil }.map {
        $0.id.reinterpreted(as: PlatformEvent.self)
      })
    let wasErased = run.jobs.contains { $0.job == .erasure }
    let uploads = Dictionary(
      uniqueKeysWithValues: run.tables.images.map { ($0.id, $0.createdAt) })
    return run.trainingRows.flatMap { row -> [String] in
      guard let upload = uploads[row.image] else { return [] }
      let ranges = history.ranges(
        row.image, asOf: upload + .seconds(60 * row.decisionPointMinutes),
        mayCount: { entry in
          entry.isStampedEligible && users.isEligible(entry.event)
            && !deleted.contains(entry.event.id)
        },
        mustCount: { !wasErased && $0.visibleFrom == nil })
      return row.counted(outside: ranges).map { feature, value, range in
        "\(run.aliases.name(row)): \(feature) is \(value), eligible actors make it \(range.text)"
      }
    }
  }
}
