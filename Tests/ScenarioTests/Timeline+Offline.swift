import Moderation
import Pipeline
import Ports

extension Timeline {
  var snapshot: ApplicationSnapshot {
    var snapshot = ApplicationSnapshot()
    snapshot.users = users
    snapshot.images = images
    return snapshot
  }

  func bronze(_ metric: Metric) -> RecordBatch {
    let events = entries.map(\.event).filter { $0.kind.metric == metric }
    return RecordBatch(
      schema: LakeTables.eventSchema,
      columns: [
        .init(.strings(events.map(\.id.description))),
        .init(.strings(events.map { $0.image?.description ?? "" })),
        .strings(events.map { $0.actor?.description }),
        .init(.booleans(events.map { $0.actorEligible ?? true })),
        .init(.integers(events.map(\.time.microseconds))),
        .init(.integers(events.map { _ in 0 })),
        .init(.integers(events.indices.map { Int64($0) })),
      ])
  }

  /// One row per event: partial rows of a window add up.
  func windows(_ metric: Metric) -> RecordBatch {
    let events = entries.map(\.event).filter { $0.kind.metric == metric }
    let starts = events.map { $0.time.microseconds / 300_000_000 * 300_000_000 }
    return RecordBatch(
      schema: LakeTables.windowSchema,
      columns: [
        .init(.strings(events.map { $0.image?.description ?? "" })), .init(.integers(starts)),
        .init(.integers(starts.map { $0 + 300_000_000 })),
        .init(.integers(starts.map { _ in 1 })), .init(.integers(starts.map { _ in 0 })),
      ])
  }

  /// The features of every row, written down from REFERENCE's text.
  func naiveRows(_ definition: PipelinePolicy.Offline) -> [[Double]] {
    images.flatMap { image in
      OfflineFeatures.decisionPoints.map { naiveRow(image, $0, definition) }
    }
  }

  private func naiveRow(
    _ image: Image, _ minutes: Int, _ definition: PipelinePolicy.Offline
  ) -> [Double] {
    let upload = image.createdAt.microseconds
    let cutoff = upload + Int64(minutes) * 60_000_000
    func count(_ kind: EventKind, _ window: Int64?) -> Double {
      let times = entries.map(\.event).filter { event in
        event.image == image.id && event.kind == kind
          && (definition == .lab || event.actorEligible == true)
      }.map(\.time.microseconds)
      return Double(
        times.count { time in
          guard definition == .lab else {
            return time <= cutoff && (window.map { time > cutoff - $0 } ?? true)
          }
          let start = time / 300_000_000 * 300_000_000
          let end = start + 300_000_000
          return start >= upload && end <= cutoff && (window.map { end > cutoff - $0 } ?? true)
        })
    }
    let (five, hour): (Int64, Int64) = (300_000_000, 3_600_000_000)
    let views = (count(.view, five), count(.view, hour))
    let comments = (count(.comment, five), count(.comment, hour))
    // 2026-03-01 was a Sunday; the timelines stay within the days after it.
    let day = (upload - 1_772_323_200_000_000) / 86_400_000_000
    let weekday = Double((6 + day) % 7)
    let owner = users.first { $0.id == image.userID }?.createdAt.microseconds ?? 0
    let siblings = images.count { $0.userID == image.userID && $0.createdAt.microseconds <= cutoff }
    let ageUntil = definition == .lab ? upload : cutoff
    return [
      Double(minutes * 60), Double(upload / 3_600_000_000 % 24), weekday, weekday >= 5 ? 1 : 0,
      views.0, views.1, comments.0, comments.1, count(.flag, five), count(.flag, hour),
      count(.flag, nil), views.0 / 5, comments.1 / max(views.1, 1), views.0 + 5 * comments.0,
      Double(image.caption?.unicodeScalars.count ?? 0), image.caption == nil ? 0 : 1,
      Double(siblings), Double((ageUntil - owner) / 86_400_000_000),
    ]
  }
}
