import Moderation

/// The rows of one table in the order of their insertion, found by id; none is ever removed.
///
/// Rows are read and changed in place: a row holds up to five strings, and copying them at every
/// look costs more than the look itself.
struct RowTable<Row> {
  private var places: [ID<Row>: Int] = [:]
  private(set) var rows: [Row] = []

  /// A copy of a row.
  subscript(_ id: ID<Row>) -> Row? { places[id].map { rows[$0] } }

  /// Whether there is such a row.
  func contains(_ id: ID<Row>) -> Bool { places[id] != nil }

  /// A row's place in ``rows``, for a look at one of its columns.
  func place(of id: ID<Row>) -> Int? { places[id] }

  /// Changes a row in place; nil when there is no such row.
  @discardableResult
  mutating func change<Value>(_ id: ID<Row>, _ change: (inout Row) -> Value) -> Value? {
    guard let place = places[id] else { return nil }
    return change(&rows[place])
  }

  /// Inserts a row, or replaces the one that has the id.
  mutating func put(_ row: Row, at id: ID<Row>) {
    if let place = places[id] {
      rows[place] = row
    } else {
      places[id] = rows.count
      rows.append(row)
    }
  }

  /// All rows by (creation, id).
  func sorted(by created: (Row) -> EventTime) -> [Row] {
    places.map { (id: $0.key, created: created(rows[$0.value]), place: $0.value) }
      .sorted { ($0.created, $0.id) < ($1.created, $1.id) }
      .map { rows[$0.place] }
  }
}
