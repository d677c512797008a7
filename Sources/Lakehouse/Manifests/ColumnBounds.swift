import Foundation
import Ports

/// Counts and bounds of a batch's columns, and the single-value serialization that manifests hold
/// (spec, appendix D).
enum ColumnBounds {
  /// Unicode scalars kept of a text bound.
  private static let keptScalars = 16

  /// Fills in the counts and bounds of a file with these rows.
  static func describe(
    _ batch: RecordBatch, _ rows: RowStretches, _ fields: [IcebergField], in file: inout DataFile
  ) {
    for (field, column) in zip(fields, batch.columns) {
      let nulls = column.validity.map { rows.pick($0).count { !$0 } } ?? 0
      file.valueCounts[field.id] = Int64(rows.count)
      file.nullCounts[field.id] = Int64(nulls)
      guard nulls < rows.count, let (lower, upper) = bounds(column, rows, field.type) else {
        continue
      }
      file.lowerBounds[field.id] = lower
      file.upperBounds[field.id] = upper
    }
  }

  /// The bytes of a value of a type; nil when it doesn't fit the type.
  static func bytes(of value: IcebergValue, _ type: IcebergType) -> [UInt8]? {
    switch (value, type.name) {
    case (.boolean(let flag), _): [flag ? 1 : 0]
    case (.integer(let number), "int"), (.integer(let number), "date"):
      Int32(exactly: number).map { number in
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
      }
    case (.integer(let number), _): withUnsafeBytes(of: number.littleEndian) { Array($0) }
    case (.number(let number), "float"):
      withUnsafeBytes(of: Float(number).bitPattern.littleEndian) { Array($0) }
    case (.number(let number), _):
      withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
    case (.text(let text), _): Array(text.utf8)
    }
  }

  /// Whether a file can hold a row whose column has one of the values; true when nobody knows.
  static func mayHold(_ file: DataFile, _ field: IcebergField, _ values: Set<String>) -> Bool {
    if let count = file.valueCounts[field.id], count == file.nullCounts[field.id] { return false }
    guard let lower = file.lowerBounds[field.id], let upper = file.upperBounds[field.id] else {
      return true
    }
    switch field.type.column {
    case .string:
      return values.contains { value in
        let bytes = Array(value.utf8)
        return !bytes.lexicographicallyPrecedes(lower) && !upper.lexicographicallyPrecedes(bytes)
      }
    case .int64, .timestamp:
      guard let low = integer(lower), let high = integer(upper) else { return true }
      return values.contains { Int64($0).map { low <= $0 && $0 <= high } ?? false }
    default: return true
    }
  }

  /// Whether a file can hold a row whose column lies in a range; true when nobody knows.
  static func mayHold(
    _ file: DataFile, _ field: IcebergField, _ range: ClosedRange<Int64>
  ) -> Bool {
    if let count = file.valueCounts[field.id], count == file.nullCounts[field.id] { return false }
    guard [.int64, .timestamp].contains(field.type.column),
      let low = file.lowerBounds[field.id].flatMap(integer),
      let high = file.upperBounds[field.id].flatMap(integer)
    else { return true }
    return low <= range.upperBound && high >= range.lowerBound
  }

