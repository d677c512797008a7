/// Why a port's operation failed.
///
/// A struct over an open code: adapters add codes of their own, and callers decide by
/// ``isRetryable``, never by the text.
public struct PortError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure.
  public struct Code: Hashable, Sendable {
    /// The code's name, as printed.
    public let name: String
    /// Whether the same call may succeed later.
    public let isRetryable: Bool

    /// A code of an adapter's own.
    public init(name: String, isRetryable: Bool) {
      self.name = name
      self.isRetryable = isRetryable
    }

    /// The backend doesn't answer.
    public static let unavailable = Code(name: "unavailable", isRetryable: true)
    /// Another writer was first.
    public static let conflict = Code(name: "conflict", isRetryable: true)
    /// The call was sent, but whether it was carried out isn't known.
    public static let unknownOutcome = Code(name: "unknown outcome", isRetryable: true)
    /// There is no such row, topic, object, table or snapshot.
    public static let notFound = Code(name: "not found", isRetryable: false)
    /// A row refers to one that doesn't exist.
    public static let missingReference = Code(name: "missing reference", isRetryable: false)
    /// The caller asked for something that the contract excludes.
    public static let invalid = Code(name: "invalid", isRetryable: false)
    /// What is stored is damaged, missing in part, or of a version that this program can't read.
    public static let corrupt = Code(name: "corrupt", isRetryable: false)
    /// The caller asked about an instant that is no longer kept.
    public static let outOfRetention = Code(name: "out of retention", isRetryable: false)
    /// This consumer no longer owns the partition.
    public static let fenced = Code(name: "fenced", isRetryable: true)
    /// The account may not do that, or isn't let in.
    public static let denied = Code(name: "denied", isRetryable: false)
    /// The caller was cancelled.
    public static let cancelled = Code(name: "cancelled", isRetryable: false)
  }

  /// What kind of failure.
  public var code: Code
  /// The port, by its protocol's name.
  public var port: String
  /// The operation, by its method's name.
  public var operation: String
  /// What was wrong, with the value seen, and how to mend it where there is a way.
  public var hint: String

  /// An error of one port operation.
  public init(_ code: Code, port: String, operation: String, hint: String) {
    self.code = code
    self.port = port
    self.operation = operation
    self.hint = hint
  }

  /// Whether the same call may succeed later.
  public var isRetryable: Bool { code.isRetryable }

  /// `EventLog.append: not found: …`.
  public var description: String { "\(port).\(operation): \(code.name): \(hint)" }
}
