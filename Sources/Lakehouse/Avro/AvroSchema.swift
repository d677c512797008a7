/// An Avro 1.11 schema with every named type resolved, and the attributes that Iceberg adds (spec,
/// Appendix A, Avro).
///
/// A name that a schema's text only refers to is replaced by the type it names, so a walk never
/// needs a table; printing defines each name once and refers to it after. Recursive types are
/// refused: Iceberg has none. Names are full names, with the namespace in front.
enum AvroSchema: Hashable, Sendable {
  case null
  case boolean
  case int
  case long
  case float
  case double
  case bytes
  case string
  case fixed(name: String, size: Int)
  case enumeration(name: String, symbols: [String])
  case record(AvroRecordSchema)
  /// `elementID` is Iceberg's `element-id`.
  indirect case array(AvroSchema, elementID: Int? = nil)
  /// The keys are strings; `keyID` and `valueID` are Iceberg's `key-id` and `value-id`.
  indirect case map(AvroSchema, keyID: Int? = nil, valueID: Int? = nil)
  case union([AvroSchema])
  /// A type with a `logicalType`: encoded as the type itself.
  indirect case logical(AvroLogicalType, AvroSchema)

  /// A record type.
  static func record(named name: String, fields: [AvroField]) -> AvroSchema {
    .record(AvroRecordSchema(name: name, fields: fields))
  }

  /// The type or null, null first, as Iceberg writes an optional field.
  static func optional(_ schema: AvroSchema) -> AvroSchema { .union([.null, schema]) }

  /// The type under its logical types.
  var underlying: AvroSchema {
    var schema = self
    while case .logical(_, let inner) = schema { schema = inner }
    return schema
  }

  /// The record type this is, under its logical types; nil for any other.
  var recordSchema: AvroRecordSchema? {
    if case .record(let record) = underlying { record } else { nil }
  }

  /// The full name of a fixed, enumeration or record; nil for any other.
  var typeName: String? {
    switch underlying {
    case .fixed(let name, _), .enumeration(let name, _): name
    case .record(let record): record.name
    default: nil
    }
  }

  /// What tells a union's branches apart: the name of a named type, the kind of any other.
  var branchName: String {
    switch underlying {
    case .null: "null"
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bytes: "bytes"
    case .string: "string"
    case .fixed(let name, _), .enumeration(let name, _): name
    case .record(let record): record.name
    case .array: "array"
    case .map: "map"
    case .union: "union"
    case .logical: "logical"
    }
  }
}

/// A schema's `logicalType` with the parameters that Iceberg's types use.
struct AvroLogicalType: Hashable, Sendable {
  /// The text of `logicalType`: `date`, `timestamp-micros`, `decimal`, `uuid`, or `map` on an array
  /// of key-value records.
  var name: String
  /// A decimal's digits.
  var precision: Int?
  /// A decimal's digits after the point.
  var scale: Int?
  /// Iceberg's `adjust-to-utc` on timestamps.
  var isAdjustedToUTC: Bool?

  /// A logical type by its name.
  init(
    _ name: String, precision: Int? = nil, scale: Int? = nil, isAdjustedToUTC: Bool? = nil
  ) {
    self.name = name
    self.precision = precision
    self.scale = scale
    self.isAdjustedToUTC = isAdjustedToUTC
  }

  /// An array of records with `key` and `value`, Iceberg's map with keys that aren't strings.
  static let map = AvroLogicalType("map")
}

/// One field of a record.
struct AvroField: Hashable, Sendable {
  /// The name in the file.
  var name: String
  /// The type.
  var schema: AvroSchema
  /// Iceberg's `field-id`.
  var fieldID: Int?
  /// The `doc` text.
  var documentation: String?
  /// Iceberg's `iceberg-field-name`: the column's name where Avro can't spell it.
  var icebergName: String?
  /// The `default` that readers use, as in the text; nil for none.
  var defaultValue: JSONValue?

  /// A field; one that may be null gets the default null, as Iceberg writes it, unless told
  /// otherwise.
  init(
    _ name: String, _ schema: AvroSchema, id fieldID: Int? = nil, documentation: String? = nil
  ) {
    self.name = name
    self.schema = schema
    self.fieldID = fieldID
    self.documentation = documentation
    if case .union(let branches) = schema, branches.first == .null { defaultValue = .null }
  }
}

/// A record's name and fields; a class so that a walk over a schema copies one reference.
final class AvroRecordSchema: Hashable, Sendable {
  /// The full name.
  let name: String
  /// The fields in the order of their encoding.
  let fields: [AvroField]
  /// The fields' types alone: what a walk over many records needs, without the rest of each field.
  let types: [AvroSchema]
  /// The names and ids that all records of this type share.
  let layout: AvroRecordLayout

  /// A record type.
  init(name: String, fields: [AvroField]) {
    self.name = name
    self.fields = fields
    types = fields.map(\.schema)
    layout = AvroRecordLayout(names: fields.map(\.name), fieldIDs: fields.map(\.fieldID))
  }

  static func == (left: AvroRecordSchema, right: AvroRecordSchema) -> Bool {
    left === right || (left.name == right.name && left.fields == right.fields)
  }

  /// Hashes the name and the fields' names: enough to tell types apart, at no walk's cost.
  func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(layout.names)
  }
}
