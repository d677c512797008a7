/// A port's method, as the errors of its adapters name it.
public struct PortMethod: Hashable, Sendable {
  /// The protocol's name.
  public let port: String
  /// The method's name.
  public let name: String

  /// A port's method.
  public init(_ port: String, _ name: String) {
    self.port = port
    self.name = name
  }

  /// An error of this method.
  public func error(_ code: PortError.Code, _ hint: String) -> PortError {
    PortError(code, port: port, operation: name, hint: hint)
  }
}
