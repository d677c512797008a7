/// How a partition's value is made from a column's (spec, "Partition Transforms").
public enum Transform: Hashable, Sendable {
  case identity
  /// The 32-bit Murmur3 hash, modulo so many buckets.
  case bucket(Int)
  /// Integers down to a multiple, text to so many characters.
  case truncate(Int)
  case year, month, day, hour
  /// Always null: a dimension that was dropped.
  case void

  /// The transform of this name in metadata; nil when there is none.
  public init?(name: String) {
    func width(_ prefix: String) -> Int? {
      guard name.hasPrefix("\(prefix)["), name.hasSuffix("]"),
        let width = Int32(name.dropFirst(prefix.count + 1).dropLast()), width > 0
      else { return nil }
      return Int(width)
    }
    switch name {
    case "identity": self = .identity
    case "year": self = .year
    case "month": self = .month
    case "day": self = .day
    case "hour": self = .hour
    case "void": self = .void
    default:
      if let buckets = width("bucket") {
        self = .bucket(buckets)
      } else if let width = width("truncate") {
        self = .truncate(width)
      } else {
        return nil
      }
    }
    // Numbers have one spelling: no sign, no zeros before them.
    guard self.name == name else { return nil }
  }

  /// The name in metadata.
  public var name: String {
    switch self {
    case .identity: "identity"
    case .bucket(let count): "bucket[\(count)]"
    case .truncate(let width): "truncate[\(width)]"
    case .year: "year"
    case .month: "month"
    case .day: "day"
    case .hour: "hour"
    case .void: "void"
    }
  }

  /// The type of the values that it makes from columns of a type.
  public func resultType(of source: IcebergType) -> IcebergType {
    switch self {
    case .identity, .truncate, .void: source
    case .bucket, .year, .month, .hour: .named("int")
    case .day: .named("date")
    }
  }

  /// Whether the transform is defined for columns of a type, among those that this program reads.
  public func isDefined(for source: IcebergType) -> Bool {
    switch self {
    case .identity, .void: true
    case .bucket:
      source.column != nil && !["boolean", "float", "double"].contains(source.name)
    case .truncate: ["int", "long", "string"].contains(source.name)
    case .year, .month, .day: ["date", "timestamp", "timestamptz"].contains(source.name)
    case .hour: ["timestamp", "timestamptz"].contains(source.name)
    }
  }

  /// The partition's value of a column's; nil stays nil.
  ///
  /// Values of a type that the transform isn't defined for are an error of the table's metadata.
  public func value(
    _ value: IcebergValue?, of type: IcebergType
  ) throws(LakehouseError) -> IcebergValue? {
    guard let value, self != .void else { return nil }
    guard isDefined(for: type) else { throw undefined(value, type) }
    switch (self, value) {
    case (_, .integer(let number)):
      return self.value(number, isDate: type.name == "date").map { .integer($0) }
    case (.identity, _): return value
    case (.bucket(let count), .text(let text)):
      return .integer(Self.bucket(Array(text.utf8), of: count))
    case (.truncate(let width), .text(let text)):
      return .text(String(String.UnicodeScalarView(text.unicodeScalars.prefix(width))))
    default: throw undefined(value, type)
    }
  }

  /// The partition's value of an integer's, a date's (days) or an instant's (microseconds), for a
  /// type that the transform is defined for.
  func value(_ number: Int64, isDate: Bool) -> Int64? {
    switch self {
    case .void: return nil
    case .identity: return number
    case .bucket(let count):
      return withUnsafeBytes(of: number.littleEndian) { Self.bucket(Array($0), of: count) }
    case .truncate(let width):
      let rest = number % Int64(width)
      // Near the smallest integer the multiple below doesn't exist: it wraps, as in Java.
      return number &- (rest < 0 ? rest + Int64(width) : rest)
    case .year, .month, .day, .hour: return instant(number, isDate: isDate)
    }
  }

  private func undefined(_ value: IcebergValue, _ type: IcebergType) -> LakehouseError {
    LakehouseError(
      field: "transform", reason: "\(name) isn't defined for \(value) of type \(type.name)")
  }

  private func instant(_ number: Int64, isDate: Bool) -> Int64 {
    let days = isDate ? number : Self.floored(number, 86_400_000_000)
    switch self {
    case .day: return days
    case .hour: return Self.floored(number, 3_600_000_000)
    default:
      let (year, month) = Self.yearAndMonth(days)
      return self == .year ? year - 1970 : (year - 1970) * 12 + month - 1
    }
  }

  /// Murmur3 of the value's bytes (spec, appendix B): integers and instants as 8 bytes.
  private static func bucket(_ bytes: [UInt8], of count: Int) -> Int64 {
    Int64((Murmur3.hash(bytes) & Int32.max) % Int32(count))
  }

  private static func floored(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  /// The civil year and month of a day since the epoch (Hinnant's algorithm).
  private static func yearAndMonth(_ days: Int64) -> (Int64, Int64) {
    let shifted = days + 719_468
    let era = floored(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month)
  }
}
