/// One categorical feature of a batch: a code per row, and the names that the codes stand for.
public struct CategoricalColumn: Hashable, Sendable {
  /// The name of a null: what pandas' `astype(str)` makes of it.
  public static let nullName = "None"

  /// Per row, an index into ``names``.
  public var codes: [Int32]
  /// The names; some may occur in no row.
  public var names: [String]

  /// A column of codes; ``ExampleBatch`` checks them.
  public init(codes: [Int32], names: [String]) {
    self.codes = codes
    self.names = names
  }

  /// A column of values, a null being a name of its own, ``nullName``.
  public init(_ values: [String?]) {
    var codeOfName: [[UInt8]: Int32] = [:]
    names = []
    codes = []
    codes.reserveCapacity(values.count)
    for value in values {
      let name = value ?? Self.nullName
      // By bytes: to a String, two spellings of one accented letter are equal; to Python they
      // aren't.
      let key = Array(name.utf8)
      let code = codeOfName[key] ?? Int32(names.count)
      if code == names.count {
        codeOfName[key] = code
        names.append(name)
      }
      codes.append(code)
    }
  }
}

/// Labelled examples in columns, sound by construction.
public struct ExampleBatch: Hashable, Sendable {
  /// One array per numeric feature, a finite value per row.
  public let numeric: [[Double]]
  /// One column per categorical feature.
  public let categorical: [CategoricalColumn]
  /// Per row, whether it belongs to the positive class.
  public let labels: [Bool]

  /// Rows; at least one.
  public var rowCount: Int { labels.count }

  /// A batch of `labels.count` rows.
  ///
  /// - Throws: ``TrainingError`` when there is no row or no feature, when a column has another
  ///   number of rows, a value isn't finite or a code has no name.
  public init(
    numeric: [[Double]], categorical: [CategoricalColumn], labels: [Bool]
  ) throws(TrainingError) {
    guard !labels.isEmpty else {
      throw TrainingError(place: "labels", reason: "are empty; a batch has at least one row")
    }
    guard labels.count <= Int(Int32.max) else {
      throw TrainingError(place: "labels", reason: "\(labels.count) rows don't fit 32 bits")
    }
    guard !numeric.isEmpty || !categorical.isEmpty else {
      throw TrainingError(place: "numeric", reason: "is empty, and so is categorical")
    }
    for (index, column) in numeric.enumerated() {
      try Self.check(column.count, of: "numeric[\(index)]", rows: labels.count)
      try Self.checkFinite(column, index)
    }
    for (index, column) in categorical.enumerated() {
      try Self.check(column.codes.count, of: "categorical[\(index)]", rows: labels.count)
      try Self.checkCodes(column, index)
    }
    self.numeric = numeric
    self.categorical = categorical
    self.labels = labels
  }

  private static func check(_ count: Int, of place: String, rows: Int) throws(TrainingError) {
    guard count == rows else {
      throw TrainingError(place: place, reason: "has \(count) rows, and the labels \(rows)")
    }
  }

  private static func checkFinite(_ column: [Double], _ index: Int) throws(TrainingError) {
    // 0 · x is 0 unless x isn't finite: one pass without a branch.
    let isFinite = column.withUnsafeBufferPointer { values in
      var lanes = SIMD8<Double>.zero
      let blocks = values.count / 8
      let raw = UnsafeRawBufferPointer(values)
      for block in 0..<blocks {
        lanes += raw.loadUnaligned(fromByteOffset: block &* 64, as: SIMD8<Double>.self) * 0
      }
      var rest = lanes.sum()
      for row in (blocks * 8)..<values.count { rest += values[row] * 0 }
      return rest == 0
    }
    guard !isFinite, let row = column.firstIndex(where: { !$0.isFinite }) else { return }
    throw TrainingError(
      place: "numeric[\(index)], row \(row)", reason: "\(column[row]) is not a finite number")
  }

  private static func checkCodes(
    _ column: CategoricalColumn, _ index: Int
  ) throws(TrainingError) {
    let names = Int32(clamping: column.names.count)
    guard let row = column.codes.firstIndex(where: { $0 < 0 || $0 >= names }) else { return }
    throw TrainingError(
      place: "categorical[\(index)], row \(row)",
      reason: "code \(column.codes[row]) has no name; there are \(names)")
  }
}
