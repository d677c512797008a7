/// Why a text isn't a model of this schema.
public struct ModelFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where: a field's path, or the byte at which the text stops being JSON.
  public var place: String
  /// What is wrong, with the value seen where there is one.
  public var reason: String

  /// An error at `place`.
  public init(place: String, reason: String) {
    self.place = place
    self.reason = reason
  }

  /// `place: reason`.
  public var description: String { "\(place): \(reason)" }
}

extension LearnedModel {
  /// The model as JSON, the same bytes for the same model: fields in a fixed order, numbers in
  /// their shortest text that reads back to the same bits, weights by encoded feature in order.
  public var json: [UInt8] {
    var json = JSONWriter(capacity: 4096)
    json.field("schema_version", Int64(Self.schemaVersion))
    json.field("numeric_features", json: Self.list(encoding.numericNames, Self.append))
    json.field("categorical_features", json: Self.list(encoding.categoricalNames, Self.append))
    json.field("means", json: Self.list(encoding.scaler.means, Self.append))
    json.field("scales", json: Self.list(encoding.scaler.scales, Self.append))
    json.field(
      "categories",
      json: Self.list(encoding.encoder.categories) { names, bytes in
        bytes += Self.list(names, Self.append)
      })
    json.field("weights", json: weightsObject)
    json.field("intercept", intercept)
    return json.finish()
  }

  private var weightsObject: [UInt8] {
    var bytes = [UInt8(ascii: "{")]
    for (index, (name, weight)) in zip(encoding.featureNames, weights).enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      JSONWriter.appendString(name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      Self.append(weight, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  private static func list<Element>(
    _ elements: [Element], _ append: (Element, inout [UInt8]) -> Void
  ) -> [UInt8] {
    var bytes = [UInt8(ascii: "[")]
    for (index, element) in elements.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      append(element, &bytes)
    }
    bytes.append(UInt8(ascii: "]"))
    return bytes
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    JSONWriter.appendString(text, to: &bytes)
  }

  private static func append(_ number: Double, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "\(number)".utf8)
  }

  /// Reads a model's JSON; fields may come in any order, but none may be missing, unknown or twice.
  ///
  /// - Throws: ``ModelFormatError`` that names the place.
  public init(json: [UInt8]) throws(ModelFormatError) {
    let fields = try Fields(JSONTree(json))
    do {
      let encoding = try FeatureEncoding(
        numericNames: fields.numericNames, categoricalNames: fields.categoricalNames,
        scaler: StandardScaler(means: fields.means, scales: fields.scales),
        encoder: OneHotEncoder(categories: fields.categories))
      try self.init(
        encoding: encoding, weights: fields.weights(of: encoding.featureNames),
        intercept: fields.intercept)
    } catch let error as TrainingError {
      throw ModelFormatError(place: error.place, reason: error.reason)
    } catch let error as ModelFormatError {
      throw error
    } catch {
      throw ModelFormatError(place: "text", reason: "\(error)")
    }
  }
}

/// The fields of a model's JSON, each of the right kind.
private struct Fields {
  private static let names = [
    "schema_version", "numeric_features", "categorical_features", "means", "scales", "categories",
    "weights", "intercept",
  ]

  let numericNames: [String]
  let categoricalNames: [String]
  let means: [Double]
  let scales: [Double]
  let categories: [[String]]
  let intercept: Double
  private let weights: [(name: String, value: JSONTree)]

  init(_ tree: JSONTree) throws(ModelFormatError) {
    let fields = try Self.object(tree, "text")
    func field(_ name: String) throws(ModelFormatError) -> JSONTree {
      guard let field = fields.first(where: { $0.name == name }) else {
        throw ModelFormatError(place: name, reason: "is missing")
      }
      return field.value
    }
    // The version first: another version's fields may well be others.
    let version = try Self.number(field("schema_version"), "schema_version")
    guard version == Double(LearnedModel.schemaVersion) else {
      throw ModelFormatError(
        place: "schema_version",
        reason: "\(version) can't be read; this code reads \(LearnedModel.schemaVersion)")
    }
    for (name, _) in fields where !Self.names.contains(name) {
      throw ModelFormatError(
        place: name, reason: "is no field; they are \(Self.names.joined(separator: ", "))")
    }
    numericNames = try Self.list(field("numeric_features"), "numeric_features", Self.string)
    categoricalNames = try Self.list(
      field("categorical_features"), "categorical_features", Self.string)
    means = try Self.list(field("means"), "means", Self.number)
    scales = try Self.list(field("scales"), "scales", Self.number)
    categories = try Self.list(field("categories"), "categories") {
      (tree, place) throws(ModelFormatError) in try Self.list(tree, place, Self.string)
    }
    weights = try Self.object(field("weights"), "weights")
    intercept = try Self.number(field("intercept"), "intercept")
  }

  /// The weights in the order of `names`, which must be those of the weights.
  func weights(of names: [String]) throws(ModelFormatError) -> [Double] {
    var left: [[UInt8]: JSONTree] = [:]
    for (name, value) in weights { left[Array(name.utf8)] = value }
    var values: [Double] = []
    for name in names {
      guard let tree = left.removeValue(forKey: Array(name.utf8)) else {
        throw ModelFormatError(place: "weights.\(name)", reason: "is missing")
      }
      values.append(try Self.number(tree, "weights.\(name)"))
    }
    for (name, _) in weights where left[Array(name.utf8)] != nil {
      throw ModelFormatError(
        place: "weights.\(name)", reason: "is no encoded feature of this model")
    }
    return values
  }

  private static func object(
    _ tree: JSONTree, _ place: String
  ) throws(ModelFormatError) -> [(name: String, value: JSONTree)] {
    guard case .object(let fields) = tree else { throw mismatch(tree, place, "an object") }
    return fields
  }

  private static func list<Element>(
    _ tree: JSONTree, _ place: String,
    _ element: (JSONTree, String) throws(ModelFormatError) -> Element
  ) throws(ModelFormatError) -> [Element] {
    guard case .array(let trees) = tree else { throw mismatch(tree, place, "an array") }
    var elements: [Element] = []
    for (index, tree) in trees.enumerated() {
      elements.append(try element(tree, "\(place)[\(index)]"))
    }
    return elements
  }

  private static func number(_ tree: JSONTree, _ place: String) throws(ModelFormatError) -> Double {
    guard case .number(let number) = tree else { throw mismatch(tree, place, "a number") }
    guard number.isFinite else {
      throw ModelFormatError(place: place, reason: "the number is too large to be finite")
    }
    return number
  }

  private static func string(_ tree: JSONTree, _ place: String) throws(ModelFormatError) -> String {
    guard case .string(let text) = tree else { throw mismatch(tree, place, "a string") }
    return text
  }

  private static func mismatch(
    _ tree: JSONTree, _ place: String, _ expected: String
  ) -> ModelFormatError {
    ModelFormatError(place: place, reason: "should be \(expected), not \(tree.kind)")
  }
}
