import Moderation
import Pipeline
import Ports

/// The vectors that the scorer saw at the anchors equal the training rows as they were built, but
/// for what came between: events that came late, comments that were deleted, actors found
/// ineligible. A count may differ by such events of its window, and by no others.
///
/// Applies to `offline: point-in-time`, `scoring: watermark` and `publish: outbox`, once a build
/// ran whose snapshot can still be read. Doesn't check: vectors without a row (of images that
/// governance excludes, of other triggers), labels, rows that an erasure recomputed later.
public struct TrainServeParity: Checker {
  /// `TrainServeParity`.
  public let name = "TrainServeParity"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    let policy = run.scenario.policy
    guard policy.offline == .pointInTime, policy.scoring == .watermark,
      policy.publication == .outbox, !run.builtRows.isEmpty
    else { return nil }
    guard !run.skew.mismatches.isEmpty else { return [] }
    let explanation = Explanation(run)
    return run.skew.mismatches.filter { !explanation.covers($0) }.map {
      "\($0.feature) of \(run.aliases.name($0.image)) at \($0.decisionPoint) min: the scorer saw "
        + "\($0.online), the row says \($0.offline)"
    }
  }

  /// What a row may say where the scorer saw something else.
  private struct Explanation {
    private let history: ImageHistory
    private let users: GovernedUsers
    private let uploads: [ImageID: EventTime]
    private let deleted: Set<EventID>

    init(_ run: RunResult) {
      history = run.history
      users = GovernedUsers(run)
      uploads = Dictionary(uniqueKeysWithValues: run.tables.images.map { ($0.id, $0.createdAt) })
      deleted = Set(
        run.tables.comments.filter { $0.deletedAt != nil }.map {
          $0.id.reinterpreted(as: PlatformEvent.self)
        })
    }

    func covers(_ mismatch: SkewReport.Mismatch) -> Bool {
      guard let feature = FeatureVector.countedNames.firstIndex(of: mismatch.feature),
        let upload = uploads[mismatch.image]
      else { return false }
      let asOf = upload + .seconds(60 * mismatch.decisionPoint)
      let ranges = history.ranges(
        mismatch.image, asOf: asOf, mayCount: { $0.isStampedEligible },
        mustCount: { entry in
          entry.visibleFrom.map { $0 <= asOf } ?? true && users.isEligible(entry.event)
            && !deleted.contains(entry.event.id)
        })
      return ranges[feature].contains(mismatch.offline)
    }
  }
}
