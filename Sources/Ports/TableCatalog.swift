/// Where each table's current metadata file lies: one pointer per table, moved by compare-and-swap.
///
/// Contract (rule N is test N of `TableCatalogConformance`):
/// 1. A table never registered has no pointer.
/// 2. `move` from nil registers a table, whose namespace must exist; it throws `conflict` when the
///    table is there already.
/// 3. `move` from a pointer throws `conflict` when the current one is another, and then changes
///    nothing: of several movers from the same pointer exactly one succeeds.
/// 4. `tables` lists every table, sorted by name.
/// 5. `createNamespace` is idempotent; `move` into a namespace that isn't there throws `notFound`.
/// 6. `drop` removes the pointer and nothing else; dropping a table that isn't there succeeds.
public protocol TableCatalog: Sendable {
  /// Makes a namespace.
  func createNamespace(_ namespace: String) async throws(PortError)
  /// All tables.
  func tables() async throws(PortError) -> [TableName]
  /// The current pointer of a table.
  func location(of table: TableName) async throws(PortError) -> String?
  /// Moves a table's pointer when it still is `expected`.
  func move(_ table: TableName, from expected: String?, to location: String)
    async throws(PortError)
  /// Removes a table's pointer.
  func drop(_ table: TableName) async throws(PortError)
}
