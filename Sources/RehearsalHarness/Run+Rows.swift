import Harness
import Moderation
import Pipeline
import Ports

extension Rehearsal.Run {
  /// A score with the vectors behind it.
  public struct Score: Hashable, Sendable {
    /// The image's alias.
    public let image: String
    /// What asked for it: `viral`, `flagged`, `anchor_5m`.
    public let trigger: String
    /// The instant that it is about.
    public let asOf: EventTime
    /// When it was stored.
    public let scoredAt: EventTime
    /// From 0 to 1.
    public let risk: Double
    /// Which rules fired; nil for a model.
    public let rationale: String?
    /// Everybody's events: what the heuristic saw. `features["views_5min"]` is a value by name.
    public let features: FeatureVector
    /// Eligible actors' events only: what a model would see.
    public let governed: FeatureVector
  }

  /// A row of the training set as it was at the end.
  public struct TrainingExample: Hashable, Sendable {
    /// The image's alias.
    public let image: String
    /// Minutes after the upload: 0, 5 or 30.
    public let decisionPoint: Int
    /// Whether an eligible user flagged the image in time; nil while that can't be known.
    public let label: Bool?
    private let features: [Double]

    init(_ row: TrainingRow, image: String) {
      self.image = image
      decisionPoint = row.decisionPointMinutes
      label = row.label
      features = row.features
    }

    /// A numeric feature by its column's name; nil when there is none of that name.
    public subscript(feature: String) -> Double? {
      FeatureVector.numericNames.firstIndex(of: feature).map { features[$0] }
    }
  }

  /// The events of an image in one 5-minute window.
  public struct Window: Hashable, Sendable {
    /// The image's alias.
    public let image: String
    /// When it starts.
    public let start: EventTime
    /// The events in it.
    public let count: Int
  }

  /// The names of all images that were uploaded, in that order.
  public var images: [String] { result.tables.images.map { result.aliases.name($0.id) } }

  /// All scores, in the order in which they were stored.
  public var scores: [Score] {
    result.scores.map { scored in
      Score(
        image: result.aliases.name(scored.request.image), trigger: scored.request.trigger.name,
        asOf: scored.asOf, scoredAt: scored.row.createdAt, risk: scored.row.riskScore,
        rationale: scored.row.rationale, features: scored.observed, governed: scored.governed)
    }
  }

  /// An image's scores; none for a name that isn't among ``images``.
  public func scores(of image: String) -> [Score] { scores.filter { $0.image == image } }

  /// A feature of an image's score by a trigger; nil without such a score or feature.
  public func feature(_ name: String, of image: String, at trigger: String) -> Double? {
    scores(of: image).first { $0.trigger == trigger }?.features[name]
  }

  /// The training set, by image and decision point.
  public var trainingRows: [TrainingExample] {
    result.trainingRows.map { TrainingExample($0, image: result.aliases.name($0.image)) }
      .sorted { ($0.image, $0.decisionPoint) < ($1.image, $1.decisionPoint) }
  }

  /// An image's training rows, by decision point.
  public func trainingRows(of image: String) -> [TrainingExample] {
    trainingRows.filter { $0.image == image }
  }

  /// The windows of the lake's table for views, comments or flags, by image and start.
  public func windows(_ metric: Metric) -> [Window] {
    result.windows(metric).map { window in
      Window(
        image: ImageID(window.image).map { result.aliases.name($0) } ?? window.image,
        start: EventTime(microseconds: window.start), count: Int(window.count))
    }.sorted { ($0.image, $0.start) < ($1.image, $1.start) }
  }

  /// An image's windows, by start.
  public func windows(_ metric: Metric, of image: String) -> [Window] {
    windows(metric).filter { $0.image == image }
  }
}
