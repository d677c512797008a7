extension AvroSchema {
  /// Whether null is a value of this type.
  var takesNull: Bool {
    switch underlying {
    case .null: true
    case .union(let branches): branches.contains(where: \.takesNull)
    default: false
    }
  }

  /// Whether a value is of this type's kind, without a look inside it.
  func isOfKind(_ value: AvroValue) -> Bool {
    switch (self, value) {
    case (.null, .null), (.boolean, .boolean), (.int, .int), (.long, .long), (.float, .float),
      (.double, .double), (.bytes, .bytes), (.string, .string), (.record, .record),
      (.array, .array), (.map, .map):
      true
    case (.fixed(_, let size), .fixed(let bytes)): bytes.count == size
    case (.enumeration(_, let symbols), .enumeration(let symbol)): symbols.contains(symbol)
    case (.logical(_, let inner), _): inner.isOfKind(value)
    case (.union(let branches), _): branches.contains { $0.isOfKind(value) }
    default: false
    }
  }

  /// Whether a value can be written as this type, to its leaves.
  func fits(_ value: AvroValue) -> Bool {
    switch (self, value) {
    case (.record(let schema), .record(let record)):
      if record.layout === schema.layout { return true }
      let fields = schema.fields
      let known = fields.filter { record[$0.name] != nil }.count
      return known == record.values.count
        && fields.allSatisfy { field in
          record[field.name].map { field.schema.fits($0) } ?? field.schema.takesNull
        }
    case (.array(let schema, _), .array(let items)): return items.allSatisfy(schema.fits)
    case (.map(let schema, _, _), .map(let entries)): return entries.values.allSatisfy(schema.fits)
    case (.union(let branches), _): return branches.contains { $0.fits(value) }
    case (.logical(_, let inner), _): return inner.fits(value)
    default: return isOfKind(value)
    }
  }
}
