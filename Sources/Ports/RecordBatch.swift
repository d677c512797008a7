import Moderation

/// Rows in columns: no box per cell.
public struct RecordBatch: Hashable, Sendable {
  /// One column's values; where ``Column/validity`` says false, the value means nothing.
  public enum Values: Hashable, Sendable {
    case strings([String])
    case integers([Int64])
    case doubles([Double])
    case booleans([Bool])

    /// How many values.
    public var count: Int {
      switch self {
      case .strings(let values): values.count
      case .integers(let values): values.count
      case .doubles(let values): values.count
      case .booleans(let values): values.count
      }
    }
  }

  /// A column: values, and which of them are there.
  public struct Column: Hashable, Sendable {
    /// The values; timestamps are integers.
    public var values: Values
    /// Which values are not null; nil when all are.
    public var validity: [Bool]?

    /// A column.
    public init(_ values: Values, validity: [Bool]? = nil) {
      self.values = values
      self.validity = validity
    }

    /// Strings, some of them null.
    public static func strings(_ values: [String?]) -> Column {
      Column(.strings(values.map { $0 ?? "" }), validity: Self.validity(values))
    }

    /// Integers or timestamps, some of them null.
    public static func integers(_ values: [Int64?]) -> Column {
      Column(.integers(values.map { $0 ?? 0 }), validity: Self.validity(values))
    }

    private static func validity<Value>(_ values: [Value?]) -> [Bool]? {
      values.contains { $0 == nil } ? values.map { $0 != nil } : nil
    }

    /// Whether row `index` has a value.
    public func isValid(_ index: Int) -> Bool { validity?[index] ?? true }
  }

  /// The columns' names and types.
  public var schema: TableSchema
  /// The columns, in the schema's order.
  public var columns: [Column]
  /// How many rows.
  public var count: Int { columns.first?.values.count ?? 0 }

  /// A batch; columns in the schema's order.
  public init(schema: TableSchema, columns: [Column]) {
    self.schema = schema
    self.columns = columns
  }

  /// A batch without rows.
  public init(schema: TableSchema) {
    self.schema = schema
    columns = schema.fields.map { field in
      switch field.type {
      case .string: Column(.strings([]))
      case .int64, .timestamp: Column(.integers([]))
      case .double: Column(.doubles([]))
      case .boolean: Column(.booleans([]))
      }
    }
  }

  /// The strings of a column; empty when there is no such column or it holds something else.
  public func strings(_ name: String) -> [String] {
    guard let index = schema.index(of: name), case .strings(let values) = columns[index].values
    else { return [] }
    return values
  }

  /// The integers or timestamps of a column; empty when there is no such column.
  public func integers(_ name: String) -> [Int64] {
    guard let index = schema.index(of: name), case .integers(let values) = columns[index].values
    else { return [] }
    return values
  }

  /// The booleans of a column; empty when there is no such column.
  public func booleans(_ name: String) -> [Bool] {
    guard let index = schema.index(of: name), case .booleans(let values) = columns[index].values
    else { return [] }
    return values
  }

  /// The column of this name, or nil.
  public func column(_ name: String) -> Column? { schema.index(of: name).map { columns[$0] } }

  /// What is wrong with the batch, or nil when it fits its schema.
  public var mismatch: String? {
    guard columns.count == schema.fields.count else {
      return "\(columns.count) columns for \(schema.fields.count) fields"
    }
    for (field, column) in zip(schema.fields, columns) {
      let fits =
        switch (field.type, column.values) {
        case (.string, .strings), (.int64, .integers), (.timestamp, .integers), (.double, .doubles),
          (.boolean, .booleans):
          true
        default: false
        }
      guard fits else { return "column \(field.name) isn't \(field.type.rawValue)" }
      guard column.values.count == count, column.validity.map({ $0.count == count }) ?? true else {
        return "column \(field.name) has \(column.values.count) values, not \(count)"
      }
      if field.isRequired, let missing = column.validity?.firstIndex(of: false) {
        return "column \(field.name) is null in row \(missing)"
      }
    }
    return nil
  }

  /// The rows under other columns, matched by name: a column that isn't there is null where it may
  /// be, and columns that aren't asked for are left out.
  public func shaped(as schema: TableSchema) throws(ColumnMismatch) -> RecordBatch {
    if self.schema.fields == schema.fields { return self }
    var columns: [Column] = []
    for field in schema.fields {
      guard let index = self.schema.index(of: field.name) else {
        guard !field.isRequired else {
          throw ColumnMismatch(column: field.name, reason: "isn't there: was it renamed?")
        }
        columns.append(Column(nulls: count, field.type))
        continue
      }
      let found = self.schema.fields[index].type
      guard found == field.type else {
        throw ColumnMismatch(
          column: field.name, reason: "is \(found.rawValue), not \(field.type.rawValue)")
      }
      if field.isRequired, let row = self.columns[index].validity?.firstIndex(of: false) {
        throw ColumnMismatch(column: field.name, reason: "is null in row \(row)")
      }
      columns.append(self.columns[index])
    }
    return RecordBatch(schema: schema, columns: columns)
  }

  /// The rows as a table of these columns takes them: none of theirs is left out.
  public func fitted(to schema: TableSchema) throws(ColumnMismatch) -> RecordBatch {
    if let mismatch { throw ColumnMismatch(column: "", reason: mismatch) }
    if let extra = self.schema.fields.first(where: { schema.index(of: $0.name) == nil }) {
      throw ColumnMismatch(column: extra.name, reason: "isn't in the table")
    }
    return try shaped(as: schema)
  }

  /// Appends another batch of the same schema.
  public mutating func append(_ other: RecordBatch) {
    for index in columns.indices {
      columns[index].append(other.columns[index])
    }
  }

