/// Which rows of a table are read, and which of their columns.
public struct RowSelection: Hashable, Sendable {
  /// Rows whose number or instant in a column lies in a range; null lies in none.
  public struct Bounds: Hashable, Sendable {
    /// The column, of integers or timestamps.
    public var column: String
    /// The values; timestamps in microseconds.
    public var values: ClosedRange<Int64>

    /// The rows with `column` in `values`.
    public init(_ column: String, _ values: ClosedRange<Int64>) {
      self.column = column
      self.values = values
    }
  }

  /// The snapshot; nil for the current one.
  public var snapshot: SnapshotID?
  /// The columns, in the table's order; those that it doesn't have are left out. Nil for all.
  public var columns: Set<String>?
  /// The rows; nil for all.
  public var bounds: Bounds?

  /// A selection.
  public init(
    snapshot: SnapshotID? = nil, columns: Set<String>? = nil, bounds: Bounds? = nil
  ) {
    self.snapshot = snapshot
    self.columns = columns
    self.bounds = bounds
  }

  /// Whether the column is asked for, or decides about rows.
  public func needs(_ column: String) -> Bool {
    columns?.contains(column) ?? true || column == bounds?.column
  }
}

extension RecordBatch {
  /// The selected rows and columns of a batch that has all that the selection needs.
  public func selected(_ selection: RowSelection) throws(ColumnMismatch) -> RecordBatch {
    var rows = self
    if let bounds = selection.bounds { rows = try rows.within(bounds) }
    guard let columns = selection.columns else { return rows }
    let kept = schema.fields.indices.filter { columns.contains(schema.fields[$0].name) }
    // The partitions are the table's, not the rows'.
    return RecordBatch(
      schema: TableSchema(kept.map { schema.fields[$0] }), columns: kept.map { rows.columns[$0] })
  }

  private func within(_ bounds: RowSelection.Bounds) throws(ColumnMismatch) -> RecordBatch {
    guard let index = schema.index(of: bounds.column) else {
      throw ColumnMismatch(column: bounds.column, reason: "isn't there: was it renamed?")
    }
    guard case .integers(let numbers) = columns[index].values else {
      throw ColumnMismatch(column: bounds.column, reason: "has no numbers or instants")
    }
    let column = columns[index]
    return filtered(
      numbers.indices.map { column.isValid($0) && bounds.values.contains(numbers[$0]) })
  }
}
