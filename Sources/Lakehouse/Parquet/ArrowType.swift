import CParquet
import Ports

/// What a format string of Arrow's C data interface means, as far as record batches can hold it.
enum ArrowType: Hashable {
  /// Integers of each width; 64 bits without a sign are ``unsupported(_:)``.
  case int8, uint8, int16, uint16, int32, uint32, int64
  /// Floats of 32 and 64 bits, and bits.
  case float, double, boolean
  /// Text with 32-bit offsets, with 64-bit offsets, and in views.
  case string, largeString, stringView
  /// Days since the epoch, 32 bits.
  case date
  /// Milliseconds since the epoch at midnight, 64 bits.
  case dateMilliseconds
  /// Since midnight; 32 bits for seconds and milliseconds, else 64.
  case time(Unit)
  /// Since the epoch, 64 bits; an empty zone means local time.
  case timestamp(Unit, zone: String)
  /// Anything else, by its name.
  case unsupported(String)

  /// What a time is counted in.
  enum Unit: Character {
    case seconds = "s"
    case milliseconds = "m"
    case microseconds = "u"
    case nanoseconds = "n"

    /// The unit's usual abbreviation.
    var name: String {
      switch self {
      case .seconds: "s"
      case .milliseconds: "ms"
      case .microseconds: "us"
      case .nanoseconds: "ns"
      }
    }
  }

  /// The type of a column; for a dictionary, that of its values.
  init(_ schema: ArrowSchema) {
    if let dictionary = schema.dictionary {
      self.init(dictionary.pointee)
      if columnType != .string { self = .unsupported(name) }
    } else {
      self.init(format: schema.format.map { String(cString: $0) } ?? "")
    }
  }

  /// Reads a format string; ones that no batch can hold become ``unsupported(_:)``.
  init(format: String) {
    if let known = Self.plain[format] {
      self = known
    } else if format.hasPrefix("tt"), format.utf8.count == 3,
      let unit = format.last.flatMap(Unit.init)
    {
      self = .time(unit)
    } else if format.hasPrefix("ts"), format.utf8.count >= 4,
      let unit = Unit(rawValue: format[format.index(format.startIndex, offsetBy: 2)])
    {
      self = .timestamp(unit, zone: String(format.dropFirst(4)))
    } else {
      self = .unsupported(Self.name(ofUnsupported: format))
    }
  }

  private static let plain: [String: ArrowType] = [
    "c": .int8, "C": .uint8, "s": .int16, "S": .uint16, "i": .int32, "I": .uint32, "l": .int64,
    "f": .float, "g": .double, "b": .boolean, "u": .string, "U": .largeString, "vu": .stringView,
    "tdD": .date, "tdm": .dateMilliseconds,
  ]

  private static func name(ofUnsupported format: String) -> String {
    let names = [
      "n": "null", "L": "uint64", "e": "halffloat", "z": "binary", "Z": "large_binary",
      "vz": "binary_view", "+l": "list", "+L": "large_list", "+s": "struct", "+m": "map",
    ]
    if let name = names[format] { return name }
    let parameter = format.dropFirst(2)
    if format.hasPrefix("d:") {
      return "decimal(\(parameter.split(separator: ",").joined(separator: ", ")))"
    }
    if format.hasPrefix("w:") { return "fixed_size_binary[\(parameter)]" }
    if format.hasPrefix("+w:") { return "fixed_size_list" }
    return "Arrow's \"\(format)\""
  }

  /// The format string; empty for types that batches aren't written as.
  var format: String {
    switch self {
    case .time(let unit): "tt\(unit.rawValue)"
    case .timestamp(let unit, let zone): "ts\(unit.rawValue):\(zone)"
    default: Self.plain.first { $0.value == self }?.key ?? ""
    }
  }

  /// The name that errors and fields show.
  var name: String {
    switch self {
    case .date: "date32[day]"
    case .dateMilliseconds: "date64[ms]"
    case .time(let unit): "time[\(unit.name)]"
    case .timestamp(let unit, ""): "timestamp[\(unit.name)]"
    case .timestamp(let unit, let zone): "timestamp[\(unit.name), \(zone)]"
    case .largeString: "large_string"
    case .stringView: "string_view"
    case .unsupported(let name): name
    default: "\(self)"
    }
  }

  /// What reading gives, or nil.
  var columnType: TableSchema.ColumnType? {
    switch self {
    case .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64: .int64
    case .date, .dateMilliseconds, .time: .int64
    case .float, .double: .double
    case .boolean: .boolean
    case .string, .largeString, .stringView: .string
    case .timestamp: .timestamp
    case .unsupported: nil
    }
  }
}

extension ParquetField {
  /// The field that an Arrow schema describes; its id is metadata under `PARQUET:field_id`.
  init(_ schema: ArrowSchema) {
    let type = ArrowType(schema)
    self.init(
      name: schema.name.map { String(cString: $0) } ?? "",
      fieldID: ArrowMetadata.value(of: ArrowMetadata.fieldIDKey, in: schema.metadata)
        .flatMap { Int($0) },
      typeName: type.name, columnType: type.columnType,
      isRequired: schema.flags & Int64(ARROW_FLAG_NULLABLE) == 0)
  }
}
