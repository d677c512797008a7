import GRDB
import Ports

/// The tables of one store, as the steps that lead from nothing to the current version.
///
/// A file remembers per store how many steps it has had, in `schema_versions`. To change a schema,
/// append a step; a step that was released never changes.
struct SQLiteSchema {
  /// The store's name in `schema_versions`.
  let name: String
  /// SQL of one or more statements per step.
  let steps: [String]

  /// Brings a file up to date; nothing to do when it is.
  func migrate(_ database: SQLiteDatabase) throws(PortError) {
    let operation = PortMethod("SQLiteDatabase", "migrate")
    try database.write(operation) { db in
      try db.execute(
        sql: """
          CREATE TABLE IF NOT EXISTS schema_versions (
            name TEXT PRIMARY KEY NOT NULL,
            version INTEGER NOT NULL
          ) STRICT, WITHOUT ROWID
          """)
      let version = try version(in: db)
      guard version <= steps.count else {
        throw operation.error(
          .invalid,
          "'\(database.path)' has version \(version) of the tables of '\(name)', and this program "
            + "knows \(steps.count); use the newer program, or another file")
      }
      guard version < steps.count else { return }
      for step in steps[version...] { try db.execute(sql: step) }
      try db.run("INSERT OR REPLACE INTO schema_versions VALUES (?, ?)", [name, steps.count])
    }
  }

  private func version(in db: Database) throws -> Int {
    try db.first("SELECT version FROM schema_versions WHERE name = ?", [name]) { try $0.integer() }
      ?? 0
  }
}
