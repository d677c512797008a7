internal import SwiftProtobuf

/// A logistic regression as an ONNX file: numbers are standardized, names are one-hot encoded, and
/// the probability of class 1 comes out.
///
/// With N rows, the graph reads `numeric` (double, [N, numeric columns]) and, when there are
/// categorical columns, `categorical` (string, [N, categorical columns]). It gives `probability`
/// (double, [N, 1]) and `label` (int64, [N]; 1 when the probability is above one half). All
/// arithmetic is in double precision. A name that isn't among its column's categories counts as
/// none of them; a NaN in a row makes its probability NaN and its label 0.
///
/// The file needs ONNX IR version 8, operator set 17 and, with categorical columns, `ai.onnx.ml` 3.
/// Its metadata has the caller's entries and the column names, as `numeric.0`, `numeric.1`, …,
/// `categorical.0`, ….
public struct ONNXModel: Hashable, Sendable {
  /// The file's content: the same arguments give the same bytes.
  public let bytes: [UInt8]

  /// The model that computes `1 / (1 + exp(-(intercept + weights · features)))`.
  ///
  /// A row's features are `(value - mean) / scale` of each numeric column, then for each
  /// categorical column a 1 at its category and zeros elsewhere, all in the order given.
  ///
  /// - Parameters:
  ///   - numericNames: the numeric columns; at least one.
  ///   - means: one per numeric column.
  ///   - scales: one per numeric column, above zero: a standard deviation, or 1.
  ///   - categoricalNames: the categorical columns; may be empty.
  ///   - categories: the known names of each categorical column, at least one each. Two names are
  ///     the same when their UTF-8 is, as ONNX runtimes see it.
  ///   - weights: one per feature.
  ///   - intercept: the log-odds of a row whose features are all zero.
  ///   - metadata: keys and values for whoever reads the file; keys are distinct, also from those
  ///     of the column names.
  /// - Throws: when counts don't match, a number isn't finite, a scale isn't above zero, a name
  ///   occurs twice, or the file would exceed 2 GiB.
  public init(
    numericNames: [String], means: [Double], scales: [Double], categoricalNames: [String],
    categories: [[String]], weights: [Double], intercept: Double,
    metadata: [(key: String, value: String)] = []
  ) throws(ONNXModelError) {
    let regression = LogisticRegression(
      numericNames: numericNames, means: means, scales: scales, categoricalNames: categoricalNames,
      categories: categories, weights: weights, intercept: intercept)
    try regression.check()
    var model = ModelProto()
    model.irVersion = 8
    model.producerName = "rehearsal"
    model.opsetImport = [OperatorSetIdProto(domain: "", version: 17)]
    if !categories.isEmpty {
      model.opsetImport.append(OperatorSetIdProto(domain: GraphProto.classicalDomain, version: 3))
    }
    model.metadataProps = (metadata + regression.columnMetadata).map(StringStringEntryProto.init)
    try Uniqueness.check(model.metadataProps.map(\.key), argument: "metadata")
    model.graph = GraphProto(regression)
    do {
      bytes = try model.serializedBytes()
    } catch {
      throw ONNXModelError(.tooLarge, argument: "model", hint: "\(error)")
    }
  }
}
