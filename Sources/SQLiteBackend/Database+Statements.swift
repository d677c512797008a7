import GRDB

/// A value for a statement's `?`.
typealias Argument = (any DatabaseValueConvertible)?

/// Statements are prepared once per connection, found again by their text, and take all values as
/// arguments.
extension Database {
  /// Runs a statement that gives no rows.
  func run(_ sql: String, _ arguments: [Argument]) throws {
    try cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
  }

  /// Whether a query gives a row.
  func has(_ sql: String, _ arguments: [Argument]) throws -> Bool {
    let statement = try cachedStatement(sql: sql)
    return try Int.fetchOne(statement, arguments: StatementArguments(arguments)) != nil
  }

  /// The first row of a query; nil when it gives none.
  func first<Value>(
    _ sql: String, _ arguments: [Argument], _ read: (inout ColumnReader) throws -> Value
  ) throws -> Value? {
    let statement = try cachedStatement(sql: sql)
    guard let row = try Row.fetchOne(statement, arguments: StatementArguments(arguments)) else {
      return nil
    }
    var reader = ColumnReader(row)
    return try read(&reader)
  }

  /// All rows of a query, in its order.
  func all<Value>(
    _ sql: String, _ arguments: [Argument] = [], _ read: (inout ColumnReader) throws -> Value
  ) throws -> [Value] {
    let statement = try cachedStatement(sql: sql)
    let rows = try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
    var values: [Value] = []
    while let row = try rows.next() {
      var reader = ColumnReader(row)
      values.append(try read(&reader))
    }
    return values
  }
}
