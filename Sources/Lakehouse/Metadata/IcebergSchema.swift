import Ports

/// A column of an Iceberg table (spec, "Schemas and Data Types").
public struct IcebergField: Hashable, Sendable {
  /// The field id: it stays when the column is renamed.
  public var id: Int
  /// The name.
  public var name: String
  /// Whether null is excluded.
  public var isRequired: Bool
  /// The type.
  public var type: IcebergType
  /// What the column means, if somebody said so.
  public var doc: String?

  /// A column.
  public init(id: Int, name: String, isRequired: Bool, type: IcebergType, doc: String? = nil) {
    self.id = id
    self.name = name
    self.isRequired = isRequired
    self.type = type
    self.doc = doc
  }
}

/// A type by its name in metadata, or a nested one, which is kept but not read.
public enum IcebergType: Hashable, Sendable {
  /// `long`, `string`, `timestamptz`, `decimal(9,2)`, …
  case named(String)
  /// A struct, list or map, as its JSON text.
  case nested(String)

  /// How values of the type are held in memory; nil for types that this program doesn't read.
  public var column: TableSchema.ColumnType? {
    guard case .named(let name) = self else { return nil }
    switch name {
    case "string": return .string
    case "int", "long", "date", "time": return .int64
    case "float", "double": return .double
    case "boolean": return .boolean
    case "timestamp", "timestamptz": return .timestamp
    default: return nil
    }
  }

  /// How files hold values of the type; nil for types that this program doesn't write.
  var stored: ArrowType? {
    guard case .named(let name) = self else { return nil }
    switch name {
    case "string": return .string
    case "boolean": return .boolean
    case "int": return .int32
    case "long": return .int64
    case "float": return .float
    case "double": return .double
    case "date": return .date
    case "time": return .time(.microseconds)
    case "timestamp": return .timestamp(.microseconds, zone: "")
    case "timestamptz": return .timestamp(.microseconds, zone: "UTC")
    default: return nil
    }
  }

  /// The name in messages.
  public var name: String {
    switch self {
    case .named(let name): name
    case .nested(let text): text
    }
  }

  /// Whether a column of this type may become one of `wider`: int to long, float to double.
  public func widens(to wider: IcebergType) -> Bool {
    switch (name, wider.name) {
    case ("int", "long"), ("float", "double"): true
    default: self == wider
    }
  }
}

/// One schema of a table's history.
public struct IcebergSchema: Hashable, Sendable {
  /// The id by which snapshots and metadata name it.
  public var id: Int
  /// The columns.
  public var fields: [IcebergField]
  /// The columns that identify a row, by id.
  public var identifierFieldIDs: [Int] = []

  /// A schema.
  public init(id: Int, fields: [IcebergField]) {
    self.id = id
    self.fields = fields
  }

  /// The schema of a new table: ids from 1 in the order of the columns.
  public init(_ schema: TableSchema, id: Int = 0) {
    self.init(
      id: id,
      fields: schema.fields.enumerated().map { index, field in
        IcebergField(
          id: index + 1, name: field.name, isRequired: field.isRequired,
          type: .named(field.type.rawValue))
      })
  }

  /// A column by name.
  public func field(named name: String) -> IcebergField? { fields.first { $0.name == name } }

  /// A column by id.
  public func field(_ id: Int) -> IcebergField? { fields.first { $0.id == id } }

  /// The columns as rows are held in memory; a column of a type that can't be read is an error.
  public func tableSchema() throws(LakehouseError) -> TableSchema {
    var columns: [TableSchema.Field] = []
    for field in fields {
      guard let type = field.type.column else {
        throw LakehouseError(
          field: "column \(field.name)",
          reason: "type \(field.type.name) is neither read nor written")
      }
      columns.append(.init(field.name, type, isRequired: field.isRequired))
    }
    return TableSchema(columns)
  }
}

extension IcebergSchema {
  /// What of a batch in the schema's order doesn't fit the narrow types that memory has no column
  /// for, int, date and float; nil when all does. Doubles are rounded to floats.
  func misfit(of batch: RecordBatch) -> String? {
    for (field, column) in zip(fields, batch.columns) {
      switch (field.type.stored, column.values) {
      case (.int32, .integers(let values)), (.date, .integers(let values)):
        let row = values.indices.first { Int32(exactly: values[$0]) == nil && column.isValid($0) }
        if let row { return field.misfit(values[row], row) }
      case (.float, .doubles(let values)):
        let row = values.indices.first {
          values[$0].isFinite && Float(values[$0]).isInfinite && column.isValid($0)
        }
        if let row { return field.misfit(values[row], row) }
      default: continue
      }
    }
    return nil
  }

  init(_ tree: JSONTree, version: Int64, at path: String) throws(LakehouseError) {
    var object = try MetadataFields(tree, version: version, at: path)
    id = Int(try object.integer("schema-id", versionOne: 0))
    fields = []
    for (index, field) in try object.list("fields").enumerated() {
      fields.append(try IcebergField(field, version: version, at: "\(path).fields[\(index)]"))
    }
    for (index, id) in (try object.optionalList("identifier-field-ids") ?? []).enumerated() {
      guard let id = id.integer else {
        throw LakehouseError(
          field: "\(path).identifier-field-ids[\(index)]", reason: "must be an integer")
      }
      identifierFieldIDs.append(Int(id))
    }
  }

  var json: JSONTree {
    var object: [String: JSONTree] = [
      "type": .text("struct"), "schema-id": .integer(Int64(id)),
      "fields": .list(fields.map(\.json)),
    ]
    if !identifierFieldIDs.isEmpty {
      object["identifier-field-ids"] = .list(identifierFieldIDs.map { .integer(Int64($0)) })
    }
    return .object(object)
  }
}

extension IcebergField {
  fileprivate func misfit(_ value: some CustomStringConvertible, _ row: Int) -> String {
    "column \(name): \(value) in row \(row) doesn't fit \(type.name)"
  }

  init(_ tree: JSONTree, version: Int64, at path: String) throws(LakehouseError) {
    var object = try MetadataFields(tree, version: version, at: path)
    id = Int(try object.integer("id"))
    name = try object.text("name")
    isRequired = try object.boolean("required")
    doc = try object.optionalText("doc")
    guard let type = object.take("type") else {
      throw LakehouseError(field: "\(path).type", reason: "is missing")
    }
    if let name = type.text {
      self.type = .named(name)
    } else {
      var bytes: [UInt8] = []
      type.append(to: &bytes)
      self.type = .nested(String(decoding: bytes, as: UTF8.self))
    }
  }

  var json: JSONTree {
    var object: [String: JSONTree] = [
      "id": .integer(Int64(id)), "name": .text(name), "required": .boolean(isRequired),
    ]
    object["type"] =
      switch type {
      case .named(let name): .text(name)
      // It is the text of a tree, so it always is one.
      case .nested(let text): (try? JSONTree(parsing: Array(text.utf8))) ?? .text(text)
      }
    if let doc { object["doc"] = .text(doc) }
    return .object(object)
  }
}
