import Moderation
import Testing

@testable import Harness

@Suite("Names that a scenario gives")
struct ScenarioAliasTests {
  @Test(
    "A name that is used before it is somebody's is told with when it will be",
    arguments: [
      BadText(
        after: """
          traffic:
            - view: { on: ▶cake, at: 5m }
            - upload: { as: cake, at: 10m }
          """, "there is no image 'cake' yet at 5m", hint: "made at 10m"),
      BadText(
        after: """
          traffic:
            - burst: { as: hero, at: 10m, over: 1m, views: 1 }
          actions:
            - { at: 9m, delete: { image: ▶hero } }
          """, "there is no image 'hero' yet at 9m", hint: "made at 10m"),
      BadText(
        after: """
          traffic:
            - user: { as: ann, at: 2m }
            - upload: { as: cake, at: 1m, by: ▶ann }
          """, "there is no user 'ann' yet at 1m", hint: "made at 2m"),
      BadText(
        after: """
          traffic:
            - comment: { on: image-1, as: first, at: 5m }
          actions:
            - { at: 4m, delete: { comment: ▶first } }
          """, "there is no comment 'first' yet at 4m"),
      BadText(
        after: """
          traffic:
            - user: { as: ann, at: 20m }
          actions:
            - { at: 19m, correct: { user: ▶ann, year_of_birth: 2010 } }
          """, "there is no user 'ann' yet at 19m"),
    ])
  func early(text: BadText) throws { try ScenarioErrorTests.check(text) }

  @Test(
    "A name that is given twice is told at the second place",
    arguments: [
      BadText(
        after: """
          traffic:
            - upload: { as: cake, at: 1m }
            - upload: { as: ▶cake, at: 2m }
          """, "the upload 'cake' is made twice"),
      BadText(
        after: """
          traffic:
            - user: { as: ann, at: 1m }
            - user: { as: ▶ann, at: 2m }
          """, "the user 'ann' is made twice"),
      BadText(
        after: """
          traffic:
            - comment: { on: image-1, as: first, at: 1m }
            - comment: { on: image-2, as: ▶first, at: 2m }
          """, "the comment 'first' is made twice"),
    ])
  func twice(text: BadText) throws { try ScenarioErrorTests.check(text) }

  @Test("From its own instant on a name may be used, and kinds have names of their own")
  func sound() throws {
    let scenario = try Scenario(
      yaml: ScenarioTexts.header + """
        traffic:
          - upload: { as: cake, at: 1m }
          - user: { as: cake, at: 1m }
          - view: { on: cake, at: 1m, by: cake }
          - burst: { as: cake, at: 5m, over: 1m, views: 1 }
          - comment: { on: cake, as: cake, at: 6m }
        actions:
          - { at: 6m, delete: { comment: cake } }
        """, file: "x.yaml")
    try scenario.check()
  }

  @Test("Somebody may be born on the day of the request, and corrected to that")
  func newborn() throws {
    let scenario = try Scenario(
      yaml: ScenarioTexts.header + """
        start: 2026-01-05T23:00:00Z
        traffic:
          - user: { as: baby, at: 59m, year_of_birth: 2026, date_of_birth: 2026-01-05 }
          - user: { as: tomorrow, at: 1h, date_of_birth: 2026-01-06 }
        actions:
          - { at: 1h, correct: { user: baby, date_of_birth: 2026-01-06 } }
        """, file: "x.yaml")
    #expect(scenario.traffic.count == 2 && scenario.actions.count == 1)
  }

  @Test("`erased` takes an image or a user, and nothing else")
  func erased() throws {
    let scenario = try Scenario(
      yaml: ScenarioTexts.header + "expect: [{ erased: image-1 }, { erased: user-1 }]",
      file: "x.yaml")
    #expect(
      scenario.expectations.map(\.kind) == [.erased(image: "image-1"), .erased(image: "user-1")])
    try ScenarioErrorTests.check(
      BadText(
        after: "expect: [{ erased: ▶usr-1 }]", "there is no image or user 'usr-1'"))
  }

  @Test("In code, too, a name can't be used before it is somebody's")
  func inCode() throws {
    var scenario = try Scenario(name: "early", duration: .seconds(600))
    scenario.traffic = [
      .engagement(.view, on: "cake", at: .seconds(60)), .upload(as: "cake", at: .seconds(61)),
    ]
    let error = #expect(throws: ScenarioError.self) { try scenario.check() }
    #expect(error?.message == "there is no image 'cake' yet at 1m")
  }
}
