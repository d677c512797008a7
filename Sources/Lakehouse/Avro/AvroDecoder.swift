/// Reads Avro's binary encoding (spec 1.11, Binary Encoding) from a range of bytes.
///
/// Nothing is allocated on the word of a count or length alone: lengths are checked against the
/// bytes that are left, and each value is taken from an allowance.
struct AvroDecoder {
  private let bytes: [UInt8]
  /// The next byte.
  private(set) var offset: Int
  /// The first byte past the range.
  private let end: Int
  /// How many more values may be read.
  private(set) var allowance: Int

  /// Reads `range` of `bytes`, at most `allowance` values.
  init(_ bytes: [UInt8], range: Range<Int>, allowance: Int) {
    self.bytes = bytes
    offset = range.lowerBound
    end = range.upperBound
    self.allowance = allowance
  }

  /// The bytes left.
  var remaining: Int { end - offset }

  /// An error at the next byte.
  func failure(_ reason: String) -> AvroError { AvroError(reason, offset: offset) }

  /// A zig-zag varint of at most ten bytes.
  mutating func long() throws(AvroError) -> Int64 {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    var index = offset
    while index < end {
      let byte = bytes[index]
      guard shift < 63 || byte <= 1 else { throw failure("a varint of more than 64 bits") }
      index += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 {
        offset = index
        return Int64(bitPattern: result >> 1) ^ -Int64(bitPattern: result & 1)
      }
      shift += 7
    }
    throw failure("the data ends in a varint")
  }

  /// A zig-zag varint that fits 32 bits.
  mutating func int() throws(AvroError) -> Int32 {
    let start = offset
    let value = try long()
    guard let int = Int32(exactly: value) else {
      throw AvroError("an int of more than 32 bits: \(value)", offset: start)
    }
    return int
  }

  /// A length, then that many bytes.
  mutating func byteString() throws(AvroError) -> ArraySlice<UInt8> {
    let start = offset
    let length = try long()
    guard length >= 0, length <= Int64(remaining) else {
      throw AvroError("length \(length) with \(remaining) bytes left", offset: start)
    }
    return try raw(Int(length))
  }

  /// So many bytes as they are.
  mutating func raw(_ count: Int) throws(AvroError) -> ArraySlice<UInt8> {
    guard count <= remaining else { throw failure("\(count) bytes with \(remaining) left") }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  /// A string of valid UTF-8.
  mutating func string() throws(AvroError) -> String {
    let start = offset
    let slice = try byteString()
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw AvroError("invalid UTF-8", offset: start)
    }
    return text
  }

  /// A value of a type.
  mutating func value(_ schema: AvroSchema) throws(AvroError) -> AvroValue {
    allowance -= 1
    guard allowance >= 0 else { throw failure("more values than a file of this size may hold") }
    switch schema {
    case .null: return .null
    case .boolean: return .boolean(try boolean())
    case .int: return .int(try int())
    case .long: return .long(try long())
    case .float: return .float(Float(bitPattern: UInt32(try littleEndian(4))))
    case .double: return .double(Double(bitPattern: try littleEndian(8)))
    case .bytes: return .bytes(Array(try byteString()))
    case .string: return .string(try string())
    case .fixed(_, let size): return .fixed(Array(try raw(size)))
    case .enumeration(_, let symbols): return .enumeration(symbols[try index(symbols.count)])
    case .record(let record): return .record(try self.record(record))
    case .array(let items, _): return .array(try array(items))
    case .map(let values, _, _): return .map(try map(values))
    case .union(let branches): return try value(branches[try index(branches.count)])
    case .logical(_, let inner): return try value(inner)
    }
  }

  private mutating func boolean() throws(AvroError) -> Bool {
    guard remaining > 0 else { throw failure("the data ends where a boolean should be") }
    let byte = bytes[offset]
    guard byte <= 1 else { throw failure("a boolean of byte \(byte)") }
    offset += 1
    return byte == 1
  }

  private mutating func littleEndian(_ count: Int) throws(AvroError) -> UInt64 {
    var result: UInt64 = 0
    for byte in try raw(count).reversed() { result = result << 8 | UInt64(byte) }
    return result
  }

  /// The index of a symbol or branch.
  private mutating func index(_ count: Int) throws(AvroError) -> Int {
    let start = offset
    let index = try long()
    guard index >= 0, index < Int64(count) else {
      throw AvroError("index \(index) of \(count) branches or symbols", offset: start)
    }
    return Int(index)
  }

  private mutating func record(_ schema: AvroRecordSchema) throws(AvroError) -> AvroRecord {
    var values: [AvroValue] = []
    values.reserveCapacity(schema.types.count)
    for type in schema.types {
      do { values.append(try value(type)) } catch {
        throw error.inside(schema.fields[values.count].name)
      }
    }
    return AvroRecord(layout: schema.layout, values: values)
  }

  private mutating func array(_ schema: AvroSchema) throws(AvroError) -> [AvroValue] {
    var items: [AvroValue] = []
    while let block = try self.block() {
      // Small enough that nested arrays with false counts cost little.
      if items.isEmpty { items.reserveCapacity(min(block.count, 64)) }
      for _ in 0..<block.count {
        do { items.append(try value(schema)) } catch { throw error.inside("[\(items.count)]") }
      }
      try check(block)
    }
    return items
  }

  /// Entries in runs; of a key that comes twice, the last.
  mutating func map(_ schema: AvroSchema) throws(AvroError) -> [String: AvroValue] {
    var entries: [String: AvroValue] = [:]
    while let block = try self.block() {
      for _ in 0..<block.count {
        let key = try string()
        do { entries[key] = try value(schema) } catch { throw error.inside("[\"\(key)\"]") }
      }
      try check(block)
    }
    return entries
  }

  /// A run of items in an array or map, and where it must end if it says so.
  private struct Block {
    let count: Int
    let end: Int?
  }

  /// The next run's head; nil at the end. A negative count is followed by the run's bytes.
  private mutating func block() throws(AvroError) -> Block? {
    let start = offset
    let count = try long()
    guard count != 0 else { return nil }
    guard count.magnitude <= UInt64(allowance) else {
      throw AvroError("a count of \(count) items with \(remaining) bytes left", offset: start)
    }
    guard count < 0 else { return Block(count: Int(count), end: nil) }
    let size = try long()
    guard size >= 0, size <= Int64(remaining) else {
      throw AvroError("items of \(size) bytes with \(remaining) left", offset: start)
    }
    return Block(count: Int(-count), end: offset + Int(size))
  }

  private func check(_ block: Block) throws(AvroError) {
    guard let end = block.end, end != offset else { return }
    throw failure("items that end at byte \(offset), not \(end) as their size says")
  }
}
