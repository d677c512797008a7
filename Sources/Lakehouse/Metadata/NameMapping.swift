/// Which columns the names in files without field ids mean (spec, "Name Mapping Serialization"):
/// files that were there before the table, and were added to it as they are.
struct NameMapping: Hashable, Sendable {
  /// The property that holds it.
  static let property = "schema.name-mapping.default"

  /// Field ids by name; names within nested columns are left out, as those aren't read.
  let ids: [String: Int]

  /// The mapping in a table's properties; nil when there is none.
  init?(_ metadata: TableMetadata) throws(LakehouseError) {
    guard let text = metadata.properties[Self.property] else { return nil }
    let field = "properties.\(Self.property)"
    let tree: JSONTree
    do throws(JSONError) { tree = try JSONTree(parsing: Array(text.utf8)) } catch {
      throw LakehouseError(
        file: metadata.location, field: field,
        reason: "isn't JSON: \(error.reason) (byte \(error.offset))")
    }
    guard let entries = tree.list else {
      throw LakehouseError(file: metadata.location, field: field, reason: "isn't a JSON list")
    }
    var ids: [String: Int] = [:]
    for (index, entry) in entries.enumerated() {
      guard let names = entry.object?["names"]?.list?.compactMap(\.text) else {
        throw LakehouseError(
          file: metadata.location, field: "\(field)[\(index)].names",
          reason: "isn't a list of texts"
        )
      }
      // A name without an id is of a column that the table doesn't have.
      guard let id = entry.object?["field-id"]?.integer else { continue }
      for name in names { ids[name] = Int(id) }
    }
    self.ids = ids
  }
}
