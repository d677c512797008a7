import Testing

@testable import ONNXExport

@Suite("ONNXModel: what it refuses")
struct ONNXModelErrorTests {
  /// One mistake and the whole text of its error.
  struct Mistake: CustomTestStringConvertible {
    var code: ONNXModelError.Code
    var text: String
    var change: @Sendable (inout Sample) -> Void

    init(
      _ code: ONNXModelError.Code, _ text: String,
      _ change: @escaping @Sendable (inout Sample) -> Void
    ) {
      self.code = code
      self.text = text
      self.change = change
    }

    var testDescription: String { text }
  }

  static let counts = [
    Mistake(
      .noNumericColumns, "numericNames: no numeric columns: it is empty; give at least one column"
    ) {
      $0.numericNames = []
    },
    Mistake(.countMismatch, "means: count mismatch: 1 given, 2 needed (numeric columns)") {
      $0.means = [1]
    },
    Mistake(.countMismatch, "scales: count mismatch: 3 given, 2 needed (numeric columns)") {
      $0.scales = [1, 1, 1]
    },
    Mistake(.countMismatch, "categories: count mismatch: 1 given, 2 needed (categorical columns)") {
      $0.categories = [["a"]]
    },
    Mistake(
      .countMismatch,
      "weights: count mismatch: 5 given, 6 needed (2 numeric columns + 4 categories)"
    ) { $0.weights = [1, 2, 3, 4, 5] },
    Mistake(
      .noCategories,
      "categories[1]: no categories: 寿司 has none; leave the column out or give it one"
    ) { $0.categories = [["a", "b", "c", "d"], []] },
  ]

  static let values = [
    Mistake(.notFinite, "means[1]: not finite: nan") { $0.means[1] = .nan },
    Mistake(.notFinite, "scales[0]: not finite: inf") { $0.scales[0] = .infinity },
    Mistake(.notFinite, "weights[5]: not finite: -inf") { $0.weights[5] = -.infinity },
    Mistake(.notFinite, "intercept: not finite: nan") { $0.intercept = .nan },
    Mistake(.notPositive, "scales[1]: not positive: 0.0 of größe; a constant column's scale is 1") {
      $0.scales[1] = 0
    },
    Mistake(.notPositive, "scales[0]: not positive: -2.0 of age; a constant column's scale is 1") {
      $0.scales[0] = -2
    },
  ]

  static let duplicates = [
    Mistake(.duplicate, "column names: duplicate: `age` occurs twice") {
      $0.categoricalNames[0] = "age"
    },
    Mistake(.duplicate, "categories[0]: duplicate: `x` occurs twice") {
      $0.categories[0] = ["x", "y", "x"]
    },
    Mistake(.duplicate, "metadata: duplicate: `k` occurs twice") {
      $0.metadata = [("k", "1"), ("k", "2")]
    },
    Mistake(.duplicate, "metadata: duplicate: `numeric.1` occurs twice") {
      $0.metadata = [("numeric.1", "mine")]
    },
  ]

  @Test(
    "A mistake has its code, and its text says where and what",
    arguments: counts + values + duplicates)
  func refused(mistake: Mistake) throws {
    let error = #expect(throws: ONNXModelError.self) {
      try Sample.mixed.with(mistake.change).model()
    }
    #expect(error?.code == mistake.code)
    #expect(error?.description == mistake.text)
  }

  @Test("One category in two columns is no mistake")
  func sharedCategory() throws {
    let sample = Sample.mixed.with { $0.categories = [["a", "b", "only"], ["only"]] }
    #expect(throws: Never.self) { try sample.model() }
  }
}
