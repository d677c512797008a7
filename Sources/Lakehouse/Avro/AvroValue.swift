/// A value of any Avro type. A union's value is the chosen branch's value itself; a logical type's
/// is the underlying type's.
enum AvroValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  case int(Int32)
  case long(Int64)
  case float(Float)
  case double(Double)
  case bytes([UInt8])
  case string(String)
  case fixed([UInt8])
  /// The symbol.
  case enumeration(String)
  case record(AvroRecord)
  case array([AvroValue])
  case map([String: AvroValue])

  /// The kind, as errors print it.
  var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bytes: "bytes"
    case .string: "string"
    case .fixed: "fixed"
    case .enumeration: "enumeration"
    case .record: "record"
    case .array: "array"
    case .map: "map"
    }
  }
}

/// The fields' names and ids of one record type, shared by all its records.
final class AvroRecordLayout: Sendable {
  /// The names in the order of the encoding.
  let names: [String]
  /// Iceberg's `field-id` of each name.
  let fieldIDs: [Int?]

  /// Names with their ids, of equal number.
  init(names: [String], fieldIDs: [Int?]) {
    precondition(names.count == fieldIDs.count, "\(names.count) names, \(fieldIDs.count) ids")
    self.names = names
    self.fieldIDs = fieldIDs
  }
}

/// A record: values in the order of its layout. Two are equal when their names and values are, in
/// order; ids don't count.
struct AvroRecord: Hashable, Sendable, ExpressibleByDictionaryLiteral {
  /// The names and ids.
  let layout: AvroRecordLayout
  /// One value for each name.
  private(set) var values: [AvroValue]

  /// Values in the layout's order, as many as it has names. This is the fast way to build many:
  /// take the layout from the schema.
  init(layout: AvroRecordLayout, values: [AvroValue]) {
    precondition(
      layout.names.count == values.count, "\(values.count) values for names \(layout.names)")
    self.layout = layout
    self.values = values
  }

  /// Names and values in any order; the writer finds each field by its name.
  init(dictionaryLiteral elements: (String, AvroValue)...) {
    layout = AvroRecordLayout(
      names: elements.map(\.0), fieldIDs: Array(repeating: nil, count: elements.count))
    values = elements.map(\.1)
  }

  /// The value of a field by its name; nil when there is no such field.
  subscript(name: String) -> AvroValue? {
    guard let index = layout.names.firstIndex(of: name) else { return nil }
    return values[index]
  }

  /// The value of a field by Iceberg's `field-id`; nil when there is no such field.
  subscript(fieldID fieldID: Int) -> AvroValue? {
    guard let index = layout.fieldIDs.firstIndex(of: fieldID) else { return nil }
    return values[index]
  }

  static func == (left: AvroRecord, right: AvroRecord) -> Bool {
    (left.layout === right.layout || left.layout.names == right.layout.names)
      && left.values == right.values
  }

  func hash(into hasher: inout Hasher) { hasher.combine(values) }
}
