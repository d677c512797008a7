import CParquet
import Ports

/// One column as Arrow decoded it, and its way into Swift arrays.
///
/// Where a value is null, the result holds 0, false or "": equal columns are equal values.
struct ArrowColumn {
  /// The name, for errors.
  let name: String
  /// The type of the values; for a dictionary, of what its indices stand for.
  let type: ArrowType
  /// Arrow's struct: lengths and buffers.
  let array: ArrowArray
  private let schema: ArrowSchema
  /// The format of the values, or of the indices when there is a dictionary.
  var schemaFormat: String { schema.format.map { String(cString: $0) } ?? "" }

  /// A column whose buffers outlive it.
  init(_ array: ArrowArray, _ schema: ArrowSchema) {
    self.array = array
    self.schema = schema
    name = schema.name.map { String(cString: $0) } ?? ""
    type = ArrowType(schema)
  }

  /// How many values, nulls included.
  var count: Int { Int(array.length) }
  /// Where the column begins in its buffers.
  var offset: Int { Int(array.offset) }

  /// The column in Swift arrays, or an error that names the type that has none.
  func decoded() throws(ParquetError) -> RecordBatch.Column {
    let validity = validity()
    return RecordBatch.Column(try values(validity), validity: validity)
  }

  /// Appends the column to one of the same kind of values. Strings and 64-bit numbers go where they
  /// are to stay at once: to copy them twice takes longer than to read them.
  func append(to column: inout RecordBatch.Column) throws(ParquetError) {
    let validity = validity()
    // Each array is taken out of its case, so that it grows in place: a `switch` would hold it too.
    if validity == nil, column.validity == nil {
      if case .strings(var all) = column.values {
        column.values = .strings([])
        try appendStrings(to: &all, nil)
        column.values = .strings(all)
        return
      }
      if holdsInt64, case .integers(var all) = column.values {
        column.values = .strings([])
        all.append(contentsOf: UnsafeBufferPointer(start: buffer(1, of: Int64.self), count: count))
        column.values = .integers(all)
        return
      }
    }
    column.append(RecordBatch.Column(try values(validity), validity: validity))
  }

  /// Whether the buffer of values is as the integers are in Swift.
  private var holdsInt64: Bool {
    guard array.dictionary == nil, buffer(1, of: Int64.self) != nil else { return false }
    return switch type {
    case .int64, .timestamp(.microseconds, _), .time(.microseconds): true
    default: false
    }
  }

  /// Buffer `index`'s values from the column's first on; nil where Arrow left the buffer out,
  /// as it may when there are no values.
  func buffer<Value>(_ index: Int, of type: Value.Type) -> UnsafePointer<Value>? {
    guard index < array.n_buffers else { return nil }
    return array.buffers[index].map { $0.assumingMemoryBound(to: type) + offset }
  }

  /// Buffer `index` as it begins, without the column's offset.
  func bytes(_ index: Int) -> UnsafeRawPointer? {
    index < array.n_buffers ? array.buffers[index] : nil
  }

  /// An error of this column.
  func failure(_ reason: String) -> ParquetError { ParquetError(reason, column: name) }

  private func values(_ validity: [Bool]?) throws(ParquetError) -> RecordBatch.Values {
    if array.dictionary != nil { return .strings(try strings(validity)) }
    switch type {
    case .string, .largeString, .stringView: return .strings(try strings(validity))
    case .boolean: return .booleans(booleans(validity))
    case .float: return .doubles(numbers(Float.self, validity) { Double($0) })
    case .double: return .doubles(numbers(Double.self, validity))
    case .unsupported(let name): throw failure("\(name) can't be read into a record batch")
    case .timestamp(let unit, _): return .integers(try micros(Int64.self, unit, validity))
    case .time(let unit):
      switch unit {
      case .seconds, .milliseconds: return .integers(try micros(Int32.self, unit, validity))
      case .microseconds, .nanoseconds: return .integers(try micros(Int64.self, unit, validity))
      }
    default: return .integers(integers(validity))
    }
  }

