import Testing

@testable import Moderation

/// Batches by a rule that a few lines of any language can follow, and what scikit-learn 1.9.1 with
/// NumPy 2.4 learned from them.
///
/// Numbers are drawn from `state ← state · 6364136223846793005 + 1442695040888963407 mod 2⁶⁴` as
/// `(state >> 33) mod bound`. Per row: for j in 0..<3 a value `draw(1000) / 7 + 100 j`, then the
/// category `names[draw(count)]`, then the label `draw(100) < positivePercent`.
struct LearningScenario: Sendable, CustomTestStringConvertible {
  static let names = ["Soup", "Egg", "Bread", "Noodles/Pasta", "None"]

  var name: String
  var seed: UInt64
  /// Rows and how many of the names occur in them.
  var batches: [(rows: Int, names: Int)]
  var positivePercent: Int
  var classWeights: LogisticRegression.ClassWeights
  /// Whether the second numeric column is 0.1 throughout.
  var isConstant = false
  /// What `OneHotEncoder` found in the first batch.
  var categories: [String]
  /// What `StandardScaler` found in the first batch.
  var means: [Double]
  var scales: [Double]
  /// `coef_` and `intercept_` after the last batch.
  var weights: [Double]
  var intercept: Double
  /// `predict_proba` of the first three rows of the last batch.
  var probabilities: [Double]

  var testDescription: String { name }

  /// The scenario's batches.
  func makeBatches() throws -> [ExampleBatch] {
    var chance = LinearCongruence(state: seed)
    return try batches.map { rows, names in
      var numeric: [[Double]] = [[], [], []]
      var values: [String?] = []
      var labels: [Bool] = []
      for _ in 0..<rows {
        for column in 0..<3 {
          numeric[column].append(Double(chance.below(1000)) / 7 + Double(100 * column))
        }
        values.append(Self.names[chance.below(names)])
        labels.append(chance.below(100) < positivePercent)
      }
      if isConstant { numeric[1] = Array(repeating: 0.1, count: rows) }
      return try ExampleBatch(
        numeric: numeric, categorical: [CategoricalColumn(values)], labels: labels)
    }
  }

  /// The encoding of the first batch.
  func makeEncoding(_ batches: [ExampleBatch]) throws -> FeatureEncoding {
    try FeatureEncoding(
      numericNames: ["x0", "x1", "x2"], categoricalNames: ["food"], fitting: batches[0])
  }

  /// The model of all batches.
  func train(_ batches: [ExampleBatch], _ encoding: FeatureEncoding) throws -> LogisticRegression {
    var regression = LogisticRegression(columnCount: encoding.featureNames.count)
    for batch in batches {
      try regression.partialFit(
        encoding.encode(batch), labels: batch.labels, classWeights: classWeights)
    }
    return regression
  }
}

/// Knuth's MMIX generator: as simple in Python as here.
struct LinearCongruence {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
}

extension LearningScenario {
  static let all = [
    unseenCategory, constantColumn, oneRow, imbalanced, manyBatches, classWeights,
  ]

  static let unseenCategory = LearningScenario(
    name: "unseenCategory", seed: 1, batches: [(40, 3), (40, 5)], positivePercent: 30,
    classWeights: .init(negative: 1, positive: 1),
    categories: ["Bread", "Egg", "Soup"],
    means: [0x1.2f20ea0ea0ea2p+6, 0x1.686a0ea0ea0eap+7, 0x1.186be2be2be2cp+8],
    scales: [0x1.7760d7f3e4558p+5, 0x1.49c83f012e36dp+5, 0x1.519120114c791p+5],
    weights: [
      -0x1.9fb5289b910c0p+3, -0x1.3b6954fdeb18fp+4, 0x1.0807a67e43e56p-1, 0x1.25980234deb53p+1,
      0x1.299cd22fe9ff1p+0, 0x1.6d92305685747p+4,
    ],
    intercept: -0x1.2b59c7be49d30p+2,
    probabilities: [0x1.82f89491a6834p-15, 0x1.6ddfba4633d33p-3, 0x1.0000000000000p+0])

  static let constantColumn = LearningScenario(
    name: "constantColumn", seed: 2, batches: [(33, 5), (200, 5)], positivePercent: 50,
    classWeights: .init(negative: 1, positive: 1), isConstant: true,
    categories: ["Bread", "Egg", "None", "Noodles/Pasta", "Soup"],
    means: [0x1.19d5e32fa7579p+6, 0x1.999999999999ap-4, 0x1.0162a1cd058a8p+8],
    scales: [0x1.5b3bd2b6355efp+5, 0x1.0000000000000p+0, 0x1.37c2b1dd7a9c0p+5],
    weights: [
      -0x1.6c63e86046355p+2, 0x0.0p+0, -0x1.27666741cd9d5p+3, -0x1.44c1c3e1cbc7cp+3,
      -0x1.395aa9413f0d2p+3, 0x1.8fa15e9974980p+3, 0x1.56b3748b4bae1p+2, -0x1.17d770ad33f9ap+3,
    ],
    intercept: -0x1.581538850188fp+3,
    probabilities: [0x1.2b98b5b08d954p-9, 0x1.ea3b0dced57cbp-39, 0x1.bd29a2cc6397ep-37])

