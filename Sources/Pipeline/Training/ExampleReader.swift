import Moderation
import Ports

/// Examples out of rows of `moderation.training_data`, whoever wrote them.
struct ExampleReader {
  /// The label's column.
  static let label = TrainingRow.labelColumn
  /// What is read beside the features.
  static let image = "image_id"

  /// The columns that training needs.
  ///
  /// - Parameter withImages: whether rows are told apart by image.
  static func columns(withImages: Bool) -> Set<String> {
    Set(ModelInputs.numericNames + ModelInputs.categoricalNames + [label])
      .union(withImages ? [image] : [])
  }

  private let batch: RecordBatch
  /// Per row: 1, 0, or nil while the label isn't ripe.
  let labels: [Bool?]

  /// A batch with the columns that are needed; `invalid` names what is missing.
  init(_ batch: RecordBatch) throws(PortError) {
    self.batch = batch
    let column = try Self.column(Self.label, of: batch)
    switch column.values {
    case .integers(let values):
      labels = values.indices.map { column.isValid($0) ? values[$0] != 0 : nil }
    case .doubles(let values):
      labels = values.indices.map { column.isValid($0) ? values[$0] != 0 : nil }
    case .booleans(let values):
      labels = values.indices.map { column.isValid($0) ? values[$0] : nil }
    case .strings: throw Self.mismatch(Self.label, "holds text, not numbers")
    }
  }

  /// A batch whose rows count as without a label.
  init(unlabelled batch: RecordBatch) {
    self.batch = batch
    labels = Array(repeating: nil, count: batch.count)
  }

  /// The images' ids.
  func images() throws(PortError) -> [String] {
    guard case .strings(let ids) = try Self.column(Self.image, of: batch).values else {
      throw Self.mismatch(Self.image, "holds no text")
    }
    return ids
  }

  /// The images' ids of the rows that have a label and for which `keep` holds.
  func images(keep: [Bool]) throws(PortError) -> [String] {
    let all = try images()
    return all.indices.filter { keep[$0] && labels[$0] != nil }.map { all[$0] }
  }

  /// The rows for which `keep` holds; nil when there is none.
  ///
  /// - Parameters:
  ///   - keep: per row; nil for all.
  ///   - unripe: the label of rows without one; nil leaves them out.
  func examples(keep: [Bool]?, unripe: Bool?) throws(PortError) -> ExampleBatch? {
    var rows: [Int]?
    if keep != nil || (unripe == nil && labels.contains { $0 == nil }) {
      rows = labels.indices.filter { (keep?[$0] ?? true) && (labels[$0] ?? unripe) != nil }
    }
    if rows?.isEmpty ?? labels.isEmpty { return nil }
    var numeric: [[Double]] = []
    for name in ModelInputs.numericNames { numeric.append(try numbers(name, rows)) }
    var categorical: [CategoricalColumn] = []
    for name in ModelInputs.categoricalNames { categorical.append(try names(name, rows)) }
    let taken = rows?.map { labels[$0] ?? unripe ?? false } ?? labels.map { $0 ?? unripe ?? false }
    do throws(TrainingError) {
      return try ExampleBatch(numeric: numeric, categorical: categorical, labels: taken)
    } catch {
      throw PortError(.invalid, port: "Lake", operation: "scan", hint: error.description)
    }
  }

  private func numbers(_ name: String, _ rows: [Int]?) throws(PortError) -> [Double] {
    let column = try Self.column(name, of: batch)
    if let row = column.validity?.firstIndex(of: false) {
      throw Self.mismatch(name, "is null in row \(row)")
    }
    switch column.values {
    case .integers(let values):
      return rows?.map { Double(values[$0]) } ?? values.map { Double($0) }
    case .doubles(let values): return rows?.map { values[$0] } ?? values
    case .booleans, .strings: throw Self.mismatch(name, "holds no numbers")
    }
  }

  private func names(_ name: String, _ rows: [Int]?) throws(PortError) -> CategoricalColumn {
    let column = try Self.column(name, of: batch)
    switch column.values {
    case .strings(let values):
      return CategoricalColumn(values, of: column, rows, isSame: Self.hasSameBytes) { $0 }
    case .integers(let values):
      return CategoricalColumn(values, of: column, rows, isSame: ==) { ModelInputs.name($0) }
    case .booleans(let values):
      return CategoricalColumn(values, of: column, rows, isSame: ==) {
        ModelInputs.name($0 ? 1 : 0)
      }
    case .doubles: throw Self.mismatch(name, "holds fractions, not names")
    }
  }

  /// By bytes: to a String, two spellings of one accented letter are equal.
  @inline(__always)
  private static func hasSameBytes(_ one: String, _ other: String) -> Bool {
    // Most names differ in length, which is known without a look at the text.
    guard one.utf8.count == other.utf8.count else { return false }
    var (one, other) = (one, other)
    return one.withUTF8 { one in
      other.withUTF8 { other in
        var index = 0
        while index < one.count {
          if one[index] != other[index] { return false }
          index += 1
        }
        return true
      }
    }
  }

  private static func column(
    _ name: String, of batch: RecordBatch
  ) throws(PortError) -> RecordBatch.Column {
    guard let column = batch.column(name) else {
      throw mismatch(name, "isn't there: was it renamed?")
    }
    return column
  }

  private static func mismatch(_ column: String, _ reason: String) -> PortError {
    PortError(
      .invalid, port: "Lake", operation: "scan",
      hint: "\(ColumnMismatch(column: column, reason: reason))")
  }
}

extension CategoricalColumn {
  /// A column of values with few different ones, each named once.
  ///
  /// - Parameter rows: which of the column's; nil for all.
  @inline(__always)
  fileprivate init<Value>(
    _ values: [Value], of column: RecordBatch.Column, _ rows: [Int]?,
    isSame: (Value, Value) -> Bool, _ name: (Value) -> String
  ) {
    var known: [(value: Value, code: Int32)] = []
    var names: [String] = []
    var codes: [Int32] = []
    var nullCode: Int32?
    func code(of row: Int) -> Int32 {
      guard column.isValid(row) else {
        if let nullCode { return nullCode }
        names.append(Self.nullName)
        let code = Int32(names.count - 1)
        nullCode = code
        return code
      }
      let value = values[row]
      for other in known where isSame(value, other.value) { return other.code }
      names.append(name(value))
      let code = Int32(names.count - 1)
      known.append((value, code))
      return code
    }
    codes.reserveCapacity(rows?.count ?? values.count)
    if let rows {
      for row in rows { codes.append(code(of: row)) }
    } else {
      for row in values.indices { codes.append(code(of: row)) }
    }
    self.init(codes: codes, names: names)
  }
}
