import Foundation
import Moderation
import Pipeline
import Ports
import Testing

@testable import Harness

@Suite("Replay")
struct ReplayTests {
  /// The tables that a replay must give again; a score's storing may come at another second.
  private static func tables(_ run: RunResult) -> [String: [[String]]] {
    var tables: [String: [[String]]] = [:]
    for table in run.csvTables where table.name != "skew" {
      let kept = table.columns.indices.filter { table.columns[$0] != "scored_at" }
      tables[table.name] = table.sortedByKey().rows.map { row in kept.map { row[$0] } }
    }
    return tables
  }

  /// Writes a run's output and reads it back as a recording.
  private static func recorded(
    _ run: RunResult, _ folder: String
  ) throws -> (Recording, RecordedTables) {
    try OutputFolder(folder).write(run, Judgement(run), wallSeconds: 0)
    let events = try Data(contentsOf: URL(filePath: "\(folder)/events.jsonl"))
    return (
      try Recording(events, file: "events.jsonl"),
      try RecordedTables(folder: "\(folder)/tables")
    )
  }

  @Test(
    "A run's own events and tables give its triggers, scores, windows and training rows again",
    arguments: ["plain", "late", "poison"])
  func ownRun(variant: String) throws {
    var scenario = try ScenarioTexts.parsedTiny()
    switch variant {
    case "late":
      scenario.traffic = scenario.traffic.map { entry in
        guard case .poisson(var poisson) = entry else { return entry }
        poisson.lateShare = 0.2
        poisson.lateBy = .seconds(300)
        return .poisson(poisson)
      }
    case "poison":
      scenario.traffic += [
        .poison(.init(at: .seconds(400), topic: .view, value: [0xFF, 0], times: 2)),
        .poison(.init(at: .seconds(400), topic: .flag, value: Array("{}".utf8))),
        .duplicates(.init(at: .seconds(500), last: 4)),
      ]
    default: break
    }
    let run = try ScenarioRun(scenario).run()
    let replayed = try withTemporaryFolder("ownRun\(variant)") { folder in
      let (recording, tables) = try Self.recorded(run, folder)
      return try Replay(recording, tables: tables, scenario: scenario, points: []).run()
    }
    let (expected, actual) = (Self.tables(run), Self.tables(replayed))
    #expect(Set(expected.keys) == ["triggers", "scores", "windows", "training_data"])
    for (name, rows) in expected {
      #expect(!rows.isEmpty)
      let difference = Set(rows).symmetricDifference(actual[name] ?? [])
      #expect(actual[name] == rows, "\(name): \(difference.prefix(4))")
    }
    #expect(replayed.deadLetters.count == run.deadLetters.count)
    #expect(replayed.late.count == run.late.count)
    #expect(Judgement(replayed).checkers.flatMap(\.faults) == [])
  }

