/// One thing about a backend that was looked at before a run: whether it answers, its version, what
/// the account may do, what its schema is.
public struct BackendCheck: Hashable, Sendable {
  /// What was looked at: `reachable`, `version`, `permissions`, `schema`.
  public var what: String
  /// What was found, for a person.
  public var found: String
  /// What is wrong and how to mend it; nil when it's fine.
  public var problem: String?
  /// Why the backend couldn't be asked at all; nil when it could.
  public var refusal: PortError?

  /// Something that was looked at.
  public init(_ what: String, found: String, problem: String? = nil) {
    self.what = what
    self.found = found
    self.problem = problem
  }

  /// The backend can't be asked: it isn't there, or refuses whoever asks.
  public init(unreachable error: PortError) {
    self.init("reachable", found: "no: \(error.code.name)", problem: error.hint)
    refusal = error
  }
}