  private func strings(_ validity: [Bool]?) throws(ParquetError) -> [String] {
    var strings: [String] = []
    strings.reserveCapacity(count)
    try appendStrings(to: &strings, validity)
    return strings
  }

  private func appendStrings(
    to strings: inout [String], _ validity: [Bool]?
  ) throws(ParquetError) {
    if let dictionary = array.dictionary, let values = schema.dictionary {
      let texts = ArrowColumn(dictionary.pointee, values.pointee)
      return try append(from: texts, to: &strings, validity)
    }
    switch type {
    case .string: try append(offsets: Int32.self, to: &strings, validity)
    case .largeString: try append(offsets: Int64.self, to: &strings, validity)
    case .stringView: try appendViews(to: &strings, validity)
    default: throw failure("\(type.name) isn't text")
    }
  }

  private func integers(_ validity: [Bool]?) -> [Int64] {
    switch type {
    case .int8: numbers(Int8.self, validity) { Int64($0) }
    case .uint8: numbers(UInt8.self, validity) { Int64($0) }
    case .int16: numbers(Int16.self, validity) { Int64($0) }
    case .uint16: numbers(UInt16.self, validity) { Int64($0) }
    case .int32, .date: numbers(Int32.self, validity) { Int64($0) }
    case .uint32: numbers(UInt32.self, validity) { Int64($0) }
    case .dateMilliseconds: numbers(Int64.self, validity) { Self.floor($0, by: 86_400_000) }
    default: numbers(Int64.self, validity)
    }
  }

  private func numbers<Stored, Value: ExpressibleByIntegerLiteral>(
    _ stored: Stored.Type, _ validity: [Bool]?, _ convert: (Stored) -> Value
  ) -> [Value] {
    guard let source = buffer(1, of: stored) else { return Array(repeating: 0, count: count) }
    let values = UnsafeBufferPointer(start: source, count: count).map(convert)
    return zeroed(values, validity)
  }

  /// Numbers as Arrow has them: copied at once.
  private func numbers<Value: ExpressibleByIntegerLiteral>(
    _ type: Value.Type, _ validity: [Bool]?
  ) -> [Value] {
    guard let source = buffer(1, of: type) else { return Array(repeating: 0, count: count) }
    return zeroed(Array(UnsafeBufferPointer(start: source, count: count)), validity)
  }

  /// Zero where there is no value.
  private func zeroed<Value: ExpressibleByIntegerLiteral>(
    _ values: [Value], _ validity: [Bool]?
  ) -> [Value] {
    guard let validity else { return values }
    return zip(values, validity).map { $1 ? $0 : 0 }
  }

  private func micros<Stored: FixedWidthInteger>(
    _ stored: Stored.Type, _ unit: ArrowType.Unit, _ validity: [Bool]?
  ) throws(ParquetError) -> [Int64] {
    if unit == .microseconds, stored == Int64.self { return numbers(Int64.self, validity) }
    let times = numbers(stored, validity) { Int64($0) }
    let factor: Int64
    switch unit {
    case .microseconds: return times
    case .nanoseconds: return times.map { Self.floor($0, by: 1000) }
    case .milliseconds: factor = 1000
    case .seconds: factor = 1_000_000
    }
    if let time = times.first(where: { $0.multipliedReportingOverflow(by: factor).overflow }) {
      throw failure("\(time) \(unit.name) doesn't fit in 64 bits of microseconds")
    }
    return times.map { $0 * factor }
  }

  private static func floor(_ value: Int64, by divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }

  private func booleans(_ validity: [Bool]?) -> [Bool] {
    let values = bits(1) ?? Array(repeating: false, count: count)
    guard let validity else { return values }
    return zip(values, validity).map { $0 && $1 }
  }

  private func validity() -> [Bool]? {
    guard array.null_count != 0, let bits = bits(0), bits.contains(false) else { return nil }
    return bits
  }

  private func bits(_ index: Int) -> [Bool]? {
    guard let bitmap = bytes(index)?.assumingMemoryBound(to: UInt8.self) else { return nil }
    return (offset..<offset + count).map { bitmap[$0 >> 3] >> UInt8($0 & 7) & 1 == 1 }
  }
}
