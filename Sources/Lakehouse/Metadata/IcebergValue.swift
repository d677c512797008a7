/// A value of a column or of a partition's dimension.
public enum IcebergValue: Hashable, Sendable {
  case boolean(Bool)
  /// An integer, a date (days), a time or a timestamp (microseconds).
  case integer(Int64)
  case number(Double)
  case text(String)

  /// Text is compared by its bytes, numbers by their bits: Unicode's canonical equality would join
  /// what files tell apart, and a NaN that isn't itself would make a partition in each row.
  public static func == (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.boolean(let a), .boolean(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a.bitPattern == b.bitPattern
    case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
    default: false
    }
  }

  /// As `==` compares.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .boolean(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .number(let value): hasher.combine(value.bitPattern)
    case .text(let value): for byte in value.utf8 { hasher.combine(byte) }
    }
  }
}

extension IcebergValue {
  /// Whether it is no number: bounds don't hold for it.
  var isNaN: Bool {
    if case .number(let value) = self { value.isNaN } else { false }
  }
}

extension IcebergValue: Comparable {
  /// Orders values of one type; text by its bytes, numbers as IEEE 754's total order has them.
  public static func < (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.boolean(let a), .boolean(let b)): !a && b
    case (.integer(let a), .integer(let b)): a < b
    case (.number(let a), .number(let b)):
      a.isTotallyOrdered(belowOrEqualTo: b) && a.bitPattern != b.bitPattern
    case (.text(let a), .text(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
    default: false
    }
  }
}
