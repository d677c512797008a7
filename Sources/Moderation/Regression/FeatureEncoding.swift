/// How examples become numbers for a linear model: scaled numeric features first, then a 0/1 column
/// per known name of each categorical feature.
public struct FeatureEncoding: Hashable, Sendable {
  /// The numeric features, in order.
  public let numericNames: [String]
  /// The categorical features, in order.
  public let categoricalNames: [String]
  /// Scales the numeric features.
  public let scaler: StandardScaler
  /// Spreads the categorical features.
  public let encoder: OneHotEncoder
  /// The encoded columns: numeric names, then `feature_name` for every known name, as
  /// scikit-learn's `get_feature_names_out` spells them.
  public let featureNames: [String]

  /// An encoding of known parts.
  ///
  /// - Throws: ``TrainingError`` when counts differ or two encoded columns have one name.
  public init(
    numericNames: [String], categoricalNames: [String], scaler: StandardScaler,
    encoder: OneHotEncoder
  ) throws(TrainingError) {
    guard scaler.means.count == numericNames.count else {
      throw TrainingError(
        place: "means",
        reason: "there are \(scaler.means.count), and \(numericNames.count) numeric features")
    }
    guard encoder.categories.count == categoricalNames.count else {
      throw TrainingError(
        place: "categories",
        reason: "there are \(encoder.categories.count) lists, and \(categoricalNames.count)"
          + " categorical features")
    }
    var names = numericNames
    for (feature, categories) in zip(categoricalNames, encoder.categories) {
      names += categories.map { "\(feature)_\($0)" }
    }
    var seen: Set<[UInt8]> = []
    for name in names where !seen.insert(Array(name.utf8)).inserted {
      throw TrainingError(place: name, reason: "is the name of two encoded features")
    }
    guard names.count <= Int16.max else {
      throw TrainingError(
        place: "categories", reason: "\(names.count) encoded features are more than \(Int16.max)")
    }
    self.numericNames = numericNames
    self.categoricalNames = categoricalNames
    self.scaler = scaler
    self.encoder = encoder
    featureNames = names
  }

  /// The encoding fitted to one batch, to the last bit as scikit-learn fits it.
  ///
  /// - Throws: ``TrainingError`` as ``init(numericNames:categoricalNames:scaler:encoder:)`` does.
  public init(
    numericNames: [String], categoricalNames: [String], fitting batch: ExampleBatch
  ) throws(TrainingError) {
    try self.init(
      numericNames: numericNames, categoricalNames: categoricalNames,
      scaler: try StandardScaler(fitting: batch.numeric),
      encoder: OneHotEncoder(fitting: batch.categorical))
  }

  /// The batch's rows, encoded.
  ///
  /// - Throws: ``TrainingError`` when the batch has another number of features.
  public func encode(_ batch: ExampleBatch) throws(TrainingError) -> EncodedRows {
    guard batch.numeric.count == numericNames.count else {
      throw TrainingError(
        place: "numeric",
        reason: "the batch has \(batch.numeric.count) features, not \(numericNames.count)")
    }
    guard batch.categorical.count == categoricalNames.count else {
      throw TrainingError(
        place: "categorical",
        reason: "the batch has \(batch.categorical.count) features, not"
          + " \(categoricalNames.count)")
    }
    let (numeric, numericStart) = scaledRows(batch)
    return EncodedRows(
      rowCount: batch.rowCount, numericCount: numericNames.count,
      categoricalCount: categoricalNames.count, columnCount: featureNames.count,
      numeric: numeric, numericStart: numericStart, hot: hotColumns(batch))
  }

  /// Scaled values row by row, written in blocks of rows that stay in the nearest cache, and where
  /// the first row starts.
  private func scaledRows(_ batch: ExampleBatch) -> (values: [Double], start: Int) {
    let rows = batch.rowCount
    let line = 16
    var start = 0
    let values = Array<Double>(
      unsafeUninitializedCapacity: rows * numericNames.count + line
    ) { buffer, count in
      count = rows * numericNames.count + line
      LargePages.prefer(UnsafeRawBufferPointer(buffer))
      for padding in 0..<line {
        buffer[padding] = 0
        buffer[count - 1 - padding] = 0
      }
      start = (line - Int(bitPattern: buffer.baseAddress) / 8 % line) % line
      let out = UnsafeMutableBufferPointer(rebasing: buffer[start...])
      for first in stride(from: 0, to: rows, by: 64) {
        scale(batch, rows: first..<min(first + 64, rows), to: out)
      }
    }
    return (values, start)
  }

  private func scale(
    _ batch: ExampleBatch, rows: Range<Int>, to out: UnsafeMutableBufferPointer<Double>
  ) {
    let width = numericNames.count
    for column in 0..<width {
      let mean = scaler.means[column]
      let scale = scaler.scales[column]
      batch.numeric[column].withUnsafeBufferPointer { values in
        for row in rows { out[row &* width &+ column] = (values[row] - mean) / scale }
      }
    }
  }

  /// Row by row the encoded columns that are 1, or −1 for an unknown name.
  private func hotColumns(_ batch: ExampleBatch) -> [Int16] {
    let width = categoricalNames.count
    let rows = batch.rowCount
    return Array(unsafeUninitializedCapacity: rows * width) { buffer, count in
      count = rows * width
      for (feature, column) in batch.categorical.enumerated() {
        let columns = column.names.map { name in
          encoder.column(of: name, feature: feature).map { Int16(numericNames.count + $0) } ?? -1
        }
        column.codes.withUnsafeBufferPointer { codes in
          for row in 0..<rows { buffer[row &* width &+ feature] = columns[Int(codes[row])] }
        }
      }
    }
  }
}
