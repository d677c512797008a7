import GRDB
import Ports

extension PortError.Code {
  /// The file can be read but not written.
  public static let readOnly = PortError.Code(name: "read-only", isRetryable: false)
  /// SQLite reports what none of its adapters expects.
  public static let sqlite = PortError.Code(name: "sqlite", isRetryable: false)
}

extension SQLiteDatabase {
  /// What the caller of a port is told about an error from a transaction's body or from SQLite.
  static func portError(
    _ error: any Error, in path: String, _ operation: PortMethod
  ) -> PortError {
    switch error {
    case let error as PortError: error
    case let error as UnreadableColumn: operation.error(.corrupt, error.hint(in: path))
    case let error as UnstorableValue: operation.error(.invalid, error.hint)
    case let error as DatabaseError:
      constraint(error, operation) ?? condition(error, path, operation)
    default: operation.error(.sqlite, "\(error), in '\(path)'")
    }
  }

  /// What SQLite says of the rows; nil when it speaks of something else.
  private static func constraint(
    _ error: DatabaseError, _ operation: PortMethod
  ) -> PortError? {
    guard error.resultCode == .SQLITE_CONSTRAINT else { return nil }
    let message = error.message ?? "a constraint failed"
    return switch error.extendedResultCode {
    case .SQLITE_CONSTRAINT_FOREIGNKEY:
      operation.error(.missingReference, "\(message): a row refers to one that doesn't exist")
    case .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_UNIQUE:
      operation.error(.invalid, "\(message): one commit inserts the same key twice")
    default:
      operation.error(.invalid, "\(message): correct that column")
    }
  }

  /// What SQLite says of the file.
  private static func condition(
    _ error: DatabaseError, _ path: String, _ operation: PortMethod
  ) -> PortError {
    let message = error.message ?? error.resultCode.description
    return switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      operation.error(
        .unavailable,
        "another connection holds the lock of '\(path)'; try again, or end what holds it: "
          + "`fuser '\(path)'` names the process")
    case .SQLITE_NOTADB:
      operation.error(
        .corrupt, "'\(path)' isn't an SQLite database; name another file, or move that one away")
    case .SQLITE_CORRUPT:
      operation.error(
        .corrupt,
        "'\(path)' is damaged (\(message)); restore a copy, or save what can be read with "
          + "`sqlite3 '\(path)' .recover`")
    case .SQLITE_FULL:
      operation.error(
        .unavailable, "no space is left for '\(path)'; free some on its disk, then try again")
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      operation.error(
        .readOnly,
        "'\(path)' can't be written; let this user write the file and its folder, where SQLite "
          + "keeps the -wal file")
    case .SQLITE_CANTOPEN:
      operation.error(
        .notFound,
        "'\(path)' can't be opened; make its folder first, and let this user write there")
    case .SQLITE_IOERR:
      operation.error(
        .unavailable, "'\(path)': \(message); check the disk and its file system")
    case .SQLITE_MISUSE:
      operation.error(.invalid, "'\(path)': \(message); a closed database takes no calls")
    case .SQLITE_TOOBIG:
      operation.error(.invalid, "'\(path)': \(message); a value is over SQLite's limit of 1 GB")
    default:
      operation.error(.sqlite, "'\(path)': \(message)")
    }
  }
}

/// A column holds what no adapter has written.
struct UnreadableColumn: Error {
  /// The column's name.
  let column: String
  /// What it holds.
  let value: String
  /// What it should hold.
  let expected: String

  /// What is wrong and how to mend it.
  func hint(in path: String) -> String {
    "column \(column) holds \(value), not \(expected); correct the row with `sqlite3 '\(path)'`"
  }
}

/// A value that its column can't hold as it is.
struct UnstorableValue: Error {
  /// The column that it is meant for.
  let column: String
  /// What is wrong with it, and how to mend it.
  let problem: String

  /// The column and its problem.
  var hint: String { "\(column): \(problem)" }
}