  static let oneRow = LearningScenario(
    name: "oneRow", seed: 3, batches: [(1, 5)], positivePercent: 100,
    classWeights: .init(negative: 1, positive: 1),
    categories: ["Noodles/Pasta"],
    means: [0x1.0db6db6db6db7p+3, 0x1.db24924924925p+7, 0x1.2e24924924924p+8],
    scales: [0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0],
    weights: [0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x1.4000000000000p+2],
    intercept: 0x1.4000000000000p+2,
    probabilities: [0x1.fffa0cb346f89p-1])

  static let imbalanced = LearningScenario(
    name: "imbalanced", seed: 4, batches: [(300, 5), (150, 5)], positivePercent: 4,
    classWeights: .init(negative: 1, positive: 20),
    categories: ["Bread", "Egg", "None", "Noodles/Pasta", "Soup"],
    means: [0x1.18545bac21288p+6, 0x1.5483a83a83a84p+7, 0x1.0c0e04e04e04fp+8],
    scales: [0x1.43eebd7b739dfp+5, 0x1.48d0d50094206p+5, 0x1.524ccfb2710c8p+5],
    weights: [
      -0x1.794cbb2958506p+2, -0x1.6b3a4521f05f9p+6, -0x1.13ded2b6dae1cp+4, -0x1.b8fffa6f602f9p+4,
      0x1.3d4e41003e088p+7, -0x1.279da0eb7e07fp+6, -0x1.bc1db2ecd33c5p+6, -0x1.e3db50aed9322p+5,
    ],
    intercept: -0x1.109876cbcc398p+7,
    probabilities: [0x1.ba7296d49c453p-514, 0x1.1ecfa985e9b1dp-398, 0x1.2e1cb271c0c3dp-370])

  static let manyBatches = LearningScenario(
    name: "manyBatches", seed: 5, batches: Array(repeating: (50, 5), count: 20),
    positivePercent: 25,
    classWeights: .init(negative: 1, positive: 1),
    categories: ["Bread", "Egg", "None", "Noodles/Pasta", "Soup"],
    means: [0x1.1bf7390d2a6c4p+6, 0x1.4ac6f2d593bfap+7, 0x1.0cf7390d2a6c4p+8],
    scales: [0x1.3bed301009dc2p+5, 0x1.640408e04e22fp+5, 0x1.48036a8b2d0cdp+5],
    weights: [
      0x1.4857f63222f9dp+1, -0x1.fd4e293c243cdp-1, -0x1.cb3ca57a21045p+3, -0x1.78e6bc319ed64p+1,
      -0x1.80681b091bdaap-6, -0x1.62f619efdcc66p+1, -0x1.5a9d07ac30be5p+3, 0x1.e2878d1ad18eap+1,
    ],
    intercept: -0x1.17bc4a39e4f6cp+4,
    probabilities: [0x1.02303543c5496p-15, 0x1.5023dcaf85e4dp-30, 0x1.a268d9ac3adaep-57])

  static let classWeights = LearningScenario(
    name: "classWeights", seed: 6, batches: [(150, 4), (9, 4)], positivePercent: 40,
    classWeights: .init(negative: 0.3, positive: 1.7),
    categories: ["Bread", "Egg", "Noodles/Pasta", "Soup"],
    means: [0x1.2ba83a83a83a9p+6, 0x1.565748a7bdaf1p+7, 0x1.133007cd49a16p+8],
    scales: [0x1.476330b3da8f2p+5, 0x1.3b71379efc654p+5, 0x1.42c99dba404f1p+5],
    weights: [
      0x1.77f9c50d0786ep+0, 0x1.afd7e1a600741p+3, 0x1.fefd6ac91d50dp+1, -0x1.8a8e2d84b0e75p+1,
      0x1.215d3e4b2e739p+2, 0x1.49cfc15d69e16p+0, 0x1.941ebd5341f19p+3,
    ],
    intercept: 0x1.19dcb49cb1649p+4,
    probabilities: [0x1.fffffffffffe2p-1, 0x1.fffc473d7e900p-1, 0x1.fffc9232a51c2p-1])
}
