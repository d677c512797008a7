/// What a learned model sees of an image (REFERENCE §7): 16 numeric features, scaled, and three
/// categorical ones, spread into 0/1 columns.
public struct ModelInputs: Hashable, Sendable {
  /// The numeric features, in the order of ``numericNames``.
  public var numeric: [Double]
  /// The categorical features, in the order of ``categoricalNames``.
  public var categorical: [String]

  /// The 18 features that aren't categories less the two flags, in the contract's order.
  public static let numericNames = FeatureVector.numericNames.filter { !flagNames.contains($0) }
  /// The flags and the category, which models take as names.
  public static let categoricalNames = flagNames + ["category"]

  private static let flagNames = ["is_weekend", "has_caption"]
  private static let numericIndices = numericNames.compactMap { FeatureVector.index(of: $0) }
  private static let flagIndices = flagNames.compactMap { FeatureVector.index(of: $0) }

  /// The inputs of a vector, which begins with the 18 features that aren't categories.
  public init(_ features: some RandomAccessCollection<Double>, category: String?) {
    let values = Array(features)
    numeric = Self.numericIndices.map { values[$0] }
    categorical = Self.flagIndices.map { Self.name(Int64(values[$0])) }
    categorical.append(category ?? CategoricalColumn.nullName)
  }

  /// A whole number as a name: what pandas' `astype(str)` makes of it.
  public static func name(_ value: Int64) -> String { "\(value)" }
}

extension LearnedModel {
  /// What keeps the model from scoring images; nil when nothing does. A model with other inputs
  /// would be given a wrong vector.
  public var incompatibility: String? {
    if encoding.numericNames != ModelInputs.numericNames {
      return "its numeric features aren't those of images: \(encoding.numericNames)"
    }
    if encoding.categoricalNames != ModelInputs.categoricalNames {
      return "its categorical features aren't those of images: \(encoding.categoricalNames)"
    }
    return nil
  }

  /// The probability that an image needs moderation, 0…1; the model is compatible.
  public func probability(_ inputs: ModelInputs) -> Double {
    probability(numeric: inputs.numeric, categorical: inputs.categorical)
  }

  /// The features that speak most for or against, with what they add to the logit: the largest
  /// first, those that add nothing left out.
  public func reasons(_ inputs: ModelInputs, limit: Int) -> [(feature: String, value: Double)] {
    let all = contributions(numeric: inputs.numeric, categorical: inputs.categorical)
    let sorted = all.enumerated().filter { $0.element.value != 0 }.sorted { a, b in
      let (first, second) = (a.element.value.magnitude, b.element.value.magnitude)
      return first != second ? first > second : a.offset < b.offset
    }
    return sorted.prefix(limit).map(\.element)
  }
}
