/// Chooses among items by weight in O(log n): a tree of sums, each of sixteen below it.
///
/// An image's weight grows with its engagement: 1 + views + 2 · comments + 3 · flags
/// (REFERENCE §9).
struct PopularityIndex {
  /// How many nodes one of the level above sums up: as many as lie in one line of the processor's
  /// memory, since every event walks the tree.
  private static let width = 16

  /// All levels in one array, each ``width`` times as long as the one before; the last are the
  /// items' weights.
  private var nodes: [Int32] = Array(repeating: 0, count: width)
  /// Where the weights begin.
  private var leaves = 0
  private(set) var total = 0
  private(set) var count = 0

  /// Adds an item at the end.
  mutating func append(weight: Int) {
    if leaves + count == nodes.count { grow() }
    count += 1
    add(weight, to: count - 1)
  }

  /// Changes an item's weight.
  mutating func add(_ delta: Int, to item: Int) {
    let change = Int32(delta)
    total += delta
    var (node, start) = (item, leaves)
    while true {
      nodes[start + node] += change
      guard start > 0 else { return }
      node /= Self.width
      // The level above ends where this one begins.
      start = (start - Self.width) / Self.width
    }
  }

  /// Takes an item out of the choice.
  mutating func remove(_ item: Int) { add(-Int(nodes[leaves + item]), to: item) }

  /// Whether an item can be chosen.
  func isChosen(_ item: Int) -> Bool { nodes[leaves + item] > 0 }

  /// The item at `point` of the total weight, 0 ≤ point < total.
  func item(at point: Int) -> Int {
    var rest = Int32(point)
    var (node, start) = (0, 0)
    while true {
      while nodes[start + node] <= rest {
        rest -= nodes[start + node]
        node += 1
      }
      guard start < leaves else { return node }
      node *= Self.width
      start = (start + 1) * Self.width
    }
  }

  /// Puts a level on top: what was a level is the first sixteenth of the one below it.
  private mutating func grow() {
    var taller = Array(repeating: Int32(0), count: Self.width * (nodes.count + 1))
    taller[0] = Int32(total)
    var start = 0
    while start <= leaves {
      let next = (start + 1) * Self.width
      for node in start..<next { taller[next + node - start] = nodes[node] }
      start = next
    }
    leaves = (leaves + 1) * Self.width
    nodes = taller
  }
}
