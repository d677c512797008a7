import Foundation
import Moderation
import Pipeline
import Simulation
import Testing

@testable import Harness

@Suite("Divergence")
struct DivergenceTests {
  private static func write(_ files: [String: String], _ folder: String) throws {
    for (name, text) in files {
      let path = URL(filePath: "\(folder)/\(name)")
      try FileManager.default.createDirectory(
        at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: path)
    }
  }

  /// Compares two folders with those files.
  private static func compare(
    _ first: [String: String], _ second: [String: String], _ test: String = #function,
    _ body: (FolderComparison) throws -> Divergence?
  ) throws -> [String] {
    try withTemporaryFolder(test) { folder in
      try write(first.merging(["summary.json": "1"]) { a, _ in a }, "\(folder)/a")
      try write(second.merging(["summary.json": "2"]) { a, _ in a }, "\(folder)/b")
      return try body(FolderComparison("\(folder)/a", "\(folder)/b"))?.lines ?? []
    }
  }

  private static let header = "request_id,as_of,inference_mode,risk_score\n"

  @Test("The trace comes first: its first different line with both sides, fields and what precedes")
  func trace() throws {
    let lines = (1...5).map { "{\"at\":\($0),\"event\":\"applied\"}\n" }
    let a = ["trace.jsonl": lines.joined() + "{\"at\":6,\"event\":\"late\",\"x\":null}\n"]
    let b = [
      "trace.jsonl": lines.joined() + "{\"at\":7,\"event\":\"late\"}\n", "events.jsonl": "{}\n",
    ]
    let expected = [
      "trace.jsonl line 6", "    both    {\"at\":3,\"event\":\"applied\"}",
      "    both    {\"at\":4,\"event\":\"applied\"}",
      "    both    {\"at\":5,\"event\":\"applied\"}",
      "    first   {\"at\":6,\"event\":\"late\",\"x\":null}",
      "    second  {\"at\":7,\"event\":\"late\"}", "    at: 6 | 7", "    x: null | (none)",
    ]
    #expect(try Self.compare(a, b) { try $0.firstDifferentEvent() } == expected)
    #expect(try Self.compare(a, b) { try $0.firstDifferentByte() } == expected)
    #expect(
      try Self.compare(a, b) { try $0.firstDifferentEvent(readsTrace: false) }
        == ["events.jsonl line 1", "    first   (has ended)", "    second  {}"])
  }

  @Test("Without two traces, events are compared, and a record's value field by field")
  func events() throws {
    let same = "{\"offset\":0,\"value\":\"{}\"}\n"
    let a = [
      "trace.jsonl": "{}\n",
      "events.jsonl": same + #"{"offset":1,"value":"{\"user_id\":\"u1\",\"n\":[1]}"}"# + "\n",
    ]
    let b = [
      "events.jsonl": same + #"{"offset":1,"value":"{\"user_id\":\"u2\",\"n\":[1]}"}"# + "\n"
    ]
    let lines = try Self.compare(a, b) { try $0.firstDifferentEvent() }
    #expect(lines.first == "events.jsonl line 2")
    #expect(lines[1] == "    both    {\"offset\":0,\"value\":\"{}\"}")
    #expect(lines.last == "    value.user_id: u1 | u2" && lines.count == 5)
  }

  @Test("Tables are compared by their keys, whatever the order of their rows")
  func tables() throws {
    let rows = ["a,1,h,0.1\n", "b,1,h,0.4\n", "c,1,h,0.5\n"]
    func scores(_ rows: [String]) -> [String: String] {
      ["scores.csv": Self.header + rows.joined()]
    }
    #expect(
      try Self.compare(scores(rows), scores(rows.reversed())) { try $0.firstDifferentEvent() } == []
    )
    #expect(
      try Self.compare(scores(rows), scores(["c,1,h,0.7\n", "b,1,h,0.2\n", rows[0]])) {
        try $0.firstDifferentEvent()
      } == [
        "scores.csv row b,1,h", "    both    a,1,h,0.1", "    first   b,1,h,0.4",
        "    second  b,1,h,0.2", "    risk_score: 0.4 | 0.2",
      ])
    #expect(
      try Self.compare(scores(rows), scores([rows[0], rows[2]])) { try $0.firstDifferentEvent() }
        == [
          "scores.csv row b,1,h", "    both    a,1,h,0.1", "    first   b,1,h,0.4",
          "    second  (has ended)",
        ])
    #expect(
      try Self.compare(scores(rows), scores(rows.reversed())) { try $0.firstDifferentByte() }[0]
        == "scores.csv line 2")
    #expect(
      try Self.compare(scores(rows), [:]) { try $0.firstDifferentEvent() } == [
        "scores.csv", "    first   has the file", "    second  has no such file",
      ])
  }

  @Test("Every file but the summary is compared byte for byte; the lake isn't by event")
  func everyFile() throws {
    let a = ["lake/x.parquet": "PAR1", "tables/users.jsonl": "{}\n"]
    let b = ["lake/x.parquet": "PAR2", "tables/users.jsonl": "{}\n"]
    #expect(try Self.compare(a, a) { try $0.firstDifferentByte() } == [])
    #expect(try Self.compare(a, b) { try $0.firstDifferentByte() }[0] == "lake/x.parquet line 1")
    #expect(try Self.compare(a, b) { try $0.firstDifferentEvent() } == [])
    let c = ["tables/users.jsonl": "{\"id\":1}\n"]
    #expect(
      try Self.compare(a, c) { try $0.firstDifferentEvent() }[0] == "tables/users.jsonl line 1")
  }

  @Test("A folder that isn't there is an error with its name")
  func missing() throws {
    let error = try #require(throws: FolderError.self) {
      _ = try FolderComparison("/no/such/folder", "/no/such/folder")
    }
    #expect(error.description == "there is no folder '/no/such/folder'")
  }

  @Test("Keys are those of the tables that a run writes")
  func keys() throws {
    let run = try ScenarioTexts.soundRun.get()
    #expect(FolderComparison.tables.map(\.name) == run.csvTables.map(\.name))
    #expect(FolderComparison.tables.map(\.key) == run.csvTables.map(\.keyColumns))
  }

  @Test("Two runs are compared event by event, the first difference with its fields")
  func runs() throws {
    let first = try ScenarioTexts.soundRun.get()
    #expect(first.firstDivergence(from: try ScenarioRun(ScenarioTexts.parsedTiny()).run()) == nil)
    var later = try ScenarioTexts.parsedTiny()
    later.faults = [
      .init(at: .seconds(310), duration: .seconds(60), kind: .pause, service: .streamConsumer)
    ]
    let applied = try #require(first.firstDivergence(from: try ScenarioRun(later).run()))
    #expect(applied.place.hasPrefix("applied record "))
    #expect(applied.fields.map(\.name).contains("now") && applied.common.count == 3)
    var patient = try ScenarioTexts.parsedTiny()
    patient.policy.triggers.viral = 11
    let request = try #require(first.firstDivergence(from: try ScenarioRun(patient).run()))
    #expect(request.place.hasPrefix("request "))
    var stern = try ScenarioTexts.parsedTiny()
    stern.policy.heuristic.start = 0.1
    let score = try #require(first.firstDivergence(from: try ScenarioRun(stern).run()))
    #expect(score.place == "score 1")
    #expect(score.fields.map(\.name) == ["risk_score"])
    #expect(score.lines.last == "    risk_score: 0.0 | 0.1")
  }
}
