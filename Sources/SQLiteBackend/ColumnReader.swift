import Foundation
import GRDB
import Moderation

/// A row's columns, read from left to right; what doesn't fit throws ``UnreadableColumn``.
struct ColumnReader {
  private let row: Row
  private var index = 0

  /// Starts at the row's first column.
  init(_ row: Row) { self.row = row }

  /// A text.
  mutating func text() throws -> String { try required("a text") { try $0.optionalText() } }

  /// A text or NULL.
  mutating func optionalText() throws -> String? {
    try next("a text") { String.fromDatabaseValue($0) }
  }

  /// A whole number.
  mutating func integer() throws -> Int { try required("a number") { try $0.optionalInteger() } }

  /// A whole number or NULL.
  mutating func optionalInteger() throws -> Int? {
    try next("a number") { Int.fromDatabaseValue($0) }
  }

  /// A number.
  mutating func double() throws -> Double {
    try required("a number") { try $0.next("a number") { Double.fromDatabaseValue($0) } }
  }

  /// 0 or 1.
  mutating func boolean() throws -> Bool {
    try required("0 or 1") { try $0.next("0 or 1") { Bool.fromDatabaseValue($0) } }
  }

  /// Bytes.
  mutating func bytes() throws -> [UInt8] {
    try required("bytes") {
      try $0.next("bytes") { Data.fromDatabaseValue($0).map { Array($0) } }
    }
  }

  /// An id.
  mutating func id<Entity>() throws -> ID<Entity> { try required("an id") { try $0.optionalID() } }

  /// An id or NULL.
  mutating func optionalID<Entity>() throws -> ID<Entity>? {
    try next("an id") { String.fromDatabaseValue($0).flatMap { ID<Entity>($0) } }
  }

  /// An instant.
  mutating func time() throws -> EventTime { try required("an instant") { try $0.optionalTime() } }

  /// An instant or NULL.
  mutating func optionalTime() throws -> EventTime? {
    try next("an instant such as 2026-06-15T14:00:00.000000Z") {
      String.fromDatabaseValue($0).flatMap { ISO8601.parse($0) }
    }
  }

  /// A date or NULL.
  mutating func optionalDate() throws -> CivilDate? {
    try next("a date such as 2000-02-29") {
      // An instant's text begins with its date.
      String.fromDatabaseValue($0).flatMap { ISO8601.parse($0 + "T00:00Z")?.date }
    }
  }

  /// One of an enumeration's texts.
  mutating func choice<Choice: RawRepresentable<String>>(_ expected: String) throws -> Choice {
    try required(expected) {
      try $0.next(expected) { String.fromDatabaseValue($0).flatMap(Choice.init(rawValue:)) }
    }
  }

  /// The next column's value; nil for NULL.
  private mutating func next<Value>(
    _ expected: String, _ convert: (DatabaseValue) -> Value?
  ) throws -> Value? {
    let stored: DatabaseValue = row[index]
    index += 1
    if stored.isNull { return nil }
    guard let value = convert(stored) else { throw unreadable(expected, "\(stored)") }
    return value
  }

  /// Reads a column that can't be NULL.
  private mutating func required<Value>(
    _ expected: String, _ read: (inout Self) throws -> Value?
  ) throws -> Value {
    guard let value = try read(&self) else { throw unreadable(expected, "NULL") }
    return value
  }

  private func unreadable(_ expected: String, _ value: String) -> UnreadableColumn {
    let names = Array(row.columnNames)
    return UnreadableColumn(column: names[index - 1], value: value, expected: expected)
  }
}
