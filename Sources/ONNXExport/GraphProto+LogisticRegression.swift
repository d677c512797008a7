extension GraphProto {
  /// The domain of ONNX's operators for classical machine learning.
  static let classicalDomain = "ai.onnx.ml"

  /// The graph of a regression whose counts have been checked.
  init(_ regression: LogisticRegression) {
    self.init()
    name = "logistic_regression"
    var features = [standardize(regression)]
    for index in regression.categories.indices { features.append(encode(index, of: regression)) }
    let joined = join(features)
    combine(joined, regression)
    probability()
    label()
  }

  /// Adds `(numeric - means) / scales`.
  private mutating func standardize(_ regression: LogisticRegression) -> String {
    let columns = regression.numericNames.count
    input.append(ValueInfoProto("numeric", .double, shape: [.rows, .length(columns)]))
    initializer.append(TensorProto("means", dims: [columns], doubles: regression.means))
    initializer.append(TensorProto("scales", dims: [columns], doubles: regression.scales))
    node.append(NodeProto("Sub", ["numeric", "means"], "centred"))
    node.append(NodeProto("Div", ["centred", "scales"], "standardized"))
    return "standardized"
  }

  /// Adds the one-hot columns of one categorical column.
  private mutating func encode(_ index: Int, of regression: LogisticRegression) -> String {
    if index == 0 {
      let columns = regression.categories.count
      input.append(ValueInfoProto("categorical", .string, shape: [.rows, .length(columns)]))
    }
    let column = regression.categoricalNames[index]
    initializer.append(TensorProto("index_\(index)", dims: [], int64s: [Int64(index)]))
    // A scalar index drops the axis: [N], of which the encoder makes [N, categories].
    node.append(
      NodeProto(
        "Gather", ["categorical", "index_\(index)"], "names_\(index)", name: "Gather \(column)",
        attributes: [AttributeProto("axis", int: 1)]))
    node.append(
      NodeProto(
        "OneHotEncoder", ["names_\(index)"], "one_hot_\(index)", name: "OneHotEncoder \(column)",
        domain: Self.classicalDomain,
        attributes: [
          AttributeProto("cats_strings", strings: regression.categories[index]),
          AttributeProto("zeros", int: 1),
        ]))
    // The encoder gives floats; zero and one stay exact.
    node.append(
      NodeProto(
        "Cast", ["one_hot_\(index)"], "encoded_\(index)", name: "Cast \(column)",
        attributes: [AttributeProto("to", int: TensorProto.DataType.double.rawValue)]))
    return "encoded_\(index)"
  }

  /// Adds what puts blocks of columns side by side, if there are several.
  private mutating func join(_ blocks: [String]) -> String {
    guard blocks.count > 1 else { return blocks[0] }
    node.append(
      NodeProto("Concat", blocks, "features", attributes: [AttributeProto("axis", int: 1)]))
    return "features"
  }

  /// Adds the log-odds, `logit`.
  private mutating func combine(_ features: String, _ regression: LogisticRegression) {
    let weights = regression.weights
    initializer.append(TensorProto("weights", dims: [weights.count, 1], doubles: weights))
    initializer.append(TensorProto("intercept", dims: [1], doubles: [regression.intercept]))
    node.append(NodeProto("Gemm", [features, "weights", "intercept"], "logit"))
  }

  /// Adds `1 / (1 + exp(-logit))`.
  ///
  /// Spelled out, because ONNX Runtime's Sigmoid gives 0 where the probability is below 1e-16:
  /// its logarithm would be infinite.
  private mutating func probability() {
    initializer.append(TensorProto("one", dims: [], doubles: [1]))
    node.append(NodeProto("Neg", ["logit"], "negative_logit"))
    node.append(NodeProto("Exp", ["negative_logit"], "odds_against"))
    node.append(NodeProto("Add", ["odds_against", "one"], "inverse_probability"))
    node.append(NodeProto("Reciprocal", ["inverse_probability"], "probability"))
    output.append(ValueInfoProto("probability", .double, shape: [.rows, .length(1)]))
  }

  /// Adds the class: 1 when the log-odds are above zero.
  private mutating func label() {
    initializer.append(TensorProto("zero", dims: [], doubles: [0]))
    initializer.append(TensorProto("label_axis", dims: [1], int64s: [1]))
    node.append(NodeProto("Greater", ["logit", "zero"], "is_likely"))
    node.append(
      NodeProto(
        "Cast", ["is_likely"], "label_column", name: "Cast label",
        attributes: [AttributeProto("to", int: TensorProto.DataType.int64.rawValue)]))
    node.append(NodeProto("Squeeze", ["label_column", "label_axis"], "label"))
    output.append(ValueInfoProto("label", .int64, shape: [.rows]))
  }
}
