import Ports

/// Batches made from a seed, so that every test sees the same values on every run.
struct Batches {
  private var state: UInt64

  /// A sequence of its own for each seed.
  init(seed: UInt64) { state = seed }

  /// One column of each type, required and nullable.
  static let schema = TableSchema(
    [TableSchema.ColumnType.string, .int64, .double, .boolean, .timestamp].flatMap { type in
      [
        TableSchema.Field("\(type)", type),
        TableSchema.Field("\(type)_or_null", type, isRequired: false),
      ]
    })

  /// Field ids that are neither positions nor in order.
  static let fieldIDs = schema.fields.indices.map { 1000 - $0 * 7 }

  /// The next number of a linear congruential sequence.
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 17
  }

  /// A batch of ``schema``; every `nullEvery`th value is null on average.
  mutating func batch(rows: Int, nullEvery: UInt64 = 3) -> RecordBatch {
    RecordBatch(
      schema: Self.schema,
      columns: Self.schema.fields.map { column($0, rows: rows, nullEvery: nullEvery) })
  }

  private mutating func column(
    _ field: TableSchema.Field, rows: Int, nullEvery: UInt64
  ) -> RecordBatch.Column {
    var validity = Array(repeating: true, count: rows)
    if !field.isRequired {
      for row in 0..<rows { validity[row] = next() % nullEvery != 0 }
    }
    let values: RecordBatch.Values =
      switch field.type {
      case .string: .strings(validity.map { $0 ? text() : "" })
      case .int64: .integers(validity.map { $0 ? number() : 0 })
      case .timestamp: .integers(validity.map { $0 ? number() / 1000 : 0 })
      case .double: .doubles(validity.map { $0 ? Double(number()) / 3 : 0 })
      case .boolean: .booleans(validity.map { $0 ? next() % 2 == 0 : false })
      }
    return RecordBatch.Column(values, validity: validity.contains(false) ? validity : nil)
  }

  private mutating func number() -> Int64 {
    Int64(bitPattern: next() << 47 ^ next() << 20 ^ next())
  }

  private mutating func text() -> String {
    let pieces = ["a", "ß", "日本", "🧪", "\0", "e\u{301}", "image/0123456789"]
    return (0..<next() % 5).map { _ in pieces[Int(next() % UInt64(pieces.count))] }.joined()
  }
}
