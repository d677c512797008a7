import Foundation
import Moderation
import Ports
import Testing

@testable import Harness

@Suite("Recordings")
struct RecordingTests {
  static let image = "d2fc68c2-1859-43d2-b083-da95f3ee1a51"
  /// A canonical view, 2026-01-05T09:00:01.25Z.
  static let view =
    #"{"event_type":"view","image_id":"\#(image)","#
    + #""viewed_at":"2026-01-05T09:00:01.250000Z"}"#
  private static let milliseconds: Int64 = 1_767_603_601_250

  private static func quoted(_ text: String) -> String {
    var bytes: [UInt8] = []
    JSONWriter.appendString(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func line(
    _ change: [String: String?] = [:], time: String = "timestamp"
  ) -> String {
    var fields: [String: String] = [
      "topic": #""gourmetgram.views""#, "partition": "2", "offset": "7", time: "\(milliseconds)",
      "key": quoted(image), time == "ts" ? "payload" : "value": quoted(view),
    ]
    for (name, value) in change { fields[name] = value }
    return "{"
      + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
      .joined(separator: ",") + "}"
  }

  private static func read(_ text: String) throws(ScenarioError) -> [Recording.Entry] {
    try Recording(Data(text.utf8), file: "events.jsonl").entries
  }

  @Test("Our events, kcat's and bare lines are the same records")
  func forms() throws {
    let now = Self.milliseconds * 1000
    let lines = [
      Self.line(["now": "\(now)"]), Self.line(time: "ts"), Self.view,
      Self.view.replacing(",", with: ", ").replacing(":", with: ": ", maxReplacements: 2),
    ]
    let entries = try Self.read(lines.joined(separator: "\n"))
    try #require(entries.count == 4)
    for entry in entries {
      #expect(entry.arrival == EventTime(microseconds: now))
      #expect(entry.record.topic == "gourmetgram.views")
      #expect(entry.record.key == Array(Self.image.utf8))
      #expect(entry.record.timestamp == EventTime(microseconds: now))
    }
    #expect(entries[..<3].allSatisfy { $0.record.value == Array(Self.view.utf8) })
    #expect(entries.map(\.record.partition) == [2, 2, nil, nil])
    #expect(Set(entries.map { EventCodec.decodeOrNil($0.record.value) }).count == 1)
  }

  @Test("Entries are sorted by arrival: `now`, else the timestamp; equal ones as in the file")
  func order() throws {
    let (now, key) = (Self.milliseconds * 1000, { (text: String) in Self.quoted(text) })
    let entries = try Self.read(
      [
        Self.line(["key": key("a"), "now": "\(now + 5)"]), Self.line(["key": key("b")]),
        Self.line(["key": key("c"), "now": "\(now)"]), Self.line(["key": key("d")], time: "ts"),
        Self.line(["key": key("e"), "now": "\(now - 1)"]),
      ].joined(separator: "\n"))
    let keys = entries.map { String(decoding: $0.record.key ?? [], as: UTF8.self) }
    #expect(keys == ["e", "b", "c", "d", "a"])
    #expect(Set(entries.map(\.record.timestamp)).count == 1, "arrival isn't the timestamp")
  }

  @Test("Blank lines, carriage returns and a missing last newline don't matter")
  func blanks() throws {
    #expect(try Self.read("\n\r\n \t\n\(Self.view)\r\n\n\(Self.view)").count == 2)
  }

  @Test("A value may be base64, null, or empty; a key may be missing")
  func values() throws {
    let entries = try Self.read(
      [
        Self.line(["value": nil, "value_base64": "\"/wB7\""]),
        Self.line(["value": "null", "key": "null"]), Self.line(["payload": "null"], time: "ts"),
        Self.line(["value": "\"\""]), Self.line(["key": nil, "partition": nil]),
      ].joined(separator: "\n"))
    #expect(entries.map(\.record.value.count) == [3, 0, 0, 0, Self.view.utf8.count])
    #expect(entries[0].record.value == [0xFF, 0, 0x7B])
    #expect(entries[1].record.key == nil && entries[4].record.key == nil)
    #expect(entries[4].record.partition == nil)
  }

  @Test(
    "A bad line is told with its number and what is wrong",
    arguments: [
      ("hello", "the line is not a JSON object"), ("[1]", "the line is not a JSON object"),
      ("{\"topic\":", "the line is not a JSON object"), ("3", "the line is not a JSON object"),
      ("{}", "neither event_type nor topic"), ("{\"topic\":3}", "neither event_type nor topic"),
      (line(["topic": "\"other\""]), "'other' is none of gourmetgram.comments"),
      (line(["topic": "\"gourmetgram.moderation_requests\""]), "is none of"),
      (line(["timestamp": nil]), "no timestamp (or ts)"),
      (line(["timestamp": "\"now\""]), "no timestamp (or ts)"),
      (line(["timestamp": "1.5"]), "no timestamp (or ts)"),
      (line(["timestamp": "9223372036854775807"]), "outside the years 2000 to 2200"),
      (line(["timestamp": "-9007199254741"]), "outside the years 2000 to 2200"),
      (line(["timestamp": "946684799999"]), "outside the years 2000 to 2200"),
      (view.replacing("2026-", with: "9999-"), "outside the years 2000 to 2200"),
      (line(["value": nil]), "no value (or payload)"),
      (line(["value": "3"]), "no value (or payload)"),
      (line(["value": nil, "value_base64": "\"?\""]), "no value (or payload)"),
      (line(["now": "9223372036854775807"]), "now, 9223372036854775807, lies outside the years"),
      (line(["now": "-9223372036854775808"]), "outside the years 2000 to 2200"),
      (line(["now": "\"5\""]), "now should be microseconds, a whole number, not '5'"),
      (line(["key": "7"]), "key should be a string, not '7'"),
      (line(["partition": "\"2\""]), "partition should be a whole number, not '2'"),
      (line(["partition": "-1"]), "partition"), (line(["partition": "100000000"]), "partition"),
      ("{\"event_type\":\"like\"}", "the line is no event: event_type"),
      ("{\"event_type\":\"view\"}", "the line is no event: "),
      (view.replacing("T09", with: "T29"), "the line is no event: viewed_at"),
      (" {\"event_type\": 3}", "the line is no event: event_type"),
    ])
  func badLines(line: String, message: String) throws {
    let error = try #require(throws: ScenarioError.self) {
      try Self.read("\(Self.view)\n\n\(line)\n\(Self.view)\n")
    }
    #expect(error.file == "events.jsonl")
    #expect(error.line == 3 && error.column == 1)
    #expect(error.message.contains(message), "\(error)")
    #expect(error.hint?.contains("kcat -J") == true)
  }

  @Test("The least timestamp of all is out of range, not a trap")
  func leastTimestamp() async {
    await #expect(processExitsWith: .success) {
      let line = #"{"topic":"gourmetgram.views","ts":-9223372036854775808,"payload":""}"#
      do throws(ScenarioError) { _ = try Recording(Data(line.utf8), file: "x") } catch {}
    }
  }

