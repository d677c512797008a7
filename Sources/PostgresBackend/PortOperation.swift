import Ports

/// A port's method, as errors name it.
struct PortOperation {
  /// The protocol's name.
  let port: String
  /// The method's name.
  let name: String

  /// A port's method.
  init(_ port: String, _ name: String) {
    self.port = port
    self.name = name
  }

  /// An error of this method.
  func error(_ code: PortError.Code, _ hint: String) -> PortError {
    PortError(code, port: port, operation: name, hint: hint)
  }
}