  /// Makes room for so many rows: appending them then moves nothing.
  public mutating func reserveCapacity(_ count: Int) {
    for index in columns.indices { columns[index].reserveCapacity(count) }
  }

  /// The rows of some stretches, in their order.
  private func rows(in stretches: [Range<Int>]) -> RecordBatch {
    RecordBatch(schema: schema, columns: columns.map { $0.rows(in: stretches) })
  }

  /// The rows for which `keep` is true.
  public func filtered(_ keep: [Bool]) -> RecordBatch {
    var stretches: [Range<Int>] = []
    for row in keep.indices where keep[row] {
      let isNext = stretches.last?.upperBound == row
      let start = isNext ? stretches.removeLast().lowerBound : row
      stretches.append(start..<row + 1)
    }
    return rows(in: stretches)
  }

  /// Which rows any of the filters holds for; a filter on a column that isn't there holds for none.
  ///
  /// Text is compared by its bytes (UTF-8), as in files: not by Unicode's canonical equivalence.
  public func rows(matching filters: [TableChange.RowFilter]) -> [Bool] {
    var hit = Array(repeating: false, count: count)
    for filter in filters {
      let columns = filter.columns.compactMap { name, values in
        schema.index(of: name).map { ($0, values) }
      }
      guard columns.count == filter.columns.count, !columns.isEmpty else { continue }
      for row in 0..<count where !hit[row] {
        hit[row] = columns.allSatisfy { column, values in
          guard let text = text(row: row, column: column), let index = values.firstIndex(of: text)
          else { return false }
          return values[index].utf8.elementsEqual(text.utf8)
        }
      }
    }
    return hit
  }

  /// How many rows have the text in any column.
  public func rows(holding text: String) -> Int {
    var hits = Set<Int>()
    for column in columns {
      guard case .strings(let values) = column.values else { continue }
      for (row, value) in values.enumerated() where value == text && column.isValid(row) {
        hits.insert(row)
      }
    }
    return hits.count
  }

  /// A cell as text: the string itself, or the number's shortest text; nil for null.
  public func text(row: Int, column: Int) -> String? {
    guard columns[column].isValid(row) else { return nil }
    switch columns[column].values {
    case .strings(let values): return values[row]
    case .integers(let values): return "\(values[row])"
    case .doubles(let values): return "\(values[row])"
    case .booleans(let values): return values[row] ? "true" : "false"
    }
  }
}

/// A column that isn't as it is needed.
public struct ColumnMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  /// The column; empty when it is about several.
  public var column: String
  /// What is wrong.
  public var reason: String

  /// A mismatch.
  public init(column: String, reason: String) {
    self.column = column
    self.reason = reason
  }

  /// `column x isn't there`.
  public var description: String { column.isEmpty ? reason : "column \(column) \(reason)" }
}

extension RecordBatch.Column {
  /// A column of nulls.
  public init(nulls count: Int, _ type: TableSchema.ColumnType) {
    let values: RecordBatch.Values =
      switch type {
      case .string: .strings(Array(repeating: "", count: count))
      case .int64, .timestamp: .integers(Array(repeating: 0, count: count))
      case .double: .doubles(Array(repeating: 0, count: count))
      case .boolean: .booleans(Array(repeating: false, count: count))
      }
    self.init(values, validity: Array(repeating: false, count: count))
  }

  /// Appends another column of the same kind of values.
  public mutating func append(_ other: Self) {
    if validity != nil || other.validity != nil {
      validity =
        (validity ?? Array(repeating: true, count: values.count))
        + (other.validity ?? Array(repeating: true, count: other.values.count))
    }
    // The array is taken out of its case, so that it grows in place.
    switch (values, other.values) {
    case (.strings(var all), .strings(let more)):
      values = .strings([])
      all.append(contentsOf: more)
      values = .strings(all)
    case (.integers(var all), .integers(let more)):
      values = .strings([])
      all.append(contentsOf: more)
      values = .integers(all)
    case (.doubles(var all), .doubles(let more)):
      values = .strings([])
      all.append(contentsOf: more)
      values = .doubles(all)
    case (.booleans(var all), .booleans(let more)):
      values = .strings([])
      all.append(contentsOf: more)
      values = .booleans(all)
    default: preconditionFailure("columns of different types: \(values) and \(other.values)")
    }
  }

  fileprivate mutating func reserveCapacity(_ count: Int) {
    // The array is taken out of its case, so that it grows in place.
    switch values {
    case .strings(var all):
      values = .strings([])
      all.reserveCapacity(count)
      values = .strings(all)
    case .integers(var all):
      values = .strings([])
      all.reserveCapacity(count)
      values = .integers(all)
    case .doubles(var all):
      values = .strings([])
      all.reserveCapacity(count)
      values = .doubles(all)
    case .booleans(var all):
      values = .strings([])
      all.reserveCapacity(count)
      values = .booleans(all)
    }
  }

  fileprivate func rows(in stretches: [Range<Int>]) -> Self {
    let count = stretches.reduce(0) { $0 + $1.count }
    func pick<Value>(_ values: [Value]) -> [Value] {
      var picked: [Value] = []
      picked.reserveCapacity(count)
      for stretch in stretches {
        if stretch.count == 1 {
          picked.append(values[stretch.lowerBound])
        } else {
          picked.append(contentsOf: values[stretch])
        }
      }
      return picked
    }
    let picked: RecordBatch.Values =
      switch values {
      case .strings(let values): .strings(pick(values))
      case .integers(let values): .integers(pick(values))
      case .doubles(let values): .doubles(pick(values))
      case .booleans(let values): .booleans(pick(values))
      }
    return Self(picked, validity: validity.map(pick))
  }
}