  @Test("A recording without events is an error", arguments: ["", "\n\n", " \r\n"])
  func empty(text: String) throws {
    let error = try #require(throws: ScenarioError.self) { try Self.read(text) }
    #expect(error.description == "events.jsonl: there is no event in it")
  }

  @Test("Score points are lines of image and instant")
  func points() throws {
    let text = """
      {"image_id":"\(Self.image)","now":1767603600000005}

      {"now":946684800000000,"image_id":"\(Self.image)"}

      """
    let points = try Replay.ScorePoint.points(Data(text.utf8), file: "points.jsonl")
    let image = try #require(ImageID(Self.image))
    #expect(
      points == [
        Replay.ScorePoint(image: image, asOf: EventTime(microseconds: 1_767_603_600_000_005)),
        Replay.ScorePoint(image: image, asOf: EventTime(microseconds: 946_684_800_000_000)),
      ])
  }

  @Test(
    "A bad score point is told with its line",
    arguments: [
      "hello", "[]", "{}", "{\"image_id\":\"\(image)\"}", "{\"image_id\":\"x\",\"now\":5}",
      "{\"image_id\":3,\"now\":5}", "{\"image_id\":\"\(image)\",\"now\":\"5\"}",
      "{\"image_id\":\"\(image)\",\"now\":1.5}",
      "{\"image_id\":\"\(image)\",\"now\":5}",
      "{\"image_id\":\"\(image)\",\"now\":9223372036854775807}",
    ])
  func badPoints(line: String) throws {
    let good = "{\"image_id\":\"\(Self.image)\",\"now\":1767603600000000}"
    let error = try #require(throws: ScenarioError.self) {
      try Replay.ScorePoint.points(Data("\(good)\n\(line)\n".utf8), file: "points.jsonl")
    }
    #expect(error.file == "points.jsonl" && error.line == 2)
  }
}
