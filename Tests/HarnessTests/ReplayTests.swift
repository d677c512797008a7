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
    arguments: [
      "", "traffic_late", "poison",
    ])
  func ownRun(variant: String) throws {
    var scenario = try ScenarioTexts.parsedTiny()
    switch variant {
    case "traffic_late":
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
    #expect(Judgement(replayed).checkers.allSatisfy(\.holds))
  }

  @Test("Without a scenario, tables or anything but bare events a replay gives windows and scores")
  func bareEvents() throws {
    let lines = [
      #"{"event_type":"upload","image_id":"\#(RecordingTests.image)","#
        + #""user_id":"\#(RecordingTests.image)","category":"Soup","caption":null,"#
        + #""created_at":"2026-01-05T09:00:00Z","s3_url":"x"}"#, RecordingTests.view,
    ]
    let recording = try Recording(Data(lines.joined(separator: "\n").utf8), file: "bare.jsonl")
    let image = try #require(ImageID(RecordingTests.image))
    let point = Replay.ScorePoint(
      image: image, asOf: EventTime(microseconds: 1_767_603_605_000_000))
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

  @Test("Two users of one id in the recorded tables are an error, not a trap")
  func duplicateUsers() async {
    await #expect(processExitsWith: .success) {
      let user = #"{"id":"\#(RecordingTests.image)","username":"a","#
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

@Suite("Recorded tables")
struct RecordedTablesTests {
  private static let id = RecordingTests.image
  private static let good = [
    "users": #"{"id":"\#(id)","username":"a","created_at":"2026-01-05T09:00:00Z"}"#,
    "images": #"{"id":"\#(id)","user_id":"\#(id)","created_at":"2026-01-05T09:00:00Z"}"#,
    "comments": #"{"id":"\#(id)","image_id":"\#(id)","user_id":"\#(id)","content":"c","#
      + #""created_at":"2026-01-05T09:00:00Z"}"#,
    "flags": #"{"id":"\#(id)","user_id":"\#(id)","image_id":"\#(id)","comment_id":null,"#
      + #""reason":"r","created_at":"2026-01-05T09:00:00Z"}"#,
  ]

  /// Reads a folder with the good rows, of which `change` replaces or removes files.
  private static func read(
    _ name: String, _ change: [String: String?]
  ) throws -> RecordedTables {
    try withTemporaryFolder("tables\(name)") { folder in
      for (table, text) in good.merging(change.compactMapValues { $0 }, uniquingKeysWith: { $1 })
      where change[table] != .some(nil) {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(table).jsonl"))
      }
      return try RecordedTables(folder: folder)
    }
  }

  @Test("Rows need only their keys, references and instants")
  func rows() throws {
    let tables = try Self.read("rows", [:])
    #expect(tables.users.first?.tosVersionAccepted == 1)
    #expect(tables.users.first?.isTestAccount == false)
    #expect(tables.images.first?.source == "user_upload")
    #expect(tables.comments.map(\.content) == ["c"])
    #expect(tables.flags.first?.commentID == nil && tables.flags.first?.imageID != nil)
  }

  @Test("Comments and flags may be missing; users and images may not")
  func files() throws {
    let tables = try Self.read("few", ["comments": nil, "flags": nil])
    #expect(tables.comments.isEmpty && tables.flags.isEmpty && tables.users.count == 1)
    for table in ["users", "images"] {
      let error = try #require(throws: ScenarioError.self) {
        try Self.read("no\(table)", [table: nil])
      }
      #expect(error.file.hasSuffix("/\(table).jsonl") && error.line == 0)
      #expect(error.message == "the file can't be read")
      #expect(error.hint?.contains("--tables") == true)
    }
  }

  @Test(
    "A bad row is told with file, line, column name and value",
    arguments: [
      ("users", "hello", "the line is not a JSON object"), ("users", "[]", "not a JSON object"),
      ("users", #"{"username":"a"}"#, "id should be a UUID, not nothing"),
      ("users", #"{"id":"x","username":"a"}"#, "id should be a UUID, not 'x'"),
      ("users", #"{"id":"\#(id)"}"#, "username should be a string, not nothing"),
      ("users", #"{"id":"\#(id)","username":3}"#, "username should be a string, not '3'"),
      ("users", #"{"id":"\#(id)","username":"a"}"#, "created_at should be an ISO 8601 instant"),
      (
        "users", #"{"id":"\#(id)","username":"a","created_at":"soon"}"#,
        "created_at should be an ISO 8601 instant, not 'soon'"
      ),
      ("images", #"{"id":"\#(id)","user_id":7}"#, "user_id should be a UUID, not '7'"),
      (
        "images",
        #"{"id":"\#(id)","user_id":"\#(id)","created_at":"2026-01-05T09:00:00Z","deleted_at":""}"#,
        "deleted_at should be an ISO 8601 instant, not ''"
      ),
      ("comments", #"{"id":"\#(id)"}"#, "image_id should be a UUID, not nothing"),
      (
        "comments", #"{"id":"\#(id)","image_id":"\#(id)","user_id":"\#(id)"}"#,
        "content should be a string"
      ),
      ("flags", #"{"id":"\#(id)","user_id":"\#(id)","image_id":"x"}"#, "image_id should be a UUID"),
      ("flags", #"{"id":"\#(id)","user_id":"\#(id)"}"#, "reason should be a string"),
    ])
  func badRows(table: String, row: String, message: String) throws {
    let text = "\(Self.good[table] ?? "")\n\n\(row)\n"
    let error = try #require(throws: ScenarioError.self) {
      try Self.read("bad\(table)\(row.utf8.count)", [table: text])
    }
    #expect(error.file.hasSuffix("/\(table).jsonl"))
    #expect(error.line == 3)
    #expect(error.message.contains(message), "\(error)")
  }
}
