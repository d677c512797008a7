import InMemoryBackends
import Ports
import Testing

@testable import Lakehouse

@Suite("An Iceberg table has the rows of a table in memory")
struct IcebergLakeOracleTests {
  static let partitions: [[TableSchema.Partition]] = [
    [], [.init("at", "day")], [.init("key", "bucket[3]")], [.init("kind", "identity")],
    [.init("key", "truncate[1]"), .init("at", "month")],
  ]

  @Test("After any commits and compactions every snapshot has the same rows", arguments: 0..<20)
  func sameRows(seed: UInt64) throws {
    try simulate { world in
      var dice = Dice(seed: seed)
      let partitions = Self.partitions[Int(seed) % Self.partitions.count]
      let oracle = InMemoryLake()
      let lake = world.lake()
      try await lake.createTable(
        Row.table, schema: TableSchema(Row.fields, partitionedBy: partitions))
      try await oracle.createTable(Row.table, schema: Row.schema)
      var parents: (lake: SnapshotID?, oracle: SnapshotID?) = (nil, nil)
      for step in 1...14 as ClosedRange<SnapshotID> {
        let change = Self.change(step * 10, &dice)
        let expected = try await oracle.commit(change, to: Row.table, expecting: parents.oracle)
        let seen = try await lake.commit(change, to: Row.table, expecting: parents.lake)
        parents = (change.id, change.id)
        #expect(seen.rowCount == expected.rowCount, "step \(step), seed \(seed)")
        #expect(seen.operation == expected.operation)
        #expect(seen.committedAt == expected.committedAt)
        if dice.below(4) == 0 {
          // Files here have some 2,000 bytes: none is small, a few, or all.
          let target: Int64 = dice.pick([1, 2000, 128 << 20])
          _ = try await lake.compact(
            Row.table, id: step * 10 + 5, at: Row.at(step * 10 + 5), targetBytes: target)
          parents.lake = try await lake.history().last
          // No snapshot of the oracle's; the others are looked at below.
          let rows = try await world.lake().rows()
          let wanted = try await oracle.rows()
          #expect(rows.sorted() == wanted.sorted(), "step \(step), seed \(seed)")
          if partitions.isEmpty { #expect(rows == wanted, "in order") }
        }
      }
      let reader = world.lake()
      for snapshot in try await oracle.history() {
        let rows = try await reader.rows(snapshot)
        let wanted = try await oracle.rows(snapshot)
        #expect(rows.sorted() == wanted.sorted(), "snapshot \(snapshot), seed \(seed)")
        if partitions.isEmpty { #expect(rows == wanted, "in order") }
      }
    }
  }

  private static func change(_ id: SnapshotID, _ dice: inout Dice) -> TableChange {
    let names = ["a", "b", "cc", "dd", "eee", "f1", "f2", "", "é", "🧪🧪"]
    let batch = (0..<dice.below(6)).map { _ in dice.pick(names) }
    let removal: TableChange.Removal
    switch dice.below(8) {
    case 0: removal = .everything
    case 1...4:
      let columns: [String: Set<String>] =
        dice.below(3) == 0
        ? ["kind": [dice.pick(["a", "e", "\u{E9}", "x"])], "key": [dice.pick(names)]]
        : ["key": [dice.pick(names), dice.pick(names)]]
      removal = .rows([TableChange.RowFilter(columns)])
    default: removal = .nothing
    }
    return TableChange(
      id: id, committedAt: Row.at(id), removal: removal,
      append: dice.below(4) == 0 ? nil : Row.batch(batch), summary: ["note": "\(id)"])
  }
}
