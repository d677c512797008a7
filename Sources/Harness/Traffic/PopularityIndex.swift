/// Chooses among items by weight in O(log n): a Fenwick tree of prefix sums.
///
/// An image's weight grows with its engagement: 1 + views + 2 · comments + 3 · flags
/// (REFERENCE §9).
struct PopularityIndex {
  // Half a word each: every event walks the tree, and it should stay near the processor.
  private var tree: [Int32] = [0]
  private var weights: [Int32] = []
  private(set) var total = 0
  /// The largest power of two below the tree's size.
  private var widestStep = 1

  var count: Int { weights.count }

  /// Adds an item at the end.
  mutating func append(weight: Int) {
    weights.append(0)
    let position = weights.count
    // A new node covers the items that its lowest bit spans: their sum is known from the others.
    var sum: Int32 = 0
    var child = position - 1
    let stop = position - (position & -position)
    while child > stop {
      sum += tree[child]
      child -= child & -child
    }
    tree.append(sum)
    if widestStep * 2 < tree.count { widestStep *= 2 }
    add(weight, to: position - 1)
  }

  /// Changes an item's weight.
  mutating func add(_ delta: Int, to item: Int) {
    let change = Int32(delta)
    weights[item] += change
    total += delta
    var position = item + 1
    while position < tree.count {
      tree[position] += change
      position += position & -position
    }
  }

  /// Takes an item out of the choice.
  mutating func remove(_ item: Int) { add(-Int(weights[item]), to: item) }

  /// Whether an item can be chosen.
  func isChosen(_ item: Int) -> Bool { weights[item] > 0 }

  /// The item at `point` of the total weight, 0 ≤ point < total.
  func item(at point: Int) -> Int {
    var position = 0
    var rest = Int32(point)
    var step = widestStep
    while step > 0 {
      let next = position + step
      if next < tree.count, tree[next] <= rest {
        position = next
        rest -= tree[next]
      }
      step /= 2
    }
    return position
  }
}