  @Test(
    "Bare events alone give windows, training rows and scores, whatever their date",
    arguments: ["2026-03-05", "2026-01-05"])
  func bareEvents(date: String) throws {
    let upload =
      #"{"event_type":"upload","image_id":"\#(RecordingTests.image)","#
      + #""user_id":"\#(RecordingTests.image)","category":"Soup","caption":null,"#
      + #""created_at":"2026-01-05T09:00:00Z","s3_url":"x"}"#
    let lines = [upload, RecordingTests.view].map { $0.replacing("2026-01-05", with: date) }
    let recording = try Recording(Data(lines.joined(separator: "\n").utf8), file: "bare.jsonl")
    let image = try #require(ImageID(RecordingTests.image))
    let point = Replay.ScorePoint(
      image: image, asOf: try #require(ISO8601.parse("\(date)T09:00:05Z")))
    let run = try Replay(recording, tables: nil, scenario: nil, points: [point]).run()
    #expect(run.scenario.name == "replay")
    #expect(run.tables.images.map(\.id) == [image])
    #expect(run.scores.map(\.request.trigger.name).sorted() == ["anchor_0m", "score_at"])
    let asked = try #require(run.scores.first { $0.request.trigger == .scoreAt })
    #expect(asked.asOf == point.asOf)
    #expect(asked.observed["views_5min"] == 1)
    #expect(run.windows(.views).map(\.count) == [1])
    #expect(run.trainingRows.map(\.decisionPointMinutes) == [0])
  }

  @Test("A recording over too long a time is refused with its times, not played for years")
  func longRecording() throws {
    func event(_ year: Int) -> String {
      #"{"event_type":"view","image_id":"d2fc68c2-1859-43d2-b083-da95f3ee1a51","#
        + #""viewed_at":"\#(year)-01-01T00:00:00Z"}"#
    }
    let text = Data("\(event(2001))\n\(event(2150))\n".utf8)
    let replay = Replay(
      try Recording(text, file: "long.jsonl"), tables: nil, scenario: nil, points: [])
    let error = try #require(throws: ScenarioError.self) { try replay.run() }
    #expect(error.file == "long.jsonl")
    #expect(error.message.contains("from 2001-01-01T00:00:00.000000Z to 2150-01-01"), "\(error)")
    #expect(error.hint?.contains("relay_every") == true)
  }

  @Test("A replay's jobs have the orders that the scenario gives them")
  func jobOrders() throws {
    var scenario = try ScenarioTexts.parsedTiny()
    scenario.jobs = try Scenario(
      yaml: ScenarioTexts.header + """
        jobs:
          - { at: 20m, run: event-aggregation }
          - { at: 20m, run: feature-log, beside: true }
          - { at: end, run: promote, model: v7, stage: shadow }
        """, file: "x.yaml"
    ).jobs
    let run = try ScenarioRun(ScenarioTexts.parsedTiny()).run()
    let replayed = try withTemporaryFolder("jobOrders") { folder in
      let (recording, tables) = try Self.recorded(run, folder)
      return try Replay(recording, tables: tables, scenario: scenario, points: []).run()
    }
    #expect(replayed.scenario.jobs == scenario.jobs)
    let failure = replayed.jobs.compactMap(\.failure).first
    #expect(failure?.contains("v7") == true, "the model that was asked for isn't there")
  }

  @Test("Rows that refer to nothing end the replay with that error, not for lack of progress")
  func danglingRows() throws {
    let comment =
      #"{"id":"\#(RecordingTests.image)","image_id":"\#(RecordingTests.image)","#
      + #""user_id":"\#(RecordingTests.image)","content":"c","#
      + #""created_at":"2026-01-05T09:00:01Z"}"#
    let tables = try withTemporaryFolder { folder in
      for (table, text) in [("users", ""), ("images", ""), ("comments", comment)] {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(table).jsonl"))
      }
      return try RecordedTables(folder: folder)
    }
    let recording = try Recording(Data(RecordingTests.view.utf8), file: "bare.jsonl")
    var scenario = try ScenarioTexts.parsedTiny()
    scenario.jobs = []
    let error = try #require(throws: (any Error).self) {
      try Replay(recording, tables: tables, scenario: scenario, points: []).run()
    }
    #expect("\(error)".contains("missing reference"), "\(error)")
  }

  @Test("Two users of one id in the recorded tables are refused or taken as one, not a trap")
  func duplicateUsers() async {
    await #expect(processExitsWith: .success) {
      let user =
        #"{"id":"\#(RecordingTests.image)","username":"a","#
        + #""created_at":"2026-01-05T09:00:00Z"}"#
      try withTemporaryFolder { folder in
        try Data("\(user)\n\(user)\n".utf8).write(to: URL(filePath: "\(folder)/users.jsonl"))
        try Data().write(to: URL(filePath: "\(folder)/images.jsonl"))
        let recording = try Recording(Data(RecordingTests.view.utf8), file: "x")
        do {
          let tables = try RecordedTables(folder: folder)
          _ = try Replay(recording, tables: tables, scenario: nil, points: []).run()
        } catch is ScenarioError {}
      }
    }
  }
}
