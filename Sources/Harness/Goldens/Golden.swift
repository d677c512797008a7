/// What a run produced for comparison with what a person has accepted.
public struct Golden: Sendable {
  /// The scenario's name, and the folder's.
  public var name: String
  /// The tables, each with a name of its own.
  public var tables: [CSVTable]
  /// A few lines that a person reads first.
  public var summary: String

  /// A run's tables and summary.
  public init(name: String, tables: [CSVTable], summary: String) {
    self.name = name
    self.tables = tables
    self.summary = summary
  }
}

/// Why goldens can't be read or written; a golden that differs is no error.
public struct GoldenError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure.
  public struct Code: Hashable, Sendable {
    /// The code's name, as printed.
    public let name: String

    /// A golden's or table's name can't be a file's, or two tables share one.
    public static let badName = Code(name: "bad name")
    /// A file or folder can't be read.
    public static let unreadable = Code(name: "unreadable")
    /// A file or folder can't be written or removed.
    public static let unwritable = Code(name: "unwritable")
    /// A file was written in another format than this program's.
    public static let otherFormat = Code(name: "other format")
    /// A file has the format's first line, but isn't what should follow it.
    public static let malformed = Code(name: "malformed")
  }

  /// What kind of failure.
  public var code: Code
  /// The file or folder.
  public var path: String
  /// What was seen, and how to mend it.
  public var hint: String

  /// `golden/hero/scores.csv: other format: …`.
  public var description: String { "\(path): \(code.name): \(hint)" }
}
