/// A trained model with all that is needed to score one example.
public struct LearnedModel: Hashable, Sendable {
  /// The version of the JSON text that this code writes and reads.
  public static let schemaVersion = 1

  /// How an example becomes numbers.
  public let encoding: FeatureEncoding
  /// One weight per encoded feature, in the order of `encoding.featureNames`.
  public let weights: [Double]
  /// The logit of an example whose encoded features are all 0.
  public let intercept: Double

  /// A model of trained parts.
  ///
  /// - Throws: ``TrainingError`` when there isn't one finite weight per encoded feature, or the
  ///   intercept isn't finite.
  public init(
    encoding: FeatureEncoding, weights: [Double], intercept: Double
  ) throws(TrainingError) {
    guard weights.count == encoding.featureNames.count else {
      throw TrainingError(
        place: "weights",
        reason: "there are \(weights.count), and \(encoding.featureNames.count) encoded features")
    }
    for (name, weight) in zip(encoding.featureNames, weights) where !weight.isFinite {
      throw TrainingError(place: "weights.\(name)", reason: "\(weight) is not a finite number")
    }
    guard intercept.isFinite else {
      throw TrainingError(place: "intercept", reason: "\(intercept) is not a finite number")
    }
    self.encoding = encoding
    self.weights = weights
    self.intercept = intercept
  }

  /// The model that `regression` has become.
  ///
  /// - Throws: ``TrainingError`` when its columns aren't those of `encoding`.
  public init(
    encoding: FeatureEncoding, regression: LogisticRegression
  ) throws(TrainingError) {
    try self.init(
      encoding: encoding, weights: regression.weights, intercept: regression.intercept)
  }

  /// The probability of the positive class, 0…1.
  ///
  /// - Parameters:
  ///   - numeric: unscaled values in the order of `encoding.numericNames`.
  ///   - categorical: names in the order of `encoding.categoricalNames`; an unknown one adds
  ///     nothing.
  public func probability(numeric: [Double], categorical: [String]) -> Double {
    LogisticRegression.probability(logit: logit(numeric: numeric, categorical: categorical))
  }

  /// The logarithm of the odds of the positive class: the contributions added up in their order,
  /// plus the intercept.
  public func logit(numeric: [Double], categorical: [String]) -> Double {
    var sum = 0.0
    visit(numeric, categorical) { sum += $1 }
    return sum + intercept
  }

  /// What each encoded feature adds to the logit: every numeric one, and of each categorical one
  /// the column of the example's name unless that is unknown.
  public func contributions(
    numeric: [Double], categorical: [String]
  ) -> [(feature: String, value: Double)] {
    var contributions: [(feature: String, value: Double)] = []
    visit(numeric, categorical) { contributions.append((encoding.featureNames[$0], $1)) }
    return contributions
  }

  private func visit(
    _ numeric: [Double], _ categorical: [String], _ body: (_ column: Int, _ value: Double) -> Void
  ) {
    let numericCount = encoding.numericNames.count
    precondition(
      numeric.count == numericCount, "\(numeric.count) numeric values instead of \(numericCount)")
    precondition(
      categorical.count == encoding.categoricalNames.count,
      "\(categorical.count) names instead of \(encoding.categoricalNames.count)")
    for (column, value) in numeric.enumerated() {
      let scaled = (value - encoding.scaler.means[column]) / encoding.scaler.scales[column]
      body(column, weights[column] * scaled)
    }
    for (feature, name) in categorical.enumerated() {
      guard let hot = encoding.encoder.column(of: name, feature: feature) else { continue }
      body(numericCount + hot, weights[numericCount + hot])
    }
  }
}
