import Glibc

/// Logistic regression learned by stochastic gradient descent, to the last bit as scikit-learn
/// 1.9's `SGDClassifier(loss="log_loss", random_state=42).partial_fit` on dense rows: L2 penalty,
/// the `optimal` schedule, one pass over each batch in a fixed shuffled order.
///
/// The bits depend on the C library's `exp`: they are scikit-learn's on the same machine.
public struct LogisticRegression: Hashable, Sendable {
  /// What an example of each class counts: scikit-learn's `class_weight={0: …, 1: …}`.
  public struct ClassWeights: Hashable, Sendable {
    /// The weight of examples whose label is false.
    public var negative: Double
    /// The weight of examples whose label is true.
    public var positive: Double

    /// Weights; 1 and 1 unless said otherwise.
    public init(negative: Double = 1, positive: Double = 1) {
      self.negative = negative
      self.positive = positive
    }
  }

  /// The strength of the L2 penalty; the schedule starts from it too.
  public let alpha: Double
  /// One weight per encoded column.
  public private(set) var weights: [Double]
  /// The logit of a row of zeros.
  public private(set) var intercept: Double
  /// Rows learned from so far, over all batches: the schedule's t, less 1.
  public private(set) var rowsSeen: Int

  /// An untrained model of so many encoded columns; `alpha` is above 0 and below 1.
  public init(columnCount: Int, alpha: Double = 1e-4) {
    self.init(
      weights: Array(repeating: 0, count: columnCount), intercept: 0, rowsSeen: 0, alpha: alpha)
  }

  /// A model to go on with.
  public init(weights: [Double], intercept: Double, rowsSeen: Int, alpha: Double = 1e-4) {
    precondition(alpha > 0 && alpha < 1, "alpha is between 0 and 1, not \(alpha)")
    precondition(rowsSeen >= 0, "rows seen can't be \(rowsSeen)")
    self.alpha = alpha
    self.weights = weights
    self.intercept = intercept
    self.rowsSeen = rowsSeen
  }

  /// Learns from one batch: each row once.
  ///
  /// - Throws: ``TrainingError`` when counts differ or a weight is no longer finite; the model is
  ///   then what it was before.
  public mutating func partialFit(
    _ rows: EncodedRows, labels: [Bool], classWeights: ClassWeights = ClassWeights()
  ) throws(TrainingError) {
    guard rows.columnCount == weights.count else {
      throw TrainingError(
        place: "rows", reason: "have \(rows.columnCount) columns, not \(weights.count)")
    }
    guard rows.rowCount == labels.count else {
      throw TrainingError(
        place: "labels", reason: "there are \(labels.count) for \(rows.rowCount) rows")
    }
    var learned = weights
    let order = VisitOrder.rows(rows.rowCount)
    let newIntercept = learned.withUnsafeMutableBufferPointer { weights in
      descend(rows, labels, classWeights, order, weights)
    }
    guard newIntercept.isFinite, learned.allSatisfy(\.isFinite) else {
      throw TrainingError(
        place: "weights", reason: "are no longer finite; are the numeric features scaled?")
    }
    weights = learned
    intercept = newIntercept
    rowsSeen += rows.rowCount
  }

  /// One pass of gradient descent; gives the new intercept.
  ///
  /// scikit-learn goes through every column. Columns that are 0 are left out here: they'd add ±0
  /// to a sum that is never −0, and ±0 to a weight that is +0 or not zero.
  private func descend(
    _ rows: EncodedRows, _ labels: [Bool], _ classWeights: ClassWeights, _ order: [Int32],
    _ weights: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    let classWeight = SIMD2(classWeights.negative, classWeights.positive)
    let start = optimalStart
    var t = Double(rowsSeen) + 1
    // The true weights are `weights · scale`: shrinking them all is one multiplication.
    var scale = 1.0
    var intercept = intercept
    rows.forEachBlock(of: order) { rows, indices in
      for (position, index) in indices.enumerated() {
        let row = rows[position]
        let isPositive = labels[Int(index)]
        let logit = row.dot(weights) * scale + intercept
        let rate = 1 / (alpha * (start + t - 1))
        let gradient = Self.gradient(logit, label: isPositive ? 1 : 0)
        let update = -rate * gradient * classWeight[isPositive ? 1 : 0]
        scale *= max(0, 1 - rate * alpha)
        if scale < 1e-9 {
          for column in weights.indices { weights[column] *= scale }
          scale = 1
        }
        if update != 0 {
          row.add(update / scale, to: weights)
          intercept += update
        }
        t += 1
      }
    }
    for column in weights.indices { weights[column] *= scale }
    return intercept
  }

  /// The `optimal` schedule's t₀ (Bottou): the first step is about a typical weight in size.
  private var optimalStart: Double {
    let typicalWeight = (1 / alpha.squareRoot()).squareRoot()
    let firstRate = typicalWeight / max(1, Self.gradient(-typicalWeight, label: 1))
    return 1 / (firstRate * alpha)
  }

  /// The derivative of the log loss by the logit; `label` is 0 or 1.
  @inline(__always)
  private static func gradient(_ logit: Double, label: Double) -> Double {
    guard logit > -37 else { return exp(logit) - label }
    let odds = exp(-logit)
    return ((1 - label) - label * odds) / (1 + odds)
  }

  /// The logit of every row.
  public func decisions(_ rows: EncodedRows) -> [Double] {
    precondition(
      rows.columnCount == weights.count, "\(rows.columnCount) columns for \(weights.count) weights")
    var weights = weights
    return weights.withUnsafeMutableBufferPointer { weights in
      rows.withUnsafeRows { rows in
        (0..<rows.count).map { rows[$0].dot(weights) + intercept }
      }
    }
  }

  /// The probability of the positive class for every row.
  public func probabilities(_ rows: EncodedRows) -> [Double] {
    decisions(rows).map(Self.probability(logit:))
  }

  /// 1 ∕ (1 + e^−logit), without overflow and accurate in both tails.
  public static func probability(logit: Double) -> Double {
    guard logit < 0 else { return 1 / (1 + exp(-logit)) }
    let odds = exp(logit)
    return odds / (1 + odds)
  }
}
