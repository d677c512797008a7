extension AvroSchema {
  /// The schema as JSON text: the same for equal schemas, without whitespace, each named type
  /// defined where it first stands and referred to after.
  var json: String {
    var printer = AvroSchemaPrinter()
    return printer.write(self, namespace: "").text
  }
}

/// Turns types into a schema's JSON, remembering the named ones that it has defined.
private struct AvroSchemaPrinter {
  private var defined: [String: AvroSchema] = [:]

  mutating func write(_ schema: AvroSchema, namespace: String) -> JSONValue {
    if let name = schema.typeName {
      if let known = defined[name], known == schema { return .string(name) }
      if defined[name] == nil { defined[name] = schema }
    }
    return definition(schema, namespace: namespace)
  }

  private mutating func definition(_ schema: AvroSchema, namespace: String) -> JSONValue {
    switch schema {
    case .null, .boolean, .int, .long, .float, .double, .bytes, .string:
      return .string(schema.branchName)
    case .fixed(let name, let size):
      let head = Self.head("fixed", name, namespace: namespace)
      return .object(head + [JSONValue.Member("size", .integer(Int64(size)))])
    case .enumeration(let name, let symbols):
      let head = Self.head("enum", name, namespace: namespace)
      return .object(head + [JSONValue.Member("symbols", .array(symbols.map(JSONValue.string)))])
    case .record(let record): return self.record(record, namespace: namespace)
    case .array(let items, let elementID):
      let items = JSONValue.Member("items", write(items, namespace: namespace))
      let type = JSONValue.Member("type", .string("array"))
      return .object([type, items] + Self.id("element-id", elementID))
    case .map(let values, let keyID, let valueID):
      let values = JSONValue.Member("values", write(values, namespace: namespace))
      let type = JSONValue.Member("type", .string("map"))
      return .object([type, values] + Self.id("key-id", keyID) + Self.id("value-id", valueID))
    case .union(let branches):
      var printed: [JSONValue] = []
      for branch in branches { printed.append(write(branch, namespace: namespace)) }
      return .array(printed)
    case .logical(let logical, let inner):
      return self.logical(logical, inner, namespace: namespace)
    }
  }

  /// The type's kind and name, and the empty namespace where the surrounding one would be taken.
  private static func head(
    _ type: String, _ name: String, namespace: String
  ) -> [JSONValue.Member] {
    let head = [JSONValue.Member("type", .string(type)), JSONValue.Member("name", .string(name))]
    guard !namespace.isEmpty, !name.contains(".") else { return head }
    return head + [JSONValue.Member("namespace", .string(""))]
  }

  private static func id(_ key: String, _ id: Int?) -> [JSONValue.Member] {
    id.map { [JSONValue.Member(key, .integer(Int64($0)))] } ?? []
  }

  private static func text(_ key: String, _ text: String?) -> [JSONValue.Member] {
    text.map { [JSONValue.Member(key, .string($0))] } ?? []
  }

  private mutating func record(_ record: AvroRecordSchema, namespace: String) -> JSONValue {
    let ownNamespace = record.name.lastIndex(of: ".").map { String(record.name[..<$0]) } ?? ""
    var fields: [JSONValue] = []
    for field in record.fields {
      let type = JSONValue.Member("type", write(field.schema, namespace: ownNamespace))
      var members = [JSONValue.Member("name", .string(field.name)), type]
      members += Self.text("doc", field.documentation)
      if let value = field.defaultValue { members.append(JSONValue.Member("default", value)) }
      members += Self.id("field-id", field.fieldID)
      members += Self.text("iceberg-field-name", field.icebergName)
      fields.append(.object(members))
    }
    let head = Self.head("record", record.name, namespace: namespace)
    return .object(head + [JSONValue.Member("fields", .array(fields))])
  }

  private mutating func logical(
    _ logical: AvroLogicalType, _ inner: AvroSchema, namespace: String
  ) -> JSONValue {
    // A named type under its logical type was noted with it, so it is still to be defined here;
    // one noted without it is referred to.
    let isNoted = inner.typeName.map { defined[$0] == inner } ?? false
    let printed =
      isNoted ? JSONValue.string(inner.typeName ?? "") : definition(inner, namespace: namespace)
    var members = [JSONValue.Member("type", printed)]
    if case .object(let own) = printed, !own.contains(where: { $0.key == "logicalType" }) {
      members = own
    }
    members += Self.text("logicalType", logical.name)
    members += Self.id("precision", logical.precision) + Self.id("scale", logical.scale)
    if let isAdjusted = logical.isAdjustedToUTC {
      members.append(JSONValue.Member("adjust-to-utc", .boolean(isAdjusted)))
    }
    return .object(members)
  }
}
