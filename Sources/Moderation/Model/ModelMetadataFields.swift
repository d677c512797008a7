/// The top level of a model's `metadata.json`, by name.
public struct ModelMetadataFields {
  private let tree: JSONTree

  /// Reads it; nil when the text is no JSON object.
  public init?(_ bytes: [UInt8]) {
    // Whoever wrote something else there has no metadata.
    guard let tree = try? JSONTree(bytes), case .object = tree else { return nil }
    self.tree = tree
  }

  private init(tree: JSONTree) { self.tree = tree }

  private func value(_ name: String) -> JSONTree? {
    guard case .object(let fields) = tree else { return nil }
    return fields.first { $0.name == name }?.value
  }

  /// A number; nil when there is none of that name.
  public func number(_ name: String) -> Double? {
    if case .number(let value)? = value(name) { value } else { nil }
  }

  /// A text; nil when there is none of that name.
  public func text(_ name: String) -> String? {
    if case .string(let value)? = value(name) { value } else { nil }
  }

  /// A truth value; nil when there is none of that name.
  public func boolean(_ name: String) -> Bool? {
    if case .boolean(let value)? = value(name) { value } else { nil }
  }

  /// An object within; nil when there is none of that name.
  public func object(_ name: String) -> ModelMetadataFields? {
    guard let tree = value(name), case .object = tree else { return nil }
    return ModelMetadataFields(tree: tree)
  }
}
