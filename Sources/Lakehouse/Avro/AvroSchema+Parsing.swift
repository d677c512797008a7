extension AvroSchema {
  /// The schema that a JSON text spells, its named types resolved.
  init(json text: String) throws(AvroError) {
    try self.init(json: Array(text.utf8))
  }

  /// The schema that a JSON text in UTF-8 spells, its named types resolved.
  init(json bytes: [UInt8]) throws(AvroError) {
    let json: JSONValue
    do { json = try JSONParser.parse(bytes) } catch {
      throw AvroError(error.reason, offset: error.offset)
    }
    var parser = AvroSchemaParser()
    self = try parser.parse(json, namespace: "", depth: 0).schema
  }
}

/// Turns a schema's JSON into types, keeping the named ones in a table.
private struct AvroSchemaParser {
  /// A type with its size once every reference in it is followed: references let a short text stand
  /// for a tree of any size, which limits must see.
  struct Parsed {
    var schema: AvroSchema
    var nodes = 1
    var depth = 1

    /// Counts a type inside this one.
    mutating func contain(_ inner: Parsed) throws(AvroError) {
      nodes += inner.nodes
      depth = max(depth, inner.depth + 1)
      guard nodes <= AvroLimits.schemaNodes, depth <= AvroLimits.schemaDepth else {
        throw AvroError(
          "the schema is too large: over \(AvroLimits.schemaNodes) types or "
            + "\(AvroLimits.schemaDepth) levels")
      }
    }
  }

  /// The named types so far; nil while the type's own definition is being read.
  private var named: [String: Parsed?] = [:]

  private static let primitives: [String: AvroSchema] = [
    "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float,
    "double": .double, "bytes": .bytes, "string": .string,
  ]

  mutating func parse(
    _ json: JSONValue, namespace: String, depth: Int
  ) throws(AvroError) -> Parsed {
    guard depth < AvroLimits.schemaDepth else {
      throw AvroError("the schema nests deeper than \(AvroLimits.schemaDepth) levels")
    }
    switch json {
    case .string(let name): return try resolve(name, namespace: namespace)
    case .array(let branches):
      return try union(branches, namespace: namespace, depth: depth)
    case .object: return try object(json, namespace: namespace, depth: depth)
    default: throw AvroError("a schema is a name, an object or an array, not \(json.text)")
    }
  }

  private func resolve(_ name: String, namespace: String) throws(AvroError) -> Parsed {
    if let primitive = Self.primitives[name] { return Parsed(schema: primitive) }
    let fullName = Self.fullName(name, namespace: namespace)
    guard let found = named[fullName] else { throw AvroError("no type is named '\(fullName)'") }
    guard let parsed = found else { throw AvroError("the type '\(name)' contains itself") }
    return parsed
  }

  private static func fullName(_ name: String, namespace: String) -> String {
    name.contains(".") || namespace.isEmpty ? name : "\(namespace).\(name)"
  }

  private mutating func union(
    _ branches: [JSONValue], namespace: String, depth: Int
  ) throws(AvroError) -> Parsed {
    guard !branches.isEmpty else { throw AvroError("a union without branches") }
    var schemas: [AvroSchema] = []
    var seen: Set<String> = []
    var result = Parsed(schema: .null)
    for branch in branches {
      let parsed = try parse(branch, namespace: namespace, depth: depth + 1)
      if case .union = parsed.schema { throw AvroError("a union directly in a union") }
      let name = parsed.schema.branchName
      guard seen.insert(name).inserted else { throw AvroError("a union with '\(name)' twice") }
      try result.contain(parsed)
      schemas.append(parsed.schema)
    }
    result.schema = .union(schemas)
    return result
  }

  private mutating func object(
    _ json: JSONValue, namespace: String, depth: Int
  ) throws(AvroError) -> Parsed {
    guard let type = json["type"] else { throw AvroError("a schema's object without 'type'") }
    switch type.string {
    case "record", "error", "enum", "fixed":
      return try definition(json, namespace: namespace, depth: depth)
    case "array":
      guard let items = json["items"] else { throw AvroError("an array without 'items'") }
      let inner: Parsed
      do { inner = try parse(items, namespace: namespace, depth: depth + 1) } catch {
        throw error.inside("[]")
      }
      return try container(
        .array(inner.schema, elementID: json["element-id"]?.integer), of: inner, json)
    case "map":
      guard let values = json["values"] else { throw AvroError("a map without 'values'") }
      let inner: Parsed
      do { inner = try parse(values, namespace: namespace, depth: depth + 1) } catch {
        throw error.inside("[]")
      }
      let keyID = json["key-id"]?.integer
      let valueID = json["value-id"]?.integer
      return try container(.map(inner.schema, keyID: keyID, valueID: valueID), of: inner, json)
    default:
      return try annotate(parse(type, namespace: namespace, depth: depth + 1), json)
    }
  }

