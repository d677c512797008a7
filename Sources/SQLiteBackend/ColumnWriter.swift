import GRDB
import Moderation

/// A row's arguments, written from left to right in the order of its columns; what can't be stored
/// as it is throws ``UnstorableValue``.
struct ColumnWriter {
  private let columns: [String]
  /// The arguments so far.
  private(set) var arguments: [Argument] = []

  /// Starts at the first of the columns.
  init(_ columns: [String]) {
    self.columns = columns
    arguments.reserveCapacity(columns.count)
  }

  /// A text or NULL. SQLite would cut a text off at a NUL, and PostgreSQL refuses it.
  mutating func text(_ text: String?) throws {
    if let text, text.hasNUL {
      throw unstorable("the text contains a NUL (U+0000); take it out")
    }
    arguments.append(text)
  }

  /// An id or NULL.
  mutating func id<Entity>(_ id: ID<Entity>?) { arguments.append(id?.description) }

  /// An instant or NULL. Beyond the years of four digits the texts don't sort as the instants do.
  mutating func time(_ time: EventTime?) throws {
    if let time, !(0...9999).contains(time.date.year) {
      throw unstorable("\(time) isn't in the years 0 to 9999; correct the clock that gave it")
    }
    arguments.append(time?.description)
  }

  /// A date or NULL.
  mutating func date(_ date: CivilDate?) throws {
    let start = date.map { EventTime(date: $0, microsecondsIntoDay: 0) }
    try time(start)
    if let start { arguments[arguments.count - 1] = String(start.description.prefix(10)) }
  }

  /// A number or NULL.
  mutating func number(_ number: Int?) { arguments.append(number) }

  /// A number.
  mutating func number(_ number: Double) { arguments.append(number) }

  /// 0 or 1.
  mutating func boolean(_ isTrue: Bool) { arguments.append(isTrue) }

  private func unstorable(_ problem: String) -> UnstorableValue {
    UnstorableValue(column: columns[arguments.count], problem: problem)
  }
}

extension String {
  /// Whether SQLite would cut the text off.
  var hasNUL: Bool { utf8.contains(0) }
}
