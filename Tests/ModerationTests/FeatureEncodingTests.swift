import Testing

@testable import Moderation

@Suite("FeatureEncoding")
struct FeatureEncodingTests {
  @Test("Names found in a batch are scikit-learn's, in its order", arguments: LearningScenario.all)
  func categories(scenario: LearningScenario) throws {
    let encoding = try scenario.makeEncoding(scenario.makeBatches())
    #expect(encoding.encoder.categories == [scenario.categories])
    #expect(
      encoding.featureNames == ["x0", "x1", "x2"] + scenario.categories.map { "food_\($0)" })
  }

  @Test("Names sort by code point, and spellings that look alike stay apart")
  func order() throws {
    // U+FF5E comes before U+1F35C, though not in UTF-16; é as one scalar after e with an accent.
    let values = ["\u{1F35C}", "\u{FF5E}", "\u{E9}", "e\u{301}", "Zebra", "apple", nil]
    let encoder = OneHotEncoder(fitting: [CategoricalColumn(values)])
    #expect(
      encoder.categories[0].map { Array($0.unicodeScalars) }
        == ["None", "Zebra", "apple", "e\u{301}", "\u{E9}", "\u{FF5E}", "\u{1F35C}"]
        .map { Array($0.unicodeScalars) })
    #expect(encoder.column(of: "e\u{301}", feature: 0) == 3)
    #expect(encoder.column(of: "\u{E9}", feature: 0) == 4)
    #expect(encoder.column(of: "Zebr", feature: 0) == nil)
    #expect(encoder.column(of: "zzz", feature: 0) == nil)
  }

  @Test("Names without a row aren't learned; an accumulator learns from all batches in any order")
  func accumulator() {
    let first = CategoricalColumn(codes: [2, 0], names: ["b", "unused", "a"])
    let second = CategoricalColumn(codes: [0], names: ["c"])
    #expect(OneHotEncoder(fitting: [first]).categories == [["a", "b"]])
    var forward = OneHotEncoder.Accumulator(featureCount: 1)
    forward.add([first])
    forward.add([second])
    var backward = OneHotEncoder.Accumulator(featureCount: 1)
    backward.add([second])
    backward.add([first])
    #expect(forward.encoder().categories == [["a", "b", "c"]])
    #expect(forward.encoder() == backward.encoder())
  }

  @Test("Rows are scaled numbers, then ones for known names; an unknown name has none")
  func rows() throws {
    let encoding = try FeatureEncoding(
      numericNames: ["x", "y"], categoricalNames: ["a", "b"],
      scaler: StandardScaler(means: [1, 10], scales: [2, 5]),
      encoder: OneHotEncoder(categories: [["p", "q"], ["r"]]))
    let batch = try ExampleBatch(
      numeric: [[1, 5, -1], [0, 10, 15]],
      categorical: [CategoricalColumn(["q", "p", "r"]), CategoricalColumn(["r", "q", nil])],
      labels: [true, false, true])
    let rows = try encoding.encode(batch)
    #expect(encoding.featureNames == ["x", "y", "a_p", "a_q", "b_r"])
    #expect(rows.rowCount == 3)
    #expect(rows.dense(row: 0) == [0, -2, 0, 1, 1])
    #expect(rows.dense(row: 1) == [2, 0, 1, 0, 0])
    #expect(rows.dense(row: 2) == [-1, 1, 0, 0, 0])
  }

  @Test("Parts that don't fit together are refused")
  func errors() throws {
    let scaler = try StandardScaler(means: [0], scales: [1])
    let encoder = try OneHotEncoder(categories: [["b_c"], ["c"]])
    #expect(throws: TrainingError(place: "a_b_c", reason: "is the name of two encoded features")) {
      try FeatureEncoding(
        numericNames: ["x"], categoricalNames: ["a", "a_b"], scaler: scaler, encoder: encoder)
    }
    #expect(
      throws: TrainingError(place: "means", reason: "there are 1, and 2 numeric features")
    ) {
      try FeatureEncoding(
        numericNames: ["x", "y"], categoricalNames: ["a", "b"], scaler: scaler, encoder: encoder)
    }
    #expect(
      throws: TrainingError(place: "categories[0][1]", reason: "'a' doesn't come after 'b'")
    ) { try OneHotEncoder(categories: [["b", "a"]]) }
    let encoding = try FeatureEncoding(
      numericNames: ["x"], categoricalNames: ["a", "b"], scaler: scaler, encoder: encoder)
    let batch = try ExampleBatch(numeric: [[1], [2]], categorical: [], labels: [true])
    #expect(
      throws: TrainingError(place: "numeric", reason: "the batch has 2 features, not 1")
    ) { try encoding.encode(batch) }
  }

  @Test(
    "A batch that isn't sound is refused with its place",
    arguments: [
      ([[1]], [], [], "labels: are empty; a batch has at least one row"),
      ([], [], [true], "numeric: is empty, and so is categorical"),
      ([[1], [1, 2]], [], [true], "numeric[1]: has 2 rows, and the labels 1"),
      ([[1, .nan]], [], [true, true], "numeric[0], row 1: nan is not a finite number"),
      (
        [[0, 0, 0, 0, 0, 0, 0, 0, -.infinity]], [], Array(repeating: true, count: 9),
        "numeric[0], row 8: -inf is not a finite number"
      ),
      ([], [[0, 1]], [true], "categorical[0]: has 2 rows, and the labels 1"),
      ([], [[0, 2]], [true, false], "categorical[0], row 1: code 2 has no name; there are 2"),
      ([], [[-1, 0]], [true, false], "categorical[0], row 0: code -1 has no name; there are 2"),
    ] as [([[Double]], [[Int32]], [Bool], String)])
  func unsound(numeric: [[Double]], codes: [[Int32]], labels: [Bool], problem: String) {
    let error = #expect(throws: TrainingError.self) {
      try ExampleBatch(
        numeric: numeric,
        categorical: codes.map { CategoricalColumn(codes: $0, names: ["a", "b"]) },
        labels: labels)
    }
    #expect(error?.description == problem)
  }

  @Test("A null is a name of its own, and finite values near the end of the range are sound")
  func soundness() throws {
    let column = CategoricalColumn(["a", nil, "a", "None"])
    #expect(column.codes == [0, 1, 0, 1])
    #expect(column.names == ["a", "None"])
    let extremes = Array(repeating: Double.greatestFiniteMagnitude, count: 20)
    let batch = try ExampleBatch(
      numeric: [extremes], categorical: [], labels: Array(repeating: true, count: 20))
    #expect(batch.rowCount == 20)
  }
}
