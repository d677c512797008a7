import Harness
import Testing

@Suite("Score comparison")
struct ScoreComparisonTests {
  private static func pair(
    _ image: String, _ first: Double, _ second: Double, _ label: Bool?, category: String = "Soup"
  ) -> ScoreComparison.Pair {
    ScoreComparison.Pair(
      image: image, trigger: "anchor_0m", asOf: "2026-01-05T09:00:00Z", first: first,
      second: second, label: label, segments: ["category=\(category)"])
  }

  @Test("Both ways send as many to review as there is capacity, of equal scores the first")
  func flips() {
    let pairs = [
      Self.pair("a", 0, 0.9, nil), Self.pair("b", 0.4, 0.8, nil), Self.pair("c", 0, 0.1, nil),
      Self.pair("d", 0.4, 0.2, nil),
    ]
    let two = ScoreComparison(("x", "y"), pairs, capacity: 2)
    #expect(two.flips.map(\.image) == ["a", "d"])
    #expect(two.thresholds == (first: 0.4, second: 0.8))
    #expect(two.agreement == 0.5)
    let three = ScoreComparison(("x", "y"), pairs, capacity: 3)
    #expect(three.flips.isEmpty, "a comes before c")
    #expect(ScoreComparison(("x", "y"), pairs, capacity: 99).reviewed == 4)
    #expect(ScoreComparison(("x", "y"), [], capacity: 3).agreement == 1)
  }

  @Test("Rankings are by labels, of all and by category; one class alone has none")
  func rankings() throws {
    let pairs = [
      Self.pair("a", 0.1, 0.9, true), Self.pair("b", 0.2, 0.1, false),
      Self.pair("c", 0.5, 0.5, true, category: "Rice"), Self.pair("d", 0.9, 0.9, nil),
    ]
    let rankings = ScoreComparison(("x", "y"), pairs, capacity: 1).rankings
    #expect(rankings.map(\.segment) == ["all", "category=Rice", "category=Soup"])
    #expect(rankings.map(\.count) == [3, 1, 2])
    #expect(rankings[0].first == 0.5 && rankings[0].second == 1)
    #expect(rankings[1].first == nil && rankings[1].second == nil)
    #expect(rankings[2].first == 0 && rankings[2].second == 1)
  }

  @Test("What the traffic planted is ranked by itself, whether a label is ripe or not")
  func planted() {
    var pairs = [Self.pair("a", 0.1, 0.9, nil), Self.pair("b", 0.2, 0.1, false)]
    #expect(ScoreComparison(("x", "y"), pairs, capacity: 1).rankings.count == 2)
    (pairs[0].isPlanted, pairs[1].isPlanted) = (true, false)
    let rankings = ScoreComparison(("x", "y"), pairs, capacity: 1).rankings
    #expect(rankings.map(\.segment) == ["all", "planted", "category=Soup"])
    #expect(rankings[1].count == 2 && rankings[1].positive == 1)
    #expect(rankings[1].first == 0 && rankings[1].second == 1)
  }
}
