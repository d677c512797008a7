import Ports

/// A batch's rows by partition: columns are looked at one after another, so that a row costs no
/// value of its own.
struct RowPartitions {
  /// Each partition's values, one per dimension; partitions in the order of their first rows.
  private(set) var values: [[IcebergValue?]] = [[]]
  /// Each row's partition, as a place in ``values``.
  private var slots: [Int]

  /// Divides a batch with a row by a spec; a column that it doesn't have is null in every row.
  init(
    _ batch: RecordBatch, _ spec: PartitionSpec, _ schema: IcebergSchema
  ) throws(LakehouseError) {
    slots = Array(repeating: 0, count: batch.count)
    for field in spec.fields {
      guard let source = schema.field(field.sourceID),
        let index = batch.schema.index(of: source.name)
      else {
        values = values.map { $0 + [nil] }
        continue
      }
      try divide(by: field.transform, of: batch.columns[index], source.type)
    }
  }

  /// The rows of each partition: neighbours mostly share one.
  var stretches: [RowStretches] {
    var stretches: [[Range<Int>]] = Array(repeating: [], count: values.count)
    var start = 0
    for row in slots.indices where row + 1 == slots.count || slots[row + 1] != slots[row] {
      stretches[slots[row]].append(start..<row + 1)
      start = row + 1
    }
    return stretches.map { RowStretches($0) }
  }

  private mutating func divide(
    by transform: Transform, of column: RecordBatch.Column, _ type: IcebergType
  ) throws(LakehouseError) {
    if case .integers(let numbers) = column.values, transform.isDefined(for: type) {
      let (validity, isDate) = (column.validity, type.name == "date")
      var parts = Distinct<Int64?>(count: numbers.count)
      for row in numbers.indices {
        let isThere = validity?[row] ?? true
        parts.append(isThere ? transform.value(numbers[row], isDate: isDate) : nil)
      }
      divide(by: parts.slots, parts.values.map { $0.map { .integer($0) } })
    } else {
      var parts = Distinct<IcebergValue?>(count: slots.count)
      for row in slots.indices { parts.append(try transform.value(column.value(row), of: type)) }
      divide(by: parts.slots, parts.values)
    }
  }

  /// Divides each partition by another dimension's values.
  private mutating func divide(by others: [Int], _ otherValues: [IcebergValue?]) {
    guard values.count > 1 else {
      slots = others
      values = otherValues.map { values[0] + [$0] }
      return
    }
    var pairs = Distinct<Int>(count: slots.count)
    for (row, other) in others.enumerated() {
      pairs.append(slots[row] * otherValues.count + other)
    }
    slots = pairs.slots
    values = pairs.values.map { pair in
      values[pair / otherValues.count] + [otherValues[pair % otherValues.count]]
    }
  }
}

/// Values numbered in the order in which they first come.
private struct Distinct<Value: Hashable> {
  private(set) var values: [Value] = []
  private(set) var slots: [Int] = []
  private var known: [Value: Int] = [:]
  private var last: (value: Value, slot: Int)?

  init(count: Int) { slots.reserveCapacity(count) }

  mutating func append(_ value: Value) {
    // Neighbours mostly share a partition.
    if let last, last.value == value {
      slots.append(last.slot)
      return
    }
    let slot = known[value] ?? values.count
    if slot == values.count {
      known[value] = slot
      values.append(value)
    }
    slots.append(slot)
    last = (value, slot)
  }
}
