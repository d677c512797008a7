import Testing

@testable import Moderation

@Suite("HeuristicPolicy")
struct HeuristicPolicyTests {
  typealias Condition = HeuristicPolicy.Condition

  private static func vector(
    views5min: Int = 0, comments5min: Int = 0, totalFlags: Int = 0, images: Int = 0
  ) -> FeatureVector {
    let time = EventTime.utc(2026, 1, 5, 9)
    let subject = ScoringSubject(
      uploadedAt: time, category: nil, captionLength: 0, accountCreatedAt: time,
      userImageCount: images)
    let counts = EngagementCounts(
      views5min: .init(observed: views5min), comments5min: .init(observed: comments5min),
      totalFlags: .init(observed: totalFlags))
    return FeatureVector(subject, counts: counts, flavour: .observed, asOf: time)
  }

  private static func rule(
    _ name: String, _ feature: String, above threshold: Double, adds: Double
  ) throws -> HeuristicPolicy.Rule {
    let condition = try #require(
      Condition(feature: feature, comparison: .greater, threshold: threshold))
    return HeuristicPolicy.Rule(name: name, conditions: [condition], adds: adds)
  }

  /// REFERENCE §6's default policy.
  private static func reference() throws -> HeuristicPolicy {
    HeuristicPolicy(
      name: "heuristic", version: "v1", start: 0,
      rules: [
        try rule("flags", "total_flags", above: 0, adds: 0.4),
        try rule("comments", "comments_5min", above: 10, adds: 0.3),
        try rule("views", "views_5min", above: 100, adds: 0.2),
      ])
  }

  @Test(
    "A comparison holds below, at or above its threshold",
    arguments: [
      (">", [false, false, true]), (">=", [false, true, true]), ("<", [true, false, false]),
      ("<=", [true, true, false]), ("==", [false, true, false]),
    ])
  func comparisons(text: String, holds: [Bool]) throws {
    let comparison = try #require(Condition.Comparison(rawValue: text))
    let condition = try #require(
      Condition(feature: "views_5min", comparison: comparison, threshold: 100))
    #expect([99, 100, 101].map { condition.holds(for: Self.vector(views5min: $0)) } == holds)
  }

  @Test(
    "There is no condition on a feature that doesn't exist",
    arguments: [
      "", "views", "Views_5min", "total_views", "category", "category_Pizza",
    ])
  func unknownFeature(name: String) {
    #expect(Condition(feature: name, comparison: .greater, threshold: 0) == nil)
  }

  @Test("Every one of the 29 features can be asked about", arguments: FeatureVector.names)
  func knownFeature(name: String) {
    let condition = Condition(feature: name, comparison: .less, threshold: 1)
    #expect(condition?.feature == FeatureVector.index(of: name))
  }

  @Test(
    "The default policy adds what each rule that holds says",
    arguments: [
      (0, 0, 0, 0, "none"), (1, 0, 0, 0.4, "flags"), (0, 10, 100, 0, "none"),
      (0, 11, 0, 0.3, "comments"), (0, 0, 101, 0.2, "views"),
      (2, 11, 0, 0.7, "flags + comments"), (9, 11, 101, 0.9, "flags + comments + views"),
      (1, 0, 101, 0.6, "flags + views"),
    ])
  func reference(flags: Int, comments: Int, views: Int, risk: Double, rationale: String) throws {
    let score = try Self.reference().score(
      Self.vector(views5min: views, comments5min: comments, totalFlags: flags))
    #expect(abs(score.risk - risk) < 1e-12)
    #expect(score.rationale == rationale)
  }

  @Test(
    "The score is clamped to 0…1 at the end, not on the way",
    arguments: [
      (0, [0.5, 0.6], 1), (0.3, [-0.4], 0), (0, [-0.5, 0.75], 0.25), (0.5, [0.75, -0.5], 0.75),
      (2, [], 1), (-1, [], 0), (0, [1], 1), (1, [-1], 0),
    ] as [(Double, [Double], Double)])
  func clamp(start: Double, adds: [Double], risk: Double) {
    let rules = adds.map { HeuristicPolicy.Rule(name: "r", conditions: [], adds: $0) }
    let policy = HeuristicPolicy(name: "p", version: "v", start: start, rules: rules)
    #expect(policy.score(Self.vector()).risk == risk)
  }

  @Test("A rule needs all its conditions, and one without conditions always holds")
  func conjunction() throws {
    let both = [
      try #require(Condition(feature: "views_5min", comparison: .greater, threshold: 5)),
      try #require(Condition(feature: "comments_5min", comparison: .less, threshold: 5)),
    ]
    let policy = HeuristicPolicy(
      name: "p", version: "v", start: 0,
      rules: [
        HeuristicPolicy.Rule(name: "always", conditions: [], adds: 0.25),
        HeuristicPolicy.Rule(name: "both", conditions: both, adds: 0.5),
      ])
    #expect(policy.score(Self.vector(views5min: 6, comments5min: 4)).risk == 0.75)
    #expect(policy.score(Self.vector(views5min: 6, comments5min: 5)).risk == 0.25)
    #expect(policy.score(Self.vector(views5min: 5, comments5min: 4)).firedRules == ["always"])
  }

  @Test("The rationale is in the policy's order, whichever that is")
  func rationaleOrder() throws {
    var policy = try Self.reference()
    policy.rules.reverse()
    let score = policy.score(Self.vector(views5min: 101, comments5min: 11, totalFlags: 1))
    #expect(score.firedRules == ["views", "comments", "flags"])
    #expect(score.rationale == "views + comments + flags")
  }
}
