/// A statement with places `$1`, `$2` …, prepared once per connection and found again by its text.
/// Values are never part of the text.
struct Statement: Sendable {
  /// The text.
  let sql: String
  /// The types of its arguments.
  let arguments: [ColumnType]
  /// Whether the arguments are arrays of these types: one value per row.
  let takesRows: Bool

  /// A statement.
  init(_ sql: String, _ arguments: [ColumnType] = [], takesRows: Bool = false) {
    self.sql = sql
    self.arguments = arguments
    self.takesRows = takesRows
  }

  static let begin = Statement("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
  /// One state of all tables for every statement that follows.
  static let beginSnapshot = Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
  static let commit = Statement("COMMIT")
  static let rollback = Statement("ROLLBACK")
}

/// A statement and its arguments in their binary form; nil is NULL.
struct Query {
  /// The statement.
  let statement: Statement
  /// One value per place.
  let arguments: [[UInt8]?]

  /// A statement without arguments.
  init(_ statement: Statement) {
    self.statement = statement
    arguments = []
  }

  /// A statement with the values of a writer.
  init(_ statement: Statement, _ values: ColumnWriter) {
    self.statement = statement
    arguments = statement.takesRows ? values.arrays(of: statement.arguments) : values.single
  }
}

/// The types that columns have.
enum ColumnType: Sendable {
  case boolean, bytes, date, float8, int4, int8, text, timestamp, uuid

  /// The type's number in PostgreSQL's `pg_type`.
  var number: UInt32 {
    switch self {
    case .boolean: 16
    case .bytes: 17
    case .date: 1082
    case .float8: 701
    case .int4: 23
    case .int8: 20
    case .text: 25
    case .timestamp: 1184
    case .uuid: 2950
    }
  }

  /// The number of the type of its arrays.
  var arrayNumber: UInt32 {
    switch self {
    case .boolean: 1000
    case .bytes: 1001
    case .date: 1182
    case .float8: 1022
    case .int4: 1007
    case .int8: 1016
    case .text: 1009
    case .timestamp: 1185
    case .uuid: 2951
    }
  }
}