  private static func integer(_ bytes: [UInt8]) -> Int64? {
    switch bytes.count {
    case 4: bytes.withUnsafeBytes { Int64(Int32(littleEndian: $0.loadUnaligned(as: Int32.self))) }
    case 8: bytes.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }
    default: nil
    }
  }

  private static func bounds(
    _ column: RecordBatch.Column, _ rows: RowStretches, _ type: IcebergType
  ) -> ([UInt8], [UInt8])? {
    let validity = column.validity
    switch column.values {
    case .strings(let values): return textBounds(values, rows, validity)
    case .integers(let values):
      return extremes(values, rows, validity).flatMap { low, high in
        both(.integer(low), .integer(high), type)
      }
    case .doubles(let values):
      // NaN has no place in an order; a column with one has no bounds.
      guard !rows.joined().contains(where: { values[$0].isNaN }) else { return nil }
      return extremes(values, rows, validity).flatMap { low, high in
        // Zeros compare as equal, but minus zero comes first (spec, "Manifests").
        both(.number(low == 0 ? -0.0 : low), .number(high == 0 ? 0.0 : high), type)
      }
    case .booleans(let values):
      return extremes(values.map { $0 ? Int64(1) : 0 }, rows, validity).map { low, high in
        ([UInt8(low)], [UInt8(high)])
      }
    }
  }

  private static func both(
    _ low: IcebergValue, _ high: IcebergValue, _ type: IcebergType
  ) -> ([UInt8], [UInt8])? {
    guard let lower = bytes(of: low, type), let upper = bytes(of: high, type) else { return nil }
    return (lower, upper)
  }

  private static func extremes<Value: Comparable>(
    _ values: [Value], _ rows: RowStretches, _ validity: [Bool]?
  ) -> (Value, Value)? {
    let isThere = { (row: Int) in validity?[row] ?? true }
    guard let first = rows.joined().first(where: isThere) else { return nil }
    var (low, high) = (values[first], values[first])
    for range in rows.ranges {
      for row in range where isThere(row) {
        let value = values[row]
        if value < low { low = value }
        if value > high { high = value }
      }
    }
    return (low, high)
  }

  /// Text is ordered by its bytes and cut; a cut upper bound is raised, so that it stays a bound.
  private static func textBounds(
    _ values: [String], _ rows: RowStretches, _ validity: [Bool]?
  ) -> ([UInt8], [UInt8])? {
    guard let first = rows.joined().first(where: { validity?[$0] ?? true }) else { return nil }
    var (low, high) = (first, first)
    var text = values[first]
    var lowStart = text.withUTF8 { start(of: $0) }
    var highStart = lowStart
    rows.forEachText(values) { row, text in
      guard validity?[row] ?? true else { return }
      // The first bytes mostly decide.
      let start = start(of: text)
      if start <= lowStart, start < lowStart || order(text, values[low]) < 0 {
        (low, lowStart) = (row, start)
      }
      if start >= highStart, start > highStart || order(text, values[high]) > 0 {
        (high, highStart) = (row, start)
      }
    }
    let kept = values[low].unicodeScalars.prefix(keptScalars)
    guard let upper = raised(values[high]) else { return nil }
    return (Array(String(String.UnicodeScalarView(kept)).utf8), Array(upper.utf8))
  }

  /// Below zero when the text comes before the other by its bytes, above when it comes after.
  private static func order(_ text: UnsafeBufferPointer<UInt8>, _ other: String) -> Int {
    var other = other
    return other.withUTF8 { other in
      guard let a = text.baseAddress, let b = other.baseAddress else {
        return text.count - other.count
      }
      let order = Int(memcmp(a, b, min(text.count, other.count)))
      return order != 0 ? order : text.count - other.count
    }
  }

  /// The first eight bytes as a number that is ordered as they are; zeros after a shorter text.
  private static func start(of text: UnsafeBufferPointer<UInt8>) -> UInt64 {
    guard text.count < 8 else {
      return UInt64(bigEndian: UnsafeRawBufferPointer(text).loadUnaligned(as: UInt64.self))
    }
    return text.reduce(0) { $0 << 8 | UInt64($1) } << UInt64(8 * (8 - text.count))
  }

  /// The shortest text of at most the kept length that isn't before `text`; nil when there is none.
  private static func raised(_ text: String) -> String? {
    let scalars = Array(text.unicodeScalars)
    guard scalars.count > keptScalars else { return text }
    var kept = Array(scalars.prefix(keptScalars))
    while let last = kept.popLast() {
      var next = last.value + 1
      if next == 0xD800 { next = 0xE000 }
      guard let scalar = Unicode.Scalar(next) else { continue }
      kept.append(scalar)
      var view = String.UnicodeScalarView()
      view.append(contentsOf: kept)
      return String(view)
    }
    return nil
  }
}
