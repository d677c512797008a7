import Testing

@testable import Moderation

@Suite("ClassifierMetrics")
struct ClassifierMetricsTests {
  /// With ties within a class and across, the ends 0 and 1, and edges of bins.
  static let scores = [0.1, 0.4, 0.4, 0.8, 0.8, 0.8, 0.3, 0, 1, 0.55, 0.55, 0.2]
  static let labels = [0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1].map { $0 == 1 }

  @Test("Ties, losses and curves are scikit-learn's")
  func ties() throws {
    let metrics = try ClassifierMetrics(scores: Self.scores, labels: Self.labels)
    #expect(metrics.count == 12)
    #expect(metrics.positiveCount == 6)
    #expect(metrics.areaUnderROC == 0.75)
    #expect(Self.isClose(metrics.averagePrecision, 0.7319444444444444))
    #expect(Self.isClose(metrics.logLoss, 0.5792216199755599))
    #expect(Self.isClose(metrics.brierScore, 0.20708333333333337))
  }

  @Test("So they are for 500 examples of 20 scores")
  func many() throws {
    var chance = LinearCongruence(state: 9)
    let scores = (0..<500).map { _ in Double(chance.below(20)) / 20 }
    let labels = (0..<500).map { _ in chance.below(100) < 40 }
    let metrics = try ClassifierMetrics(scores: scores, labels: labels)
    #expect(Self.isClose(metrics.areaUnderROC, 0.5265017667844524))
    #expect(Self.isClose(metrics.averagePrecision, 0.454307473758536))
    #expect(Self.isClose(metrics.logLoss, 1.5182920667132047))
    #expect(Self.isClose(metrics.brierScore, 0.319755))
  }

  @Test(
    "The best, the worst and the idle order have the values they must",
    arguments: [
      ([0.9, 0.1], [true, false], 1, 1), ([0.9, 0.1], [false, true], 0, 0.5),
      ([0.5, 0.5, 0.5, 0.5], [true, false, false, true], 0.5, 0.5),
    ] as [([Double], [Bool], Double, Double)])
  func extremes(scores: [Double], labels: [Bool], area: Double, average: Double) throws {
    let metrics = try ClassifierMetrics(scores: scores, labels: labels)
    #expect(metrics.areaUnderROC == area)
    #expect(metrics.averagePrecision == average)
  }

  @Test("A score of 0 or 1 that is wrong costs a finite loss")
  func clipping() throws {
    let metrics = try ClassifierMetrics(scores: [1, 0, 0.5], labels: [false, true, true])
    #expect(Self.isClose(metrics.logLoss, 24.260151319598084))
  }

  @Test("With one class the curves are undefined, without examples everything is")
  func undefined() throws {
    for label in [true, false] {
      let metrics = try ClassifierMetrics(scores: [0.25, 0.75], labels: [label, label])
      #expect(metrics.areaUnderROC == nil)
      #expect(metrics.averagePrecision == nil)
      #expect(metrics.brierScore == 0.3125)
      #expect(metrics.precision(at: 1) == (label ? 1 : 0))
    }
    let nothing = try ClassifierMetrics(scores: [], labels: [])
    #expect(nothing.areaUnderROC == nil)
    #expect(nothing.logLoss == nil)
    #expect(nothing.brierScore == nil)
    #expect(nothing.precision(at: 1) == nil)
    #expect(nothing.calibration.allSatisfy { $0.count == 0 && $0.meanScore == nil })
  }

  @Test("Precision at k ranks equal scores in the order given")
  func precision() throws {
    let metrics = try ClassifierMetrics(
      scores: [0.5, 0.5, 0.9, 0.5], labels: [true, false, false, true])
    #expect(
      (0...5).map { metrics.precision(at: $0) } == [nil, 0, 0.5, 1.0 / 3, 0.5, nil])
    #expect(metrics.precision(at: -1) == nil)
  }

  @Test("Bins are calibration_curve's: an edge belongs to the bin below it")
  func calibration() throws {
    let bins = try ClassifierMetrics(scores: Self.scores, labels: Self.labels).calibration
    #expect(bins.map(\.count) == [2, 1, 1, 2, 0, 2, 0, 3, 0, 1])
    let rates = [0, 1, 0, 0.5, nil, 0.5, nil, 2.0 / 3, nil, 1]
    #expect(bins.map(\.positiveRate) == rates)
    let means = [0.05, 0.2, 0.3, 0.4, nil, 0.55, nil, 0.8, nil, 1]
    for (bin, mean) in zip(bins, means) {
      if let mean {
        #expect(Self.isClose(bin.meanScore, mean))
      } else {
        #expect(bin.meanScore == nil)
      }
    }
    #expect(bins[3].lower == 0.30000000000000004)
    #expect(bins[9].upper == 1)
  }

  @Test("Unequal counts and scores outside 0…1 are refused")
  func errors() {
    #expect(throws: TrainingError(place: "labels", reason: "there are 1 for 2 scores")) {
      try ClassifierMetrics(scores: [0, 1], labels: [true])
    }
    for (score, text) in [(1.5, "1.5"), (-0.5, "-0.5"), (Double.nan, "nan")] {
      #expect(throws: TrainingError(place: "scores[1]", reason: "\(text) isn't between 0 and 1")) {
        try ClassifierMetrics(scores: [0, score], labels: [true, false])
      }
    }
  }

  private static func isClose(_ value: Double?, _ expected: Double) -> Bool {
    value.map { abs($0 - expected) <= 1e-13 * expected } ?? false
  }
}
