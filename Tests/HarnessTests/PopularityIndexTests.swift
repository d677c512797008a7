import Moderation
import Simulation
import Testing

@testable import Harness

@Suite("PopularityIndex")
struct PopularityIndexTests {
  /// The naive choice: walk the weights until the point is used up.
  private static func naive(_ weights: [Int], at point: Int) -> Int? {
    var rest = point
    for (item, weight) in weights.enumerated() {
      if rest < weight { return item }
      rest -= weight
    }
    return nil
  }

  private static func compare(_ index: PopularityIndex, _ weights: [Int]) {
    #expect(index.count == weights.count)
    #expect(index.total == weights.reduce(0, +))
    for point in 0..<index.total {
      let (item, expected) = (index.item(at: point), naive(weights, at: point))
      if item != expected {
        Issue.record("point \(point) of \(weights): \(item), not \(expected ?? -1)")
        return
      }
    }
    for (item, weight) in weights.enumerated() {
      #expect(index.isChosen(item) == (weight > 0))
    }
  }

  @Test("Every point gives the item of a naive weighted choice", arguments: 1...8)
  func generated(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var index = PopularityIndex()
    var weights: [Int] = []
    for step in 0..<120 {
      let item = weights.isEmpty ? 0 : random.below(weights.count)
      switch random.below(weights.isEmpty ? 1 : 5) {
      case 0, 1:
        let weight = random.below(4)
        index.append(weight: weight)
        weights.append(weight)
      case 2, 3:
        let gain = random.below(6)
        index.add(gain, to: item)
        weights[item] += gain
      default:
        index.remove(item)
        weights[item] = 0
      }
      if step % 10 == 9 { Self.compare(index, weights) }
    }
    Self.compare(index, weights)
  }

  @Test("Each size from 1 to 70 is right while the index grows")
  func growth() {
    var index = PopularityIndex()
    var weights: [Int] = []
    for size in 1...70 {
      index.append(weight: size % 3 + 1)
      weights.append(size % 3 + 1)
      Self.compare(index, weights)
    }
  }

  @Test("The tree gets its levels as it grows")
  func levels() {
    var index = PopularityIndex()
    var weights: [Int] = []
    for size in 1...4_200 {
      index.append(weight: size % 2)
      weights.append(size % 2)
      if [16, 17, 255, 256, 257, 272, 273, 4_097].contains(size) {
        Self.compare(index, weights)
      }
    }
    index.add(3, to: 0)
    index.remove(4_000)
    (weights[0], weights[4_000]) = (weights[0] + 3, 0)
    Self.compare(index, weights)
  }

  @Test("What is removed is never chosen, until it gains weight again")
  func removal() {
    var index = PopularityIndex()
    for _ in 0..<5 { index.append(weight: 2) }
    for item in [0, 4, 2] { index.remove(item) }
    index.remove(2)
    #expect(index.total == 4)
    #expect((0..<4).map(index.item(at:)) == [1, 1, 3, 3])
    index.add(1, to: 4)
    #expect((0..<5).map(index.item(at:)) == [1, 1, 3, 3, 4])
  }

  @Test("An image's weight is 1 + views + 2 · comments + 3 · flags, and deletion ends it")
  func world() {
    var world = World()
    for index in 0..<3 {
      world.addPicture(.init(high: 0, low: UInt64(index)), exists: true)
    }
    for kind in [.view, .view, .comment, .flag, .upload] as [EventKind] { world.engage(1, kind) }
    #expect(world.popularity.total == 1 + (1 + 2 + 2 + 3) + 1)
    world.delete(1)
    world.engage(1, .flag)
    #expect(world.popularity.total == 2)
    #expect(!world.popularity.isChosen(1))
    #expect(!world.pictures[1].exists)
  }
}
