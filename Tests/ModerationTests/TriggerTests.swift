import Testing

@testable import Moderation

@Suite("Trigger")
struct TriggerTests {
  private static let table: [(Trigger, String, Bool)] = [
    (.viral, "viral", true), (.suspicious, "suspicious", true), (.flagged, "flagged", true),
    (.popular, "popular", false), (.milestone(10), "milestone_10", false),
    (.milestone(1000), "milestone_1000", false), (.anchor(minutes: 0), "anchor_0m", true),
    (.anchor(minutes: 5), "anchor_5m", true), (.anchor(minutes: 30), "anchor_30m", true),
    (.scoreAt, "score_at", true),
  ]

  @Test("A trigger survives the round trip through its name", arguments: table)
  func names(trigger: Trigger, name: String, asksForScore: Bool) {
    #expect(trigger.name == name)
    #expect(Trigger(name: name) == trigger)
  }

  @Test("Popular and milestones are only logged, the others ask for a score", arguments: table)
  func asksForScore(trigger: Trigger, name: String, asksForScore: Bool) {
    #expect(trigger.asksForScore == asksForScore)
  }

  @Test(
    "What no trigger is called names none",
    arguments: [
      "", "Viral", "viral ", "anchor", "anchor_", "anchor_m", "anchor_5", "anchor_-5m",
      "anchor_5.0m",
      "anchor_5mm", "anchor_99999999999999999999m", "milestone", "milestone_", "milestone_0",
      "milestone_-10", "milestone_10m", "milestone_ten", "scoreAt",
    ])
  func unknownNames(name: String) { #expect(Trigger(name: name) == nil) }

  @Test(
    "A trigger has one name: other spellings of its number name none",
    arguments: [
      "anchor_+5m", "anchor_05m", "anchor_-0m", "anchor_00m", "milestone_+10", "milestone_010",
    ])
  func otherSpellings(name: String) { #expect(Trigger(name: name) == nil) }

  @Test("Triggers order by name")
  func order() {
    let sorted: [Trigger] = [
      .anchor(minutes: 0), .anchor(minutes: 30), .anchor(minutes: 5), .flagged, .milestone(10),
      .popular, .scoreAt, .suspicious, .viral,
    ]
    #expect(Array(sorted.reversed()).sorted() == sorted)
  }

  @Test("The default thresholds are REFERENCE's")
  func defaults() {
    let policy = TriggerPolicy()
    #expect(policy.viral == 100)
    #expect(policy.suspicious == 10)
    #expect(policy.flagged == 2)
    #expect(policy.popular == 50)
    #expect(policy.milestones == [10, 100, 1000])
    #expect(policy.anchors == [0, 5, 30])
  }
}
