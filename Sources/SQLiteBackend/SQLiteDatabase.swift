import GRDB
import Glibc
import Moderation
import Ports

/// One SQLite file and the one connection to it, shared by the stores that keep their tables there.
///
/// WAL journal, `synchronous = NORMAL`, foreign keys on. In that mode a crash of the process loses
/// nothing; a power cut may lose the last commits, but never part of one.
///
/// A call blocks its thread until it is done: in a simulation, which has one thread, that is the
/// point. Several processes may open one file; a writer that doesn't get the lock within the busy
/// timeout throws `unavailable`.
public final class SQLiteDatabase: Sendable {
  /// The file, as the caller named it; SQLite puts `-wal` and `-shm` beside it.
  public let path: String
  /// Whether the file is left as it is.
  let isReadOnly: Bool
  private let queue: DatabaseQueue

  /// Opens a file, and makes it when there is none; the stores make their own tables in it.
  ///
  /// - Parameter isReadOnly: leaves the file as it is, its journal mode included, and makes none.
  public init(
    path: String, isReadOnly: Bool = false, busyTimeout: Duration = .seconds(5)
  ) throws(PortError) {
    var configuration = Configuration()
    configuration.readonly = isReadOnly
    if !isReadOnly { configuration.journalMode = .wal }
    self.isReadOnly = isReadOnly
    configuration.busyMode = .timeout(busyTimeout / .seconds(1))
    configuration.foreignKeysEnabled = true
    self.path = path
    let name = isReadOnly && Self.isAtRest(path) ? Self.immutable(path) : path
    queue = try Self.open(name, configuration, attempts: Int(busyTimeout / Self.pause))
  }

  /// Whether a file is in WAL mode and nobody has it open. SQLite can't read such a file without
  /// making a `-wal` and a `-shm` beside it, and a connection that only reads can't remove them.
  private static func isAtRest(_ path: String) -> Bool {
    guard access("\(path)-wal", F_OK) != 0, let file = fopen(path, "r") else { return false }
    defer { fclose(file) }
    // The "file format write version" in SQLite's header: 2 is WAL.
    return fseek(file, 18, SEEK_SET) == 0 && fgetc(file) == 2
  }

  /// The URI of a file that SQLite may take for one that nobody changes.
  private static func immutable(_ path: String) -> String {
    let escaped = [("%", "%25"), ("?", "%3f"), ("#", "%23")]
      .reduce(path) { $0.replacing($1.0, with: $1.1) }
    return "file:\(escaped)?immutable=1"
  }

  /// How long opening waits when another process is at it.
  private static let pause: Duration = .milliseconds(10)

  /// Opens a file. The switch to WAL doesn't heed the busy timeout, so when several processes open
  /// a new file at once, all but one have to try again.
  private static func open(
    _ path: String, _ configuration: Configuration, attempts: Int
  ) throws(PortError) -> DatabaseQueue {
    do {
      return try DatabaseQueue(path: path, configuration: configuration)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && attempts > 0 {
      usleep(UInt32(pause.microseconds))
      return try open(path, configuration, attempts: attempts - 1)
    } catch {
      throw portError(error, in: path, PortMethod("SQLiteDatabase", "open"))
    }
  }

  /// Closes the connection and folds the `-wal` file into the database; calls after it throw.
  public func close() throws(PortError) {
    do {
      try queue.close()
    } catch {
      throw Self.portError(error, in: path, PortMethod("SQLiteDatabase", "close"))
    }
  }

  /// Runs a body that only reads, on one state of the file.
  func read<Value>(
    _ operation: PortMethod, _ body: (Database) throws -> Value
  ) throws(PortError) -> Value {
    try transaction(.deferred, operation, body)
  }

  /// Runs a body as one transaction, taken back when it throws.
  ///
  /// The write lock is taken at the start: what the body reads can't change before it writes.
  func write<Value>(
    _ operation: PortMethod, _ body: (Database) throws -> Value
  ) throws(PortError) -> Value {
    try transaction(.immediate, operation, body)
  }

  private func transaction<Value>(
    _ kind: Database.TransactionKind, _ operation: PortMethod,
    _ body: (Database) throws -> Value
  ) throws(PortError) -> Value {
    do {
      return try queue.writeWithoutTransaction { db in
        try db.beginTransaction(kind)
        do {
          let value = try body(db)
          try db.commit()
          return value
        } catch {
          // The first error is the one to report; after some, SQLite has rolled back by itself.
          try? db.rollback()
          throw error
        }
      }
    } catch {
      throw Self.portError(error, in: path, operation)
    }
  }
}
