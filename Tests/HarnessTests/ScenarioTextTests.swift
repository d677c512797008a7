import Foundation
import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@testable import Harness

@Suite("Scenarios as text")
struct ScenarioTextTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../scenarios")

  private static let names: [String] = {
    let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (files ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
  }()

  private static func expectSame(_ scenario: Scenario) throws {
    let text = scenario.yaml(comments: ["one", "", "three"])
    #expect(text.hasPrefix("# one\n#\n# three\nname: "))
    let again = try Scenario(yaml: text, file: "again.yaml")
    #expect(again.yaml() == scenario.yaml())
    #expect(again.population == scenario.population)
    #expect(again.traffic == scenario.traffic)
    #expect(again.actions == scenario.actions)
    #expect(again.jobs == scenario.jobs)
    #expect(again.faults == scenario.faults)
    #expect(again.expectations.map(\.kind) == scenario.expectations.map(\.kind))
    #expect(again.schedule == scenario.schedule)
    #expect(again.policy == scenario.policy)
  }

  @Test("A scenario's text reads as the scenario", arguments: names)
  func roundTrip(name: String) throws {
    let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    try Self.expectSame(Scenario(yaml: text, file: name))
  }

  @Test("So does that of a scenario with every key")
  func everyKey() throws {
    var full = try ScenarioTexts.parsedFull()
    full.policy.heuristic = try .builtIn("heuristic")
    try Self.expectSame(full)
  }

  @Test("There are scenarios to try")
  func some() { #expect(Self.names.count > 15) }
}
