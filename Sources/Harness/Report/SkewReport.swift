import Moderation
import Pipeline
import Ports

/// The governed vector that the scorer saw at each anchor, against the training row of that
/// decision point.
public struct SkewReport: Sendable {
  /// One feature at one decision point.
  public struct Row: Hashable, Sendable {
    /// The feature.
    public var feature: String
    /// Minutes after the upload.
    public var decisionPoint: Int
    /// Vectors that have a training row.
    public var pairs: Int
    /// Pairs in which the two differ.
    public var mismatches: Int
    /// The mean of the absolute differences over all pairs.
    public var meanAbsoluteDifference: Double
    /// Mismatches that vanish when the events that came after the score are left out.
    public var lateMismatches: Int
  }

  /// One pair that differs.
  public struct Mismatch: Hashable, Sendable {
    /// The image.
    public var image: ImageID
    /// The feature.
    public var feature: String
    /// Minutes after the upload.
    public var decisionPoint: Int
    /// What the scorer saw.
    public var online: Double
    /// What the training row says.
    public var offline: Double
    /// Whether late events explain it.
    public var isLate: Bool
  }

  /// Per feature and decision point, in the contract's order.
  public let rows: [Row]
  /// The differing pairs, by image, decision point and feature.
  public let mismatches: [Mismatch]

  /// A report without pairs.
  init() {
    rows = []
    mismatches = []
  }

  /// Compares a run's scores with the rows of its last training-set build.
  public init(_ run: RunResult) {
    var offline: [Key: TrainingRow] = [:]
    for row in run.builtRows {
      offline[Key(image: row.image, minutes: row.decisionPointMinutes)] = row
    }
    let known = KnownRows(run)
    var rows: [Row] = []
    var mismatches: [Mismatch] = []
    for minutes in OfflineFeatures.decisionPoints {
      var point = FeatureVector.numericNames.map { feature in
        Row(
          feature: feature, decisionPoint: minutes, pairs: 0, mismatches: 0,
          meanAbsoluteDifference: 0, lateMismatches: 0)
      }
      // A shadow's row has the vectors of the row beside it.
      for score in run.scores
      where score.request.trigger == .anchor(minutes: minutes)
        && score.row.inferenceMode != "shadow"
      {
        guard let row = offline[Key(image: score.request.image, minutes: minutes)] else { continue }
        for index in point.indices { point[index].pairs += 1 }
        let differing = point.indices.filter { score.governed.values[$0] != row.features[$0] }
        guard !differing.isEmpty else { continue }
        let knownRow = known.row(score)
        for index in differing {
          let (online, offline) = (score.governed.values[index], row.features[index])
          let isLate = knownRow?.features[index] == online
          point[index].mismatches += 1
          point[index].lateMismatches += isLate ? 1 : 0
          // A sum until all pairs are seen.
          point[index].meanAbsoluteDifference += abs(online - offline)
          mismatches.append(
            Mismatch(
              image: score.request.image, feature: point[index].feature, decisionPoint: minutes,
              online: online, offline: offline, isLate: isLate))
        }
      }
      for index in point.indices where point[index].pairs > 0 {
        point[index].meanAbsoluteDifference /= Double(point[index].pairs)
      }
      rows += point
    }
    self.rows = rows
    self.mismatches = mismatches.sorted {
      ($0.image, $0.decisionPoint, $0.feature) < ($1.image, $1.decisionPoint, $1.feature)
    }
  }

  private struct Key: Hashable {
    var image: ImageID
    var minutes: Int
  }
}

/// Training rows as they were known at a score's instant: without the events that came later.
private struct KnownRows {
  private let run: RunResult
  private let lateByImage: [ImageID: [LateEvent]]

  init(_ run: RunResult) {
    self.run = run
    var late: [ImageID: [LateEvent]] = [:]
    for event in run.late {
      if let image = event.image { late[image, default: []].append(event) }
    }
    lateByImage = late
  }

  /// The row recomputed without late events; nil when none concerns it.
  func row(_ score: ScoredRequest) -> TrainingRow? {
    let image = score.request.image
    let unknown = (lateByImage[image] ?? []).filter { $0.visibleFrom > score.asOf }
    guard !unknown.isEmpty, let knownUntil = run.trainingKnownUntil else { return nil }
    var set = TrainingSet(
      snapshot: run.tables, knownUntil: knownUntil, policy: run.scenario.policy)
    let ids = Set(unknown.map(\.id.description))
    for (metric, rows) in run.builtHistory { set.addHistory(metric, rows, leavingOut: ids) }
    return set.rows(only: [image]).first {
      score.request.trigger == .anchor(minutes: $0.decisionPointMinutes)
    }
  }
}
