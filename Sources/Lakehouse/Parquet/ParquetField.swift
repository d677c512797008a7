import Ports

/// A top-level column of a Parquet file, as the file describes it.
public struct ParquetField: Hashable, Sendable {
  /// The column's name; what a name mapping looks at when ``fieldID`` is nil.
  public var name: String
  /// Iceberg's field id; nil in files of writers that don't know of them.
  public var fieldID: Int?
  /// The type in the file, as Arrow calls it: `string`, `timestamp[us, UTC]`, `decimal(10, 2)`.
  public var typeName: String
  /// What reading the column gives: dates are days and times of day microseconds, both as
  /// `int64`. Nil when it can't be read.
  public var columnType: TableSchema.ColumnType?
  /// Whether the file excludes nulls.
  public var isRequired: Bool

  /// A column.
  public init(
    name: String, fieldID: Int?, typeName: String, columnType: TableSchema.ColumnType?,
    isRequired: Bool
  ) {
    self.name = name
    self.fieldID = fieldID
    self.typeName = typeName
    self.columnType = columnType
    self.isRequired = isRequired
  }
}
