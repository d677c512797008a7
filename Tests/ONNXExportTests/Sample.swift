import SwiftProtobuf

@testable import ONNXExport

/// The arguments of a model, to be spoiled one at a time.
struct Sample {
  var numericNames = ["age", "größe"]
  var means = [31.5, 1e6]
  var scales = [2.5, 1]
  var categoricalNames = ["food", "寿司"]
  var categories = [["Brot", "été", ""], ["only"]]
  var weights = [0.1, -500, 1, 2, 3, 1e-300]
  var intercept = -0.25
  var metadata: [(key: String, value: String)] = [("trained_on", "2026"), ("empty", "")]

  /// Two numeric and two categorical columns.
  static let mixed = Sample()

  /// One numeric column and nothing else.
  static let numeric = Sample(
    numericNames: ["age"], means: [0], scales: [1], categoricalNames: [], categories: [],
    weights: [2], intercept: 0, metadata: [])

  /// The sample after one change.
  func with(_ change: (inout Sample) -> Void) -> Sample {
    var copy = self
    change(&copy)
    return copy
  }

  /// The model of these arguments.
  func model() throws(ONNXModelError) -> ONNXModel {
    try ONNXModel(
      numericNames: numericNames, means: means, scales: scales, categoricalNames: categoricalNames,
      categories: categories, weights: weights, intercept: intercept, metadata: metadata)
  }

  /// The model's file, read back.
  func parsed() throws -> ModelProto { try ModelProto(serializedBytes: model().bytes) }
}

extension GraphProto {
  /// One line per node: `output = Operator(inputs)`, with the domain and the settings.
  var picture: String {
    node.map { node in
      let settings = node.attribute.map { attribute in
        let value = attribute.type == .int ? "\(attribute.i)" : "\(attribute.strings)"
        return " \(attribute.name)=\(value)"
      }
      let domain = node.domain.isEmpty ? "" : node.domain + "."
      let inputs = node.input.joined(separator: ", ")
      return "\(node.output[0]) = \(domain)\(node.opType)(\(inputs))\(settings.joined())"
    }
    .joined(separator: "\n")
  }

  /// The constant of a name.
  func constant(_ name: String) -> TensorProto? { initializer.first { $0.name == name } }
}

extension ValueInfoProto {
  /// `name: type code [lengths]`.
  var picture: String {
    let lengths = type.tensorType.shape.dim.map { dimension in
      switch dimension.value {
      case .dimValue(let length): "\(length)"
      case .dimParam(let name): name
      case nil: "?"
      }
    }
    return "\(name): \(type.tensorType.elemType) [\(lengths.joined(separator: ", "))]"
  }
}
