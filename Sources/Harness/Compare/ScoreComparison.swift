import Moderation
import Pipeline

/// Two ways of scoring the same requests, compared: where they would decide otherwise, and which
/// ranks better.
///
/// A decision is "to be reviewed": of all requests, as many of the highest scores as moderators can
/// look at, of equal ones the first. So both ways send the same number, and a flip is a request
/// that only one of them sends.
public struct ScoreComparison: Sendable {
  /// One request with both scores.
  public struct Pair: Sendable {
    /// The image's id or name.
    public var image: String
    /// What asked.
    public var trigger: String
    /// As of when.
    public var asOf: String
    /// The first way's score.
    public var first: Double
    /// The second way's.
    public var second: Double
    /// What the first way saw: the 29 features.
    public var firstFeatures: [Double]
    /// What the second way saw.
    public var features: [Double]
    /// What speaks for or against in the model's eyes, the heaviest first.
    public var reasons: [(feature: String, value: Double)]
    /// Whether the image needed moderation, where that is known.
    public var label: Bool?
    /// Whether the traffic planted the image as a bad one, where the scenario plants any.
    public var isPlanted: Bool?
    /// What rankings are made of besides all: `category=Soup`, `country=DE`.
    public var segments: [String]

    /// A pair; every argument is a property.
    public init(
      image: String, trigger: String, asOf: String, first: Double, second: Double,
      firstFeatures: [Double] = [], features: [Double] = [],
      reasons: [(feature: String, value: Double)] = [], label: Bool?, isPlanted: Bool? = nil,
      segments: [String] = []
    ) {
      self.image = image
      self.trigger = trigger
      self.asOf = asOf
      self.first = first
      self.second = second
      self.firstFeatures = firstFeatures
      self.features = features
      self.reasons = reasons
      self.label = label
      self.isPlanted = isPlanted
      self.segments = segments
    }
  }

  /// A way of scoring, judged by labels.
  public struct Ranking: Sendable {
    /// `all`, `planted` (by what the traffic planted, not by labels) or `category=…`.
    public var segment: String
    /// Labelled pairs, and those that needed moderation.
    public var count: Int
    /// Those that needed moderation.
    public var positive: Int
    /// The first way's area under the ROC curve; nil with one class only.
    public var first: Double?
    /// The second way's.
    public var second: Double?
    /// The first way's average precision.
    public var firstPrecision: Double?
    /// The second way's.
    public var secondPrecision: Double?
  }

  /// The names of the two ways.
  public let names: (first: String, second: String)
  /// The pairs, by instant.
  public let pairs: [Pair]
  /// Of how many requests moderators look at one.
  public let reviewed: Int
  /// The lowest scores that are still reviewed.
  public let thresholds: (first: Double, second: Double)
  /// The pairs on which only one of the two sends the image to review.
  public let flips: [Pair]
  /// The rankings: of all, by the planted truth, then by segment.
  public let rankings: [Ranking]

  /// The share of pairs on which both decide alike; 1 without pairs.
  public var agreement: Double {
    pairs.isEmpty ? 1 : 1 - Double(flips.count) / Double(pairs.count)
  }

  /// Compares.
  ///
  /// - Parameter capacity: how many requests moderators can look at, at least 1.
  public init(_ names: (first: String, second: String), _ pairs: [Pair], capacity: Int) {
    self.names = names
    self.pairs = pairs
    reviewed = min(max(1, capacity), pairs.count)
    let (first, second) = (
      Self.highest(pairs.map(\.first), reviewed), Self.highest(pairs.map(\.second), reviewed)
    )
    thresholds = (
      first: first.last.map { pairs[$0].first } ?? 0,
      second: second.last.map { pairs[$0].second } ?? 0
    )
    flips = Set(first).symmetricDifference(second).sorted().map { pairs[$0] }
    let labelled = pairs.filter { $0.label != nil }
    let planted = pairs.filter { $0.isPlanted != nil }
    rankings =
      [Self.ranking("all", labelled, \.label)]
      + (planted.isEmpty ? [] : [Self.ranking("planted", planted, \.isPlanted)])
      + Set(labelled.flatMap(\.segments)).sorted().map { segment in
        Self.ranking(segment, labelled.filter { $0.segments.contains(segment) }, \.label)
      }
  }

  /// The places of the highest scores, best first; of equal ones those that came first.
  private static func highest(_ scores: [Double], _ count: Int) -> [Int] {
    let ranked = scores.indices.sorted {
      scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1
    }
    return Array(ranked.prefix(count))
  }

  private static func ranking(
    _ segment: String, _ pairs: [Pair], _ truth: (Pair) -> Bool?
  ) -> Ranking {
    let labels = pairs.map { truth($0) ?? false }
    // Scores are within 0…1, and there is a label for each.
    let first = try? ClassifierMetrics(scores: pairs.map(\.first), labels: labels)
    // As above.
    let second = try? ClassifierMetrics(scores: pairs.map(\.second), labels: labels)
    return Ranking(
      segment: segment, count: pairs.count, positive: labels.count { $0 },
      first: first?.areaUnderROC, second: second?.areaUnderROC,
      firstPrecision: first?.averagePrecision, secondPrecision: second?.averagePrecision)
  }
}
