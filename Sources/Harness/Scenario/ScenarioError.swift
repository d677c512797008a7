/// What is wrong with a scenario or policy file: where, what, and how to mend it.
public struct ScenarioError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public var file: String
  /// From 1; 0 when the whole file is meant.
  public var line: Int
  /// From 1.
  public var column: Int
  /// What is wrong, with the value seen.
  public var message: String
  /// How to mend it.
  public var hint: String?

  /// An error at a place.
  public init(file: String, line: Int = 0, column: Int = 0, message: String, hint: String? = nil) {
    self.file = file
    self.line = line
    self.column = column
    self.message = message
    self.hint = hint
  }

  /// `file:line:column: message`, then the hint on a line of its own.
  public var description: String {
    let place = line > 0 ? "\(file):\(line):\(column)" : file
    return "\(place): \(message)" + (hint.map { "\n  \($0)" } ?? "")
  }
}