  private func container(
    _ schema: AvroSchema, of inner: Parsed, _ json: JSONValue
  ) throws(AvroError) -> Parsed {
    var parsed = Parsed(schema: schema)
    try parsed.contain(inner)
    return try annotate(parsed, json)
  }

  /// Adds the `logicalType`, unless a reference brings the very same with it.
  private func annotate(_ parsed: Parsed, _ json: JSONValue) throws(AvroError) -> Parsed {
    guard let name = json["logicalType"]?.string else { return parsed }
    let logical = AvroLogicalType(
      name, precision: json["precision"]?.integer, scale: json["scale"]?.integer,
      isAdjustedToUTC: json["adjust-to-utc"]?.boolean)
    if case .logical(logical, _) = parsed.schema { return parsed }
    var result = Parsed(schema: .logical(logical, parsed.schema))
    try result.contain(parsed)
    return result
  }

  private mutating func definition(
    _ json: JSONValue, namespace: String, depth: Int
  ) throws(AvroError) -> Parsed {
    guard let simpleName = json["name"]?.string, !simpleName.isEmpty else {
      throw AvroError("a \(json["type"]?.string ?? "type") without a name")
    }
    let name = Self.fullName(simpleName, namespace: json["namespace"]?.string ?? namespace)
    guard Self.primitives[name] == nil, named[name] == nil else {
      throw AvroError("the type name '\(name)' is taken")
    }
    named[name] = .some(nil)
    var parsed: Parsed
    switch json["type"]?.string {
    case "fixed": parsed = Parsed(schema: .fixed(name: name, size: try size(json, of: name)))
    case "enum":
      let symbols = try symbols(json, of: name)
      parsed = Parsed(schema: .enumeration(name: name, symbols: symbols))
    default:
      let ownNamespace = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? ""
      parsed = try record(json, name: name, namespace: ownNamespace, depth: depth)
    }
    parsed = try annotate(parsed, json)
    named[name] = parsed
    return parsed
  }

  private func size(_ json: JSONValue, of name: String) throws(AvroError) -> Int {
    guard let size = json["size"]?.integer, size >= 0 else {
      throw AvroError("the fixed '\(name)' lacks a size of 0 or more")
    }
    return size
  }

  private func symbols(_ json: JSONValue, of name: String) throws(AvroError) -> [String] {
    guard case .array(let items) = json["symbols"] else {
      throw AvroError("the enum '\(name)' lacks its symbols")
    }
    let symbols = items.compactMap(\.string)
    guard symbols.count == items.count, Set(symbols).count == symbols.count else {
      throw AvroError("the enum '\(name)' has a symbol twice, or one that isn't a string")
    }
    return symbols
  }

  private mutating func record(
    _ json: JSONValue, name: String, namespace: String, depth: Int
  ) throws(AvroError) -> Parsed {
    guard case .array(let items) = json["fields"] else {
      throw AvroError("the record '\(name)' lacks its fields")
    }
    var fields: [AvroField] = []
    var seen: Set<String> = []
    var result = Parsed(schema: .null)
    for item in items {
      guard let fieldName = item["name"]?.string, let type = item["type"] else {
        throw AvroError("the record '\(name)' has a field without name or type")
      }
      guard seen.insert(fieldName).inserted else {
        throw AvroError("the record '\(name)' has two fields named '\(fieldName)'")
      }
      do {
        let parsed = try parse(type, namespace: namespace, depth: depth + 1)
        try result.contain(parsed)
        fields.append(field(item, name: fieldName, schema: parsed.schema))
      } catch { throw error.inside(fieldName) }
    }
    result.schema = .record(named: name, fields: fields)
    return result
  }

  private func field(_ json: JSONValue, name: String, schema: AvroSchema) -> AvroField {
    var field = AvroField(name, schema, id: json["field-id"]?.integer)
    field.documentation = json["doc"]?.string
    field.icebergName = json["iceberg-field-name"]?.string
    field.defaultValue = json["default"]
    return field
  }
}
