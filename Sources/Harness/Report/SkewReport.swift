import Lakehouse
import Moderation
import Pipeline
import Ports

/// The governed vector that the scorer saw at each anchor, against the training row of that
/// decision point.
public struct SkewReport: Sendable {
  /// One feature at one decision point.
  public struct Row: Hashable, Sendable {
    /// The feature: one of the 18, or `category`.
    public var feature: String
    /// Minutes after the upload.
    public var decisionPoint: Int
    /// Vectors that have a training row.
    public var pairs = 0
    /// Pairs in which the two differ.
    public var mismatches = 0
    /// Mismatches that vanish when the events that came after the score are left out.
    public var lateMismatches = 0
    /// Vectors without a training row: of images that may not be trained on, or came too late.
    public var onlineOnly = 0
    /// Training rows without a vector.
    public var offlineOnly = 0
    /// Pairs in which the scorer knew no value.
    public var onlineNulls = 0
    /// Pairs in which the training row has none.
    public var offlineNulls = 0
    /// How far apart numbers are; of `category` nothing.
    public var differences = SkewDifferences()

    /// The share of the pairs that differ, 0…1.
    public var mismatchRate: Double { pairs == 0 ? 0 : Double(mismatches) / Double(pairs) }
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
    let known = KnownRows(run)
    let points = Parallel.map(OfflineFeatures.decisionPoints) { minutes in
      Self.compared(run, minutes: minutes, known)
    }
    rows = points.flatMap(\.rows)
    mismatches = points.flatMap(\.mismatches).sorted {
      ($0.image, $0.decisionPoint, $0.feature) < ($1.image, $1.decisionPoint, $1.feature)
    }
  }

  /// The pairs of one decision point.
  private static func compared(
    _ run: RunResult, minutes: Int, _ known: KnownRows
  ) -> (rows: [Row], mismatches: [Mismatch]) {
    let rows = run.builtRows
    var offline: [ImageID: Int] = Dictionary(minimumCapacity: rows.count / 2)
    for index in rows.indices where rows[index].decisionPointMinutes == minutes {
      offline[rows[index].image] = index
    }
    var mismatches: [Mismatch] = []
    var point = (FeatureVector.numericNames + [Self.category]).map {
      Row(feature: $0, decisionPoint: minutes)
    }
    var pairs = Pairs(offline: offline.count)
    // A shadow's row has the vectors of the row beside it.
    for score in run.scores
    where score.request.trigger == .anchor(minutes: minutes)
      && score.row.inferenceMode != "shadow"
    {
      guard let row = offline[score.request.image].map({ rows[$0] }) else {
        pairs.onlineOnly += 1
        continue
      }
      pairs.note(score, row)
      let differing = row.features.indices.filter {
        score.governed.values[$0] != row.features[$0]
      }
      if score.category != row.category { point[point.endIndex - 1].mismatches += 1 }
      guard !differing.isEmpty else { continue }
      let knownRow = known.row(score)
      for index in differing {
        let (online, offline) = (score.governed.values[index], row.features[index])
        let isLate = knownRow?.features[index] == online
        point[index].mismatches += 1
        point[index].lateMismatches += isLate ? 1 : 0
        point[index].differences.note(online: online, offline: offline)
        mismatches.append(
          Mismatch(
            image: score.request.image, feature: point[index].feature, decisionPoint: minutes,
            online: online, offline: offline, isLate: isLate))
      }
    }
    return (point.map { pairs.completed($0) }, mismatches)
  }

  static let category = "category"

  /// What all features of a decision point have in common.
  private struct Pairs {
    var offline: Int
    var onlineOnly = 0
    var count = 0
    var onlineNulls = 0
    var offlineNulls = 0
    var images: Set<ImageID> = []

    init(offline: Int) { self.offline = offline }

    mutating func note(_ score: ScoredRequest, _ row: TrainingRow) {
      count += 1
      images.insert(score.request.image)
      // Only the category can be unknown.
      if score.category == nil { onlineNulls += 1 }
      if row.category == nil { offlineNulls += 1 }
    }

    func completed(_ row: Row) -> Row {
      var row = row
      row.pairs = count
      row.onlineOnly = onlineOnly
      row.offlineOnly = offline - images.count
      if row.feature == SkewReport.category {
        (row.onlineNulls, row.offlineNulls) = (onlineNulls, offlineNulls)
      }
      row.differences.complete(pairs: count)
      return row
    }
  }
}

/// Training rows as they were known at a score's instant: without the events that came later.
private struct KnownRows: Sendable {
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
