import Testing

@testable import Moderation

@Suite("LogisticRegression")
struct LogisticRegressionTests {
  @Test("Weights and intercept are scikit-learn's to the last bit", arguments: LearningScenario.all)
  func bits(scenario: LearningScenario) throws {
    let batches = try scenario.makeBatches()
    let regression = try scenario.train(batches, scenario.makeEncoding(batches))
    #expect(regression.weights.map(\.bitPattern) == scenario.weights.map(\.bitPattern))
    #expect(regression.intercept.bitPattern == scenario.intercept.bitPattern)
    #expect(regression.rowsSeen == scenario.batches.map(\.rows).reduce(0, +))
  }

  @Test("Probabilities are predict_proba's within 1e-12", arguments: LearningScenario.all)
  func probabilities(scenario: LearningScenario) throws {
    let batches = try scenario.makeBatches()
    let encoding = try scenario.makeEncoding(batches)
    let regression = try scenario.train(batches, encoding)
    let rows = try encoding.encode(batches[batches.count - 1])
    let found = regression.probabilities(rows).prefix(3)
    #expect(found.count == scenario.probabilities.count)
    for (found, expected) in zip(found, scenario.probabilities) {
      #expect(abs(found - expected) <= 1e-12)
      // Small ones are right in their own size too.
      #expect(abs(found - expected) <= 1e-9 * expected)
    }
  }

  @Test("Going on from weights, intercept and rows seen is the same as never having stopped")
  func goingOn() throws {
    let scenario = LearningScenario.manyBatches
    let batches = try scenario.makeBatches()
    let encoding = try scenario.makeEncoding(batches)
    let first = try scenario.train(Array(batches.prefix(7)), encoding)
    var second = LogisticRegression(
      weights: first.weights, intercept: first.intercept, rowsSeen: first.rowsSeen)
    for batch in batches.dropFirst(7) {
      try second.partialFit(encoding.encode(batch), labels: batch.labels)
    }
    #expect(second == (try scenario.train(batches, encoding)))
  }

  @Test("A class of weight 0 teaches nothing, but the weights shrink all the same")
  func zeroWeight() throws {
    let scenario = LearningScenario.unseenCategory
    let batch = try scenario.makeBatches()[0]
    let rows = try scenario.makeEncoding([batch]).encode(batch)
    var regression = LogisticRegression(
      weights: Array(repeating: 1, count: rows.columnCount), intercept: 0.5, rowsSeen: 0)
    try regression.partialFit(
      rows, labels: batch.labels, classWeights: .init(negative: 0, positive: 0))
    #expect(regression.intercept == 0.5)
    // 40 steps from t₀ = 1000: Π (1 − 1 ∕ (999 + t)) = 999 ∕ 1039.
    #expect(regression.weights.allSatisfy { abs($0 - 999.0 / 1039) < 1e-12 })
  }

  @Test("When weights overflow the error says so and the model stays what it was")
  func overflow() throws {
    let batch = try ExampleBatch(
      numeric: [[1e200, -1e200, 1e200]], categorical: [], labels: [true, true, false])
    let encoding = try FeatureEncoding(
      numericNames: ["x"], categoricalNames: [],
      scaler: StandardScaler(means: [0], scales: [1e-200]),
      encoder: OneHotEncoder(categories: []))
    var regression = LogisticRegression(columnCount: 1)
    let rows = try encoding.encode(batch)
    #expect(
      throws: TrainingError(
        place: "weights", reason: "are no longer finite; are the numeric features scaled?")
    ) { try regression.partialFit(rows, labels: batch.labels) }
    #expect(regression == LogisticRegression(columnCount: 1))
  }

  @Test("Rows of another width and labels of another count are refused")
  func counts() throws {
    let batch = try LearningScenario.oneRow.makeBatches()[0]
    let rows = try LearningScenario.oneRow.makeEncoding([batch]).encode(batch)
    var narrow = LogisticRegression(columnCount: 3)
    #expect(throws: TrainingError(place: "rows", reason: "have 4 columns, not 3")) {
      try narrow.partialFit(rows, labels: [true])
    }
    var right = LogisticRegression(columnCount: 4)
    #expect(throws: TrainingError(place: "labels", reason: "there are 2 for 1 rows")) {
      try right.partialFit(rows, labels: [true, false])
    }
  }

  @Test(
    "The probability of a logit neither overflows nor loses its tails",
    arguments: [
      (0, 0.5), (-745, Double.leastNonzeroMagnitude), (-1000, 0), (1000, 1),
      (-50, 1.928749847963918e-22),
      (2, 0.8807970779778823),
    ])
  func sigmoid(logit: Double, probability: Double) {
    let found = LogisticRegression.probability(logit: logit)
    #expect(abs(found - probability) <= 1e-15 * probability)
  }

  @Test("Rows are visited in scikit-learn's order")
  func order() {
    #expect(VisitOrder.rows(0) == [])
    #expect(VisitOrder.rows(1) == [0])
    #expect(VisitOrder.rows(100).sorted() == Array(0..<100))
    #expect(VisitOrder.rows(10) == [3, 6, 0, 2, 5, 8, 4, 1, 9, 7])
  }
}
