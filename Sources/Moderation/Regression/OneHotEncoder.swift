/// Makes a 0/1 column of every known name of a categorical feature, as scikit-learn's
/// `OneHotEncoder(handle_unknown="ignore")`: a row of an unknown name has no 1.
public struct OneHotEncoder: Hashable, Sendable {
  /// Per feature its names, in ascending order of code points as `np.unique` sorts them.
  public let categories: [[String]]
  /// Per feature, how many columns those before it have.
  let offsets: [Int]
  /// Columns of all features together.
  public let columnCount: Int

  /// An encoder of known names.
  ///
  /// - Throws: ``TrainingError`` when a feature's names aren't in strictly ascending order.
  public init(categories: [[String]]) throws(TrainingError) {
    for (feature, names) in categories.enumerated() {
      for index in names.indices.dropFirst() where !Self.isAscending(names[index - 1], names[index])
      {
        throw TrainingError(
          place: "categories[\(feature)][\(index)]",
          reason: "'\(names[index])' doesn't come after '\(names[index - 1])'")
      }
    }
    self.init(sorted: categories)
  }

  private init(sorted: [[String]]) {
    categories = sorted
    var offsets: [Int] = []
    var count = 0
    for names in sorted {
      offsets.append(count)
      count += names.count
    }
    self.offsets = offsets
    columnCount = count
  }

  /// The encoder of the names that occur in the columns' rows; codes must be sound, as those of an
  /// ``ExampleBatch`` are.
  public init(fitting columns: [CategoricalColumn]) {
    var accumulator = Accumulator(featureCount: columns.count)
    accumulator.add(columns)
    self = accumulator.encoder()
  }

  /// The column of a name among all columns, or nil when it is unknown.
  public func column(of name: String, feature: Int) -> Int? {
    let names = categories[feature]
    var low = 0
    var high = names.count
    while low < high {
      let middle = (low + high) / 2
      if Self.isAscending(names[middle], name) { low = middle + 1 } else { high = middle }
    }
    guard low < names.count, names[low].utf8.elementsEqual(name.utf8) else { return nil }
    return offsets[feature] + low
  }

  /// Whether `a` comes before `b` by code points; the order of UTF-8's bytes is the same.
  private static func isAscending(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }

  /// Takes batch after batch and gives the encoder of all names seen; the order of rows and batches
  /// doesn't matter.
  public struct Accumulator: Hashable, Sendable {
    private var seen: [Set<[UInt8]>]

    /// An accumulator for so many categorical features.
    public init(featureCount: Int) { seen = Array(repeating: [], count: featureCount) }

    /// Takes the names that occur in a batch's rows.
    public mutating func add(_ columns: [CategoricalColumn]) {
      precondition(
        columns.count == seen.count, "\(columns.count) columns instead of \(seen.count)")
      for (feature, column) in columns.enumerated() {
        var occurs = Array(repeating: false, count: column.names.count)
        for code in column.codes { occurs[Int(code)] = true }
        for (name, occurs) in zip(column.names, occurs) where occurs {
          seen[feature].insert(Array(name.utf8))
        }
      }
    }

    /// The encoder of all names so far.
    public func encoder() -> OneHotEncoder {
      OneHotEncoder(
        sorted: seen.map { names in
          names.sorted { $0.lexicographicallyPrecedes($1) }
            .map { String(decoding: $0, as: UTF8.self) }
        })
    }
  }
}
