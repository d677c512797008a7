import Moderation

/// The rows of one table in the order of their insertion, found by id; none is ever removed.
///
/// Rows are read and changed in place: a row holds up to five strings, and copying them at every
/// look costs more than the look itself.
struct RowTable<Entity, Row> {
  private var places = IDTable<Entity, Int>(filler: 0)
  private(set) var rows: [Row] = []
  /// The rows as they were last sorted, until one changes: a run asks for them twice at its end.
  private var lastSorted: [Row]?

  /// A copy of a row.
  subscript(_ id: ID<Entity>) -> Row? { places[id].map { rows[$0] } }

  /// Whether there is such a row.
  func contains(_ id: ID<Entity>) -> Bool { places[id] != nil }

  /// See ``IDTable/look(at:)``.
  func look(at id: ID<Entity>) -> UInt64 { places.look(at: id) }

  /// A row's place in ``rows``, for a look at one of its columns.
  func place(of id: ID<Entity>) -> Int? { places[id] }

  /// Changes a row in place; nil when there is no such row.
  @discardableResult
  mutating func change<Value>(_ id: ID<Entity>, _ change: (inout Row) -> Value) -> Value? {
    places[id].map { self.change(at: $0, change) }
  }

  /// Changes the row at a place.
  mutating func change<Value>(at place: Int, _ change: (inout Row) -> Value) -> Value {
    lastSorted = nil
    return change(&rows[place])
  }

  /// Inserts a row, or replaces the one that has the id.
  mutating func put(_ row: Row, at id: ID<Entity>) {
    lastSorted = nil
    if let place = places.insert(id, rows.count) { rows[place] = row } else { rows.append(row) }
  }

  /// All rows by (creation, id). Most tables are in that order already: then nothing is copied.
  mutating func sorted(by key: (Row) -> (created: EventTime, id: ID<Entity>)) -> [Row] {
    if let lastSorted { return lastSorted }
    let keys = rows.map(key)
    guard zip(keys, keys.dropFirst()).contains(where: { $0 > $1 }) else { return rows }
    let sorted = rows.indices.sorted { keys[$0] < keys[$1] }.map { rows[$0] }
    lastSorted = sorted
    return sorted
  }
}
