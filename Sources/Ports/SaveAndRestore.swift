/// A backend that a simulation can restart from an earlier save, losing what came since.
public protocol SaveAndRestore: Sendable {
  /// Saves the state as it is; what comes back restores it, as often as it is called.
  func save() throws(PortError) -> @Sendable () throws(PortError) -> Void
}
