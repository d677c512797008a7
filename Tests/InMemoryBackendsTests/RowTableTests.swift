import Moderation
import Testing

@testable import InMemoryBackends

@Suite("RowTable")
struct RowTableTests {
  private struct Item: Equatable {
    var id: ImageID
    var created: Int64
    var name = ""
  }

  private static func item(_ number: UInt64, _ created: Int64, _ name: String = "") -> Item {
    Item(id: ImageID(high: 1, low: number), created: created, name: name)
  }

  private static func table(_ items: [Item]) -> RowTable<Image, Item> {
    var table = RowTable<Image, Item>()
    for item in items { table.put(item, at: item.id) }
    return table
  }

  private static func sorted(_ table: inout RowTable<Image, Item>) -> [Item] {
    table.sorted { (EventTime(microseconds: $0.created), $0.id) }
  }

  @Test("Rows are sorted by their creation, then by id, however they came")
  func order() {
    let wanted = [Self.item(5, 1), Self.item(2, 2), Self.item(3, 2), Self.item(1, 9)]
    for items in [wanted, wanted.reversed(), [wanted[2], wanted[0], wanted[3], wanted[1]]] {
      var table = Self.table(items)
      #expect(Self.sorted(&table) == wanted)
      #expect(Self.sorted(&table) == wanted, "asked again")
      #expect(table.rows == items, "in the table they stay where they are")
    }
  }

  @Test("What changed since is in the next answer", arguments: [false, true])
  func changes(isInOrder: Bool) {
    let items = [Self.item(1, 1), Self.item(2, isInOrder ? 2 : 0)]
    var table = Self.table(items)
    let before = Self.sorted(&table)
    table.change(items[0].id) { $0.name = "changed" }
    #expect(Self.sorted(&table).contains(Self.item(1, 1, "changed")))
    table.put(Self.item(2, 5, "replaced"), at: items[1].id)
    #expect(Self.sorted(&table).last == Self.item(2, 5, "replaced"))
    table.put(Self.item(3, -1), at: Self.item(3, -1).id)
    #expect(Self.sorted(&table).first == Self.item(3, -1))
    #expect(before.map(\.name) == ["", ""], "an answer stays what it was")
  }
}
