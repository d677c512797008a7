import Glibc

/// How well scores tell two classes apart and how true they are as probabilities, as
/// scikit-learn's metrics measure it.
public struct ClassifierMetrics: Hashable, Sendable {
  /// Scores of one tenth of 0…1, and how often they were right.
  public struct CalibrationBin: Hashable, Sendable {
    /// Scores above `lower` and up to `upper` belong here; 0 belongs to the first bin.
    public let lower: Double
    /// The bin's upper edge.
    public let upper: Double
    /// Examples in the bin.
    public let count: Int
    /// The mean of their scores; nil without examples.
    public let meanScore: Double?
    /// The share of positive ones among them; nil without examples.
    public let positiveRate: Double?
  }

  /// Examples.
  public let count: Int
  /// Those of the positive class.
  public let positiveCount: Int
  /// The area under the ROC curve: the chance that a positive example's score is above a negative
  /// one's, a tie being half. Nil with one class only.
  public let areaUnderROC: Double?
  /// Average precision: Σ (Rₙ − Rₙ₋₁) Pₙ over distinct scores. Nil with one class only.
  public let averagePrecision: Double?
  /// The mean of −ln of the probability given to what was true; scores are kept 2⁻⁵² away from 0
  /// and 1, as scikit-learn keeps them. Nil without examples.
  public let logLoss: Double?
  /// The mean squared difference of score and label. Nil without examples.
  public let brierScore: Double?
  /// Ten bins of equal width, `calibration_curve`'s uniform ones, empty ones too.
  public let calibration: [CalibrationBin]
  /// Element k: positives among the first k by rank.
  private let hits: [Int32]

  /// Measures scores against labels; a score is a probability of the positive class.
  ///
  /// - Throws: ``TrainingError`` when counts differ or a score isn't in 0…1.
  public init(scores: [Double], labels: [Bool]) throws(TrainingError) {
    guard scores.count == labels.count else {
      throw TrainingError(
        place: "labels", reason: "there are \(labels.count) for \(scores.count) scores")
    }
    for (index, score) in scores.enumerated() where !(0...1 ~= score) {
      throw TrainingError(place: "scores[\(index)]", reason: "\(score) isn't between 0 and 1")
    }
    let ranked = Self.ranked(scores)
    var hits: [Int32] = [0]
    hits.reserveCapacity(scores.count + 1)
    for index in ranked { hits.append(hits[hits.count - 1] + (labels[Int(index)] ? 1 : 0)) }
    self.hits = hits
    count = scores.count
    positiveCount = Int(hits[scores.count])
    let curves = Self.curves(ranked, scores, hits)
    areaUnderROC = curves?.areaUnderROC
    averagePrecision = curves?.averagePrecision
    let losses = Self.meanLosses(scores, labels)
    logLoss = losses?.log
    brierScore = losses?.square
    calibration = Self.calibration(scores, labels)
  }

  /// The share of positive examples among the `k` with the highest scores; of equal scores the one
  /// that came first in the arrays ranks first. Nil unless 1 ≤ k ≤ ``count``.
  public func precision(at k: Int) -> Double? {
    guard 1...max(1, count) ~= k, k <= count else { return nil }
    return Double(hits[k]) / Double(k)
  }

  /// Indices from the highest score to the lowest, equal scores in their own order.
  private static func ranked(_ scores: [Double]) -> [Int32] {
    var ranked = (0..<Int32(scores.count)).map(\.self)
    scores.withUnsafeBufferPointer { scores in
      ranked.sort { a, b in
        let (first, second) = (scores[Int(a)], scores[Int(b)])
        return first == second ? a < b : first > second
      }
    }
    return ranked
  }

  /// One step of both curves per distinct score.
  private static func curves(
    _ ranked: [Int32], _ scores: [Double], _ hits: [Int32]
  ) -> (areaUnderROC: Double, averagePrecision: Double)? {
    let positives = Int(hits[ranked.count])
    let negatives = ranked.count - positives
    guard positives > 0, negatives > 0 else { return nil }
    // Pairs of a positive above a negative, counted twice so that a tie is whole.
    var doubledPairs = 0.0
    var precisions = 0.0
    var start = 0
    while start < ranked.count {
      let score = scores[Int(ranked[start])]
      var end = start + 1
      while end < ranked.count, scores[Int(ranked[end])] == score { end += 1 }
      let before = Int(hits[start])
      let gained = Int(hits[end]) - before
      doubledPairs += Double((end - start - gained) * (2 * before + gained))
      precisions += Double(gained) * (Double(hits[end]) / Double(end))
      start = end
    }
    return (
      doubledPairs / 2 / (Double(positives) * Double(negatives)), precisions / Double(positives)
    )
  }

  private static func meanLosses(
    _ scores: [Double], _ labels: [Bool]
  ) -> (log: Double, square: Double)? {
    guard !scores.isEmpty else { return nil }
    let least = Double.ulpOfOne
    var logs = 0.0
    var squares = 0.0
    for (score, isPositive) in zip(scores, labels) {
      let chance = min(max(isPositive ? score : 1 - score, least), 1 - least)
      logs -= log(chance)
      let difference = score - (isPositive ? 1 : 0)
      squares += difference * difference
    }
    return (logs / Double(scores.count), squares / Double(scores.count))
  }

  private static func calibration(_ scores: [Double], _ labels: [Bool]) -> [CalibrationBin] {
    // The edges as NumPy's linspace computes them: 0.30000000000000004, not 0.3.
    let edges = (0...10).map { Double($0) * 0.1 }
    var counts = Array(repeating: 0, count: 10)
    var positives = counts
    var sums = Array(repeating: 0.0, count: 10)
    for (score, isPositive) in zip(scores, labels) {
      var bin = 0
      while bin < 9, score > edges[bin + 1] { bin += 1 }
      counts[bin] += 1
      positives[bin] += isPositive ? 1 : 0
      sums[bin] += score
    }
    return (0..<10).map { bin in
      let count = counts[bin]
      return CalibrationBin(
        lower: edges[bin], upper: edges[bin + 1], count: count,
        meanScore: count > 0 ? sums[bin] / Double(count) : nil,
        positiveRate: count > 0 ? Double(positives[bin]) / Double(count) : nil)
    }
  }
}
