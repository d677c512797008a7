/// Writes Avro's binary encoding (spec 1.11, Binary Encoding).
struct AvroEncoder {
  /// The bytes so far.
  private(set) var bytes: [UInt8] = []

  /// Forgets the bytes, keeping their room.
  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// A zig-zag varint.
  mutating func long(_ value: Int64) {
    var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// The length, then the bytes.
  mutating func byteString(_ value: [UInt8]) {
    long(Int64(value.count))
    bytes.append(contentsOf: value)
  }

  /// The length in UTF-8, then the text.
  mutating func string(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      long(Int64(utf8.count))
      bytes.append(contentsOf: utf8)
    }
  }

  /// The bytes as they are.
  mutating func raw(_ value: [UInt8]) { bytes.append(contentsOf: value) }

  /// A value of a type; throws where it isn't one.
  mutating func value(_ value: AvroValue, _ schema: AvroSchema) throws(AvroError) {
    switch (schema, value) {
    case (.null, .null): break
    case (.boolean, .boolean(let value)): bytes.append(value ? 1 : 0)
    case (.int, .int(let value)): long(Int64(value))
    case (.long, .long(let value)): long(value)
    case (.float, .float(let value)): littleEndian(UInt64(value.bitPattern), 4)
    case (.double, .double(let value)): littleEndian(value.bitPattern, 8)
    case (.bytes, .bytes(let value)): byteString(value)
    case (.string, .string(let text)): string(text)
    case (.fixed(_, let size), .fixed(let value)) where value.count == size: raw(value)
    case (.enumeration(_, let symbols), .enumeration(let symbol)):
      guard let index = symbols.firstIndex(of: symbol) else {
        throw failure("'\(symbol)' isn't one of the symbols \(symbols)")
      }
      long(Int64(index))
    case (.record(let schema), .record(let record)): try self.record(record, schema)
    case (.array(let schema, _), .array(let items)): try array(items, schema)
    case (.map(let schema, _, _), .map(let entries)): try map(entries, schema)
    case (.union(let branches), _): try union(value, branches)
    case (.logical(_, let inner), _): try self.value(value, inner)
    default: throw failure("a \(value.kind) where the schema has \(schema.branchName)")
    }
  }

  private func failure(_ reason: String) -> AvroError { AvroError(reason, offset: bytes.count) }

  private mutating func littleEndian(_ value: UInt64, _ count: Int) {
    for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
  }

  private mutating func record(
    _ record: AvroRecord, _ schema: AvroRecordSchema
  ) throws(AvroError) {
    guard record.layout !== schema.layout else {
      for (index, type) in schema.types.enumerated() {
        do { try value(record.values[index], type) } catch {
          throw error.inside(schema.fields[index].name)
        }
      }
      return
    }
    var found = 0
    for field in schema.fields {
      let value = record[field.name]
      guard value != nil || field.schema.takesNull else {
        throw failure("the record has no value").inside(field.name)
      }
      if value != nil { found += 1 }
      try self.field(value ?? .null, field)
    }
    guard found == record.values.count else {
      let names = Set(schema.layout.names)
      let name = record.layout.names.first { !names.contains($0) }
      throw failure("the schema has no such field, or the record has it twice").inside(name ?? "")
    }
  }

  private mutating func field(_ value: AvroValue, _ field: AvroField) throws(AvroError) {
    do { try self.value(value, field.schema) } catch { throw error.inside(field.name) }
  }

  private mutating func array(_ items: [AvroValue], _ schema: AvroSchema) throws(AvroError) {
    if !items.isEmpty { long(Int64(items.count)) }
    for (index, item) in items.enumerated() {
      do { try value(item, schema) } catch { throw error.inside("[\(index)]") }
    }
    long(0)
  }

  /// In the order of the keys, so that equal maps give equal bytes.
  private mutating func map(
    _ entries: [String: AvroValue], _ schema: AvroSchema
  ) throws(AvroError) {
    if !entries.isEmpty { long(Int64(entries.count)) }
    for (key, item) in entries.sorted(by: { $0.key < $1.key }) {
      string(key)
      do { try value(item, schema) } catch { throw error.inside("[\"\(key)\"]") }
    }
    long(0)
  }

  /// The first branch that fits; when only one is of the value's kind, its errors say more.
  private mutating func union(
    _ value: AvroValue, _ branches: [AvroSchema]
  ) throws(AvroError) {
    let first = branches.firstIndex { $0.isOfKind(value) }
    guard let first else {
      let names = branches.map(\.branchName).joined(separator: ", ")
      throw failure("a \(value.kind) where the schema has the union of \(names)")
    }
    let isOnly = !branches[(first + 1)...].contains { $0.isOfKind(value) }
    let index = isOnly ? first : branches.firstIndex { $0.fits(value) } ?? first
    long(Int64(index))
    try self.value(value, branches[index])
  }
}
