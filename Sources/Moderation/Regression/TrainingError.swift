/// Why examples can't be learned from, or parts of a model don't fit together.
public struct TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where: a column, a row, a name.
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
