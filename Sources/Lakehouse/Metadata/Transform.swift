/// A value of a column or of a partition's dimension.
public enum IcebergValue: Hashable, Sendable {
  case boolean(Bool)
  /// An integer, a date (days), a time or a timestamp (microseconds).
  case integer(Int64)
  case number(Double)
  case text(String)

  /// Text is compared by its bytes: Unicode's canonical equality would join what files tell apart.
  public static func == (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.boolean(let a), .boolean(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
    default: false
    }
  }

  /// Text by its bytes, as `==` compares it.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .boolean(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .number(let value): hasher.combine(value)
    case .text(let value): for byte in value.utf8 { hasher.combine(byte) }
    }
  }
}

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
      guard name.hasPrefix("\(prefix)["), name.hasSuffix("]") else { return nil }
      return Int(name.dropFirst(prefix.count + 1).dropLast()).flatMap { $0 > 0 ? $0 : nil }
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

  /// The partition's value of a column's; nil stays nil.
  ///
  /// Values of a type that the transform isn't defined for are an error of the table's metadata.
  public func value(
    _ value: IcebergValue?, of type: IcebergType
  ) throws(LakehouseError) -> IcebergValue? {
    guard let value else { return nil }
    switch self {
    case .void: return nil
    case .identity: return value
    case .bucket(let count):
      let hash = try Self.hash(value, type)
      return .integer(Int64((hash & Int32.max) % Int32(count)))
    case .truncate(let width): return try Self.truncate(value, width)
    case .year, .month, .day, .hour: return .integer(try instant(value, type))
    }
  }

  private func instant(_ value: IcebergValue, _ type: IcebergType) throws(LakehouseError) -> Int64 {
    guard case .integer(let number) = value,
      ["date", "timestamp", "timestamptz"].contains(type.name)
    else {
      throw LakehouseError(field: "transform", reason: "\(name) isn't defined for \(type.name)")
    }
    let isDate = type.name == "date"
    let days = isDate ? number : Self.floored(number, 86_400_000_000)
    switch self {
    case .day: return days
    case .hour: return isDate ? number * 24 : Self.floored(number, 3_600_000_000)
    default:
      let (year, month) = Self.yearAndMonth(days)
      return self == .year ? year - 1970 : (year - 1970) * 12 + month - 1
    }
  }

  private static func truncate(
    _ value: IcebergValue, _ width: Int
  ) throws(LakehouseError) -> IcebergValue {
    switch value {
    case .integer(let number): return .integer(floored(number, Int64(width)) * Int64(width))
    case .text(let text):
      return .text(String(String.UnicodeScalarView(text.unicodeScalars.prefix(width))))
    case .boolean, .number:
      throw LakehouseError(field: "transform", reason: "truncate isn't defined for \(value)")
    }
  }

  /// Murmur3 of the value's bytes (spec, appendix B): integers and instants as 8 bytes.
  private static func hash(_ value: IcebergValue, _ type: IcebergType) throws(LakehouseError)
    -> Int32
  {
    switch value {
    case .integer(let number):
      return withUnsafeBytes(of: number.littleEndian) { Murmur3.hash(Array($0)) }
    case .text(let text): return Murmur3.hash(Array(text.utf8))
    case .boolean, .number:
      throw LakehouseError(field: "transform", reason: "bucket isn't defined for \(type.name)")
    }
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

/// MurmurHash3 x86_32 with seed 0 (Appleby, public domain algorithm).
enum Murmur3 {
  static func hash(_ bytes: [UInt8]) -> Int32 {
    var hash: UInt32 = 0
    let blocks = bytes.count / 4
    for block in 0..<blocks {
      let at = block * 4
      let word =
        UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
        | UInt32(bytes[at + 3]) << 24
      hash ^= mixed(word)
      hash = rotated(hash, 13) &* 5 &+ 0xe654_6b64
    }
    var tail: UInt32 = 0
    for (index, byte) in bytes[(blocks * 4)...].enumerated() { tail |= UInt32(byte) << (8 * index) }
    if bytes.count % 4 > 0 { hash ^= mixed(tail) }
    hash ^= UInt32(bytes.count)
    hash = (hash ^ hash >> 16) &* 0x85eb_ca6b
    hash = (hash ^ hash >> 13) &* 0xc2b2_ae35
    return Int32(bitPattern: hash ^ hash >> 16)
  }

  private static func mixed(_ word: UInt32) -> UInt32 {
    rotated(word &* 0xcc9e_2d51, 15) &* 0x1b87_3593
  }

  private static func rotated(_ word: UInt32, _ by: UInt32) -> UInt32 {
    word << by | word >> (32 - by)
  }
}
