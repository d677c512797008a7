/// Why an ONNX model can't be made of what was given.
public struct ONNXModelError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of mistake.
  public struct Code: Hashable, Sendable {
    /// The code's name, as printed.
    public let name: String

    /// A code of a caller's own.
    public init(name: String) { self.name = name }

    /// There is no numeric column.
    public static let noNumericColumns = Code(name: "no numeric columns")
    /// Two lists that belong together differ in length.
    public static let countMismatch = Code(name: "count mismatch")
    /// A number is infinite or not a number.
    public static let notFinite = Code(name: "not finite")
    /// A scale is zero or negative.
    public static let notPositive = Code(name: "not positive")
    /// A categorical column has no category.
    public static let noCategories = Code(name: "no categories")
    /// A column, a category of one column or a metadata key occurs twice.
    public static let duplicate = Code(name: "duplicate")
    /// The file would be longer than protobuf allows (2 GiB).
    public static let tooLarge = Code(name: "too large")
  }

  /// What kind of mistake.
  public var code: Code
  /// The argument at fault, with the index where there is one: `scales[2]`.
  public var argument: String
  /// What is wrong, with the value seen.
  public var hint: String

  /// An error about one argument.
  public init(_ code: Code, argument: String, hint: String) {
    self.code = code
    self.argument = argument
    self.hint = hint
  }

  /// `weights: count mismatch: …`.
  public var description: String { "\(argument): \(code.name): \(hint)" }
}
