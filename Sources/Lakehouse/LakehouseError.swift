import Ports

/// Why a file of a table can't be understood or written: which file, which field, what is wrong.
public struct LakehouseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file's location; empty when it isn't about a file.
  public var file: String
  /// The field at fault, as a path; empty when all of it is.
  public var field: String
  /// What is wrong, with the value seen.
  public var reason: String

  /// An error.
  public init(file: String = "", field: String = "", reason: String) {
    self.file = file
    self.field = field
    self.reason = reason
  }

  /// `file: field: reason`.
  public var description: String {
    [file, field, reason].filter { !$0.isEmpty }.joined(separator: ": ")
  }

  /// The same error about this file, if it names none yet.
  func about(_ file: String) -> LakehouseError {
    var error = self
    if error.file.isEmpty { error.file = file }
    return error
  }

  /// As the error of a port's operation: no retry mends it.
  func portError(_ operation: String) -> PortError {
    PortError(.corrupt, port: "Lake", operation: operation, hint: description)
  }
}
