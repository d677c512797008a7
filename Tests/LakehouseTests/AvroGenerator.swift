@testable import Lakehouse

/// Schemas and values from a seed (SplitMix64): the same seed, the same files.
struct AvroGenerator {
  private var state: UInt64
  private var names = 0
  private var named: [AvroSchema] = []
  // Within a namespace, Avro can't spell a reference to a name that has none: all or nothing.
  private let hasNamespaces: Bool

  /// A generator at the start of its sequence.
  init(seed: UInt64) {
    state = seed
    hasNamespaces = seed % 2 == 0
  }

  /// The next 64 bits.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return bits ^ bits >> 31
  }

  /// A number from zero up to, not including, `bound`.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// A whole file: a record schema and up to `maximum` records.
  mutating func file(maximum: Int = 30) -> AvroFile {
    let schema = record(depth: 3)
    var records: [AvroValue] = []
    for _ in 0..<below(maximum + 1) { records.append(value(of: schema)) }
    return AvroFile(schema: schema, metadata: ["format-version": [0x32]], records: records)
  }

  private mutating func name() -> String {
    names += 1
    return (hasNamespaces ? ["space.", "space.inner."][below(2)] : "") + "n\(names)"
  }

  private mutating func id() -> Int? { below(3) == 0 ? nil : below(1000) }

  private mutating func record(depth: Int) -> AvroSchema {
    var fields: [AvroField] = []
    for index in 0..<(1 + below(6)) {
      var field = AvroField("f\(index)", schema(depth: depth - 1), id: id())
      if below(4) == 0 { field.documentation = "a \"quoted\"\tnote, é" }
      fields.append(field)
    }
    let schema = AvroSchema.record(named: name(), fields: fields)
    named.append(schema)
    return schema
  }

  private mutating func leaf() -> AvroSchema {
    switch below(13) {
    case 0: return .boolean
    case 1: return .int
    case 2: return .long
    case 3: return .float
    case 4: return .double
    case 5: return .bytes
    case 6: return .string
    case 7: return .null
    case 8: return .logical(AvroLogicalType("timestamp-micros", isAdjustedToUTC: true), .long)
    case 9: return .logical(AvroLogicalType("decimal", precision: 9, scale: 2), .bytes)
    case 10 where !named.isEmpty: return named[below(named.count)]
    case 11:
      named.append(.enumeration(name: name(), symbols: ["A", "B", "C"]))
      return named[named.count - 1]
    default:
      let fixed = AvroSchema.fixed(name: name(), size: below(20))
      named.append(below(2) == 0 ? fixed : .logical(AvroLogicalType("uuid"), fixed))
      return named[named.count - 1]
    }
  }

  private mutating func schema(depth: Int) -> AvroSchema {
    guard depth > 0 else { return leaf() }
    switch below(8) {
    case 0: return record(depth: depth)
    case 1: return .array(schema(depth: depth - 1), elementID: id())
    case 2: return .map(schema(depth: depth - 1), keyID: id(), valueID: id())
    case 3: return .logical(.map, .array(record(depth: depth - 1)))
    case 4, 5:
      var branches: [AvroSchema] = [.null]
      for _ in 0..<(1 + below(3)) {
        let branch = schema(depth: depth - 1)
        if case .union = branch { continue }
        guard !branches.contains(where: { $0.branchName == branch.branchName }) else { continue }
        branches.insert(branch, at: below(branches.count + 1))
      }
      return .union(branches)
    default: return leaf()
    }
  }

  /// A value of a schema's type; numbers of every magnitude, none of them NaN.
  mutating func value(of schema: AvroSchema) -> AvroValue {
    switch schema {
    case .null: return .null
    case .boolean: return .boolean(below(2) == 0)
    case .int: return .int(Int32(truncatingIfNeeded: next() >> UInt64(below(64))))
    case .long: return .long(Int64(bitPattern: next() >> UInt64(below(64))))
    case .float: return .float(Float(below(1_000_000)) / -8)
    case .double: return .double(Double(below(1_000_000)) / 64)
    case .bytes: return .bytes(bytes(below(200)))
    case .string: return .string(["", "a", "naïve — 東京 🗼", "s3://bucket/data/0.parquet"][below(4)])
    case .fixed(_, let size): return .fixed(bytes(size))
    case .enumeration(_, let symbols): return .enumeration(symbols[below(symbols.count)])
    case .record(let record):
      var values: [AvroValue] = []
      for field in record.fields { values.append(value(of: field.schema)) }
      return .record(AvroRecord(layout: record.layout, values: values))
    case .array(let items, _):
      var values: [AvroValue] = []
      for _ in 0..<below(5) { values.append(value(of: items)) }
      return .array(values)
    case .map(let items, _, _):
      var values: [String: AvroValue] = [:]
      for index in 0..<below(5) { values["k\(index)"] = value(of: items) }
      return .map(values)
    case .union(let branches): return value(of: branches[below(branches.count)])
    case .logical(_, let inner): return value(of: inner)
    }
  }

  /// So many bytes.
  mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<count { bytes.append(UInt8(truncatingIfNeeded: next())) }
    return bytes
  }
}
