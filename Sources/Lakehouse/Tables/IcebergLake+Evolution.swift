import Ports

extension IcebergLake {
  /// See ``Lake``, rule 12.
  public func evolve(_ table: TableName, _ change: SchemaChange) async throws(PortError) {
    switch change {
    case .add(let column, let type): try await addColumn(column, type, to: table)
    case .rename(let column, let name): try await renameColumn(column, to: name, of: table)
    case .widen(let column, let type): try await widenColumn(column, to: type, of: table)
    }
  }

  /// Adds a column that may be null, to be filled by later rows.
  private func addColumn(
    _ name: String, _ type: String, to table: TableName
  ) async throws(PortError) {
    try await evolve(table) { schema, next throws(LakehouseError) in
      if let existing = schema.field(named: name) {
        // The same again: a call whose reply was lost.
        guard existing.type != .named(type) || existing.isRequired else { return }
        throw LakehouseError(field: name, reason: "is a column already")
      }
      guard IcebergType.named(type).stored != nil else {
        throw LakehouseError(field: name, reason: "can't be \(type): no such type is written")
      }
      schema.fields.append(
        IcebergField(id: next, name: name, isRequired: false, type: .named(type)))
    }
  }

  /// Renames a column; its values stay with it, since files know columns by id.
  private func renameColumn(
    _ name: String, to newName: String, of table: TableName
  ) async throws(PortError) {
    try await evolve(table) { schema, _ throws(LakehouseError) in
      guard let index = schema.fields.firstIndex(where: { $0.name == name }) else {
        throw LakehouseError(field: name, reason: "isn't a column")
      }
      guard schema.field(named: newName) == nil else {
        throw LakehouseError(field: newName, reason: "is a column already")
      }
      schema.fields[index].name = newName
    }
  }

  /// Widens a column's type: int to long, float to double.
  private func widenColumn(
    _ name: String, to type: String, of table: TableName
  ) async throws(PortError) {
    try await evolve(table) { schema, _ throws(LakehouseError) in
      guard let index = schema.fields.firstIndex(where: { $0.name == name }) else {
        throw LakehouseError(field: name, reason: "isn't a column")
      }
      guard schema.fields[index].type.widens(to: .named(type)) else {
        throw LakehouseError(
          field: name, reason: "\(schema.fields[index].type.name) can't become \(type)")
      }
      schema.fields[index].type = .named(type)
    }
  }

  private func evolve(
    _ table: TableName, _ edit: (inout IcebergSchema, Int) throws(LakehouseError) -> Void
  ) async throws(PortError) {
    _ = try await change(table, "evolve") { metadata throws(LakehouseError) in
      var schema = metadata.schema
      try edit(&schema, metadata.lastColumnID + 1)
      return metadata.evolving(to: schema)
    }
  }
}

extension TableMetadata {
  /// With another current schema.
  fileprivate func evolving(to schema: IcebergSchema) -> TableMetadata {
    var next = self
    if let same = schemas.first(where: { $0.fields == schema.fields }) {
      next.currentSchemaID = same.id
      return next
    }
    var new = schema
    new.id = (schemas.map(\.id).max() ?? -1) + 1
    next.schemas.append(new)
    next.currentSchemaID = new.id
    next.lastColumnID = max(lastColumnID, new.fields.map(\.id).max() ?? 0)
    return next
  }
}
