/// Reads the fields of one Avro record by their Iceberg ids; files of other writers may name them
/// otherwise, and leave optional ones out.
struct AvroFields {
  private let record: AvroRecord
  private let path: String

  init(_ value: AvroValue?, at path: String) throws(LakehouseError) {
    guard case .record(let record)? = value else {
      throw LakehouseError(field: path, reason: "must be a record")
    }
    self.record = record
    self.path = path
  }

  /// A field's value; nil when it is missing or null.
  func value(_ id: Int) -> AvroValue? {
    guard let value = record[fieldID: id], value != .null else { return nil }
    return value
  }

  /// All values in the order of the record, null ones as nil.
  var values: [AvroValue?] { record.values.map { $0 == .null ? nil : $0 } }

  func integer(_ id: Int, _ name: String) throws(LakehouseError) -> Int64 {
    guard let value = try optionalInteger(id, name) else { throw missing(name) }
    return value
  }

  func optionalInteger(_ id: Int, _ name: String) throws(LakehouseError) -> Int64? {
    switch value(id) {
    case nil: return nil
    case .int(let value): return Int64(value)
    case .long(let value): return value
    default: throw wrong(name, "an integer")
    }
  }

  func text(_ id: Int, _ name: String) throws(LakehouseError) -> String {
    switch value(id) {
    case nil: throw missing(name)
    case .string(let text): return text
    default: throw wrong(name, "text")
    }
  }

  func list(_ id: Int, _ name: String) throws(LakehouseError) -> [AvroValue] {
    switch value(id) {
    case nil: return []
    case .array(let values): return values
    default: throw wrong(name, "a list")
    }
  }

  func bytes(_ id: Int) -> [UInt8]? {
    if case .bytes(let bytes)? = value(id) { bytes } else { nil }
  }

  /// A map with integer keys.
  func map<Value>(
    _ id: Int, _ name: String, _ read: (AvroValue) -> Value?
  ) throws(LakehouseError) -> [Int: Value] {
    var map: [Int: Value] = [:]
    for pair in try list(id, name) {
      guard case .record(let record) = pair, case .int(let key)? = record["key"],
        let value = record["value"].flatMap(read)
      else { throw wrong(name, "a map from column ids") }
      map[Int(key)] = value
    }
    return map
  }

  func missing(_ name: String) -> LakehouseError {
    LakehouseError(field: path.isEmpty ? name : "\(path).\(name)", reason: "is missing")
  }

  private func wrong(_ name: String, _ kind: String) -> LakehouseError {
    LakehouseError(field: path.isEmpty ? name : "\(path).\(name)", reason: "must be \(kind)")
  }
}

extension AvroValue {
  /// An integer, or null.
  static func optional(_ value: Int64?) -> AvroValue { value.map { .long($0) } ?? .null }

  /// A value of a partition, of the type that the schema has for it.
  static func partition(_ value: IcebergValue?, _ schema: AvroSchema) -> AvroValue {
    guard let value else { return .null }
    var inner = schema
    if case .union(let branches) = schema, let last = branches.last { inner = last }
    switch (value, inner.underlying) {
    case (.integer(let number), .int):
      // One that doesn't fit stays long: the encoder refuses it.
      return Int32(exactly: number).map { .int($0) } ?? .long(number)
    case (.integer(let number), _): return .long(number)
    case (.number(let number), .float): return .float(Float(number))
    case (.number(let number), _): return .double(number)
    case (.text(let text), _): return .string(text)
    case (.boolean(let flag), _): return .boolean(flag)
    }
  }

  /// The value of a partition; nil for null and for types that aren't read.
  var partition: IcebergValue? {
    switch self {
    case .boolean(let flag): .boolean(flag)
    case .int(let number): .integer(Int64(number))
    case .long(let number): .integer(number)
    case .float(let number): .number(Double(number))
    case .double(let number): .number(number)
    case .string(let text): .text(text)
    default: nil
    }
  }
}
