/// A fitted logistic regression with its preparation of the columns, as it came from the caller.
struct LogisticRegression {
  var numericNames: [String]
  var means: [Double]
  var scales: [Double]
  var categoricalNames: [String]
  /// The known names of each categorical column.
  var categories: [[String]]
  /// One per numeric column, then one per category, column by column.
  var weights: [Double]
  var intercept: Double

  /// The names of the columns, for the file's metadata.
  var columnMetadata: [(key: String, value: String)] {
    numericNames.enumerated().map { (key: "numeric.\($0)", value: $1) }
      + categoricalNames.enumerated().map { (key: "categorical.\($0)", value: $1) }
  }

  /// Throws at the first argument that doesn't fit the others or can't be computed with.
  func check() throws(ONNXModelError) {
    guard !numericNames.isEmpty else {
      throw ONNXModelError(
        .noNumericColumns, argument: "numericNames", hint: "it is empty; give at least one column")
    }
    try checkCounts()
    try checkValues(means, argument: "means")
    try checkValues(scales, argument: "scales")
    try checkValues(weights, argument: "weights")
    guard intercept.isFinite else {
      throw ONNXModelError(.notFinite, argument: "intercept", hint: "\(intercept)")
    }
    if let index = scales.firstIndex(where: { $0 <= 0 }) {
      throw ONNXModelError(
        .notPositive, argument: "scales[\(index)]",
        hint: "\(scales[index]) of \(numericNames[index]); a constant column's scale is 1")
    }
    try Uniqueness.check(numericNames + categoricalNames, argument: "column names")
    for (index, names) in categories.enumerated() {
      try Uniqueness.check(names, argument: "categories[\(index)]")
    }
  }

  private func checkCounts() throws(ONNXModelError) {
    let numeric = numericNames.count
    try checkCount(means.count, of: "means", needed: numeric, for: "numeric columns")
    try checkCount(scales.count, of: "scales", needed: numeric, for: "numeric columns")
    try checkCount(
      categories.count, of: "categories", needed: categoricalNames.count, for: "categorical columns"
    )
    if let index = categories.firstIndex(where: \.isEmpty) {
      throw ONNXModelError(
        .noCategories, argument: "categories[\(index)]",
        hint: "\(categoricalNames[index]) has none; leave the column out or give it one")
    }
    let oneHot = categories.reduce(0) { $0 + $1.count }
    try checkCount(
      weights.count, of: "weights", needed: numeric + oneHot,
      for: "\(numeric) numeric columns + \(oneHot) categories")
  }

  private func checkCount(
    _ count: Int, of argument: String, needed: Int, for purpose: String
  ) throws(ONNXModelError) {
    guard count != needed else { return }
    throw ONNXModelError(
      .countMismatch, argument: argument, hint: "\(count) given, \(needed) needed (\(purpose))")
  }

  private func checkValues(_ values: [Double], argument: String) throws(ONNXModelError) {
    guard let index = values.firstIndex(where: { !$0.isFinite }) else { return }
    throw ONNXModelError(
      .notFinite, argument: "\(argument)[\(index)]",
      hint: "\(values[index])")
  }
}

/// Names as ONNX runtimes compare them: by their UTF-8, where Swift calls two spellings of one
/// accented letter equal.
enum Uniqueness {
  /// Throws at the first name that occurs a second time.
  static func check(_ names: [String], argument: String) throws(ONNXModelError) {
    var seen: Set<[UInt8]> = []
    for name in names where !seen.insert(Array(name.utf8)).inserted {
      throw ONNXModelError(.duplicate, argument: argument, hint: "`\(name)` occurs twice")
    }
  }
}
