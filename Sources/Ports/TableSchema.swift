/// A table's columns, in order.
public struct TableSchema: Hashable, Sendable {
  /// What a column holds.
  public enum ColumnType: String, Hashable, Sendable {
    case string
    case int64 = "long"
    case double
    case boolean
    /// Microseconds since the epoch, UTC.
    case timestamp = "timestamptz"
  }

  /// One column.
  public struct Field: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The type.
    public var type: ColumnType
    /// Whether null is excluded.
    public var isRequired: Bool

    /// A column.
    public init(_ name: String, _ type: ColumnType, isRequired: Bool = true) {
      self.name = name
      self.type = type
      self.isRequired = isRequired
    }
  }

  /// Some of the columns, in their order.
  public func only(_ names: Set<String>) -> TableSchema {
    TableSchema(fields.filter { names.contains($0.name) })
  }

  /// How a table's files are divided: by a column's value, or by what a transform makes of it.
  public struct Partition: Hashable, Sendable {
    /// The column.
    public var column: String
    /// `identity`, `day`, `month`, `bucket[16]`, `truncate[4]`, as Iceberg calls them.
    public var transform: String

    /// A dimension.
    public init(_ column: String, _ transform: String) {
      self.column = column
      self.transform = transform
    }
  }

  /// The columns.
  public var fields: [Field]
  /// How files are divided; a table in memory has none.
  public var partitions: [Partition] = []

  /// A schema.
  public init(_ fields: [Field], partitionedBy partitions: [Partition] = []) {
    self.fields = fields
    self.partitions = partitions
  }

  /// A column's position, or nil.
  public func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }

  /// Whether a table of these columns takes rows of `other`'s: it may have more that may be null.
  public func takes(_ other: TableSchema) -> Bool {
    let mine = Dictionary(fields.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let theirs = Set(other.fields.map(\.name))
    return other.fields.allSatisfy { mine[$0.name] == $0 }
      && fields.allSatisfy { !$0.isRequired || theirs.contains($0.name) }
  }
}
