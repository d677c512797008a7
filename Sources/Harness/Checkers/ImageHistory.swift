import Moderation

/// What checkers count by brute force: each event about an image once, in the order in which they
/// were applied.
struct ImageHistory {
  /// One event, and from when on it counts if it came late.
  struct Entry {
    var event: PlatformEvent
    var visibleFrom: EventTime?

    /// What intake stamped; unknown counts as eligible.
    var isStampedEligible: Bool { event.actorEligible ?? true }
  }

  /// When each image was first uploaded.
  private(set) var uploads: [ImageID: EventTime] = [:]
  private var actions: [ImageID: [Entry]] = [:]

  /// The history of a run's images.
  init(_ events: [LoggedEvent], late: [LateEvent]) {
    let late = Dictionary(uniqueKeysWithValues: late.map { ($0.id, $0.visibleFrom) })
    var seen: Set<EventID> = []
    for event in events.lazy.map(\.event) {
      guard let image = event.image, seen.insert(event.id).inserted else { continue }
      if event.kind == .upload {
        if uploads[image] == nil { uploads[image] = event.time }
      } else {
        actions[image, default: []].append(
          Entry(event: event, visibleFrom: late.isEmpty ? nil : late[event.id]))
      }
    }
  }

  /// What was done to an image: its views, comments and flags.
  subscript(image: ImageID) -> [Entry] { actions[image] ?? [] }

  /// The images that something was done to, in no order.
  var images: some Collection<ImageID> { actions.keys }

  private static let nothing = FeatureVector.countedNames.map { _ in 0.0...0.0 }

  /// What ``FeatureVector/countedNames`` may be as of an instant, in their order, when the events
  /// that `mayCount` lets through are counted, or any part of them with all that `mustCount` does.
  func ranges(
    _ image: ImageID, asOf: EventTime, mayCount: (Entry) -> Bool, mustCount: (Entry) -> Bool
  ) -> [ClosedRange<Double>] {
    let entries = self[image].filter { $0.event.time <= asOf && mayCount($0) }
    if entries.isEmpty { return Self.nothing }
    func count(_ kind: EventKind, _ seconds: Int64?) -> ClosedRange<Double> {
      let inWindow = entries.filter { entry in
        entry.event.kind == kind
          && (seconds.map { entry.event.time > asOf - .seconds($0) } ?? true)
      }
      return Double(inWindow.count(where: mustCount))...Double(inWindow.count)
    }
    let (views, viewsHour) = (count(.view, 300), count(.view, 3600))
    let (comments, commentsHour) = (count(.comment, 300), count(.comment, 3600))
    let least = commentsHour.lowerBound / max(viewsHour.upperBound, 1)
    let most = commentsHour.upperBound / max(viewsHour.lowerBound, 1)
    return [
      views, viewsHour, comments, commentsHour, count(.flag, 300), count(.flag, 3600),
      count(.flag, nil), views.lowerBound / 5...views.upperBound / 5, least...most,
      views.lowerBound + 5 * comments.lowerBound...views.upperBound + 5 * comments.upperBound,
    ]
  }
}

extension Aliases {
  /// A training row's name: `hero at 5 min`.
  func name(_ row: TrainingRow) -> String {
    "\(name(row.image)) at \(row.decisionPointMinutes) min"
  }
}

extension TrainingRow {
  /// The counted features whose values lie outside their ranges.
  func counted(
    outside ranges: [ClosedRange<Double>]
  ) -> [(feature: String, value: Double, range: ClosedRange<Double>)] {
    let values = features[FeatureVector.countedIndices]
    return zip(zip(FeatureVector.countedNames, values), ranges).compactMap { named, range in
      range.contains(named.1) ? nil : (named.0, named.1, range)
    }
  }
}

extension FeatureVector {
  /// Where ``countedNames`` stand among the numeric features.
  static let countedIndices = 4..<14
}

extension ClosedRange<Double> {
  /// `3.0`, or `3.0 to 4.0`.
  var text: String {
    lowerBound == upperBound ? "\(lowerBound)" : "\(lowerBound) to \(upperBound)"
  }
}
