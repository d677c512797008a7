import Moderation
import Ports
import Testing

@testable import Pipeline

@Suite("Stream consumer: dead letters")
struct DeadLetterTests {
  private static let id = "00000000-0000-4001-8000-000000000001"

  /// Values that aren't events of their topic, and what the reason says.
  static let malformed: [(text: String, reason: String)] = [
    ("", "not JSON"), ("not json", "not JSON"), ("[1]", "not an object"), ("7", "not an object"),
    ("{\"event_type\":\"view\"", "not JSON"), ("{}", "event_type: is missing"),
    ("{\"event_type\":\"like\"}", "event_type: 'like' is none of"),
    ("{\"event_type\":7}", "event_type: should be a string, not '7'"),
    ("{\"event_type\":\"view\",\"viewed_at\":\"2025-06-15T14:00:00Z\"}", "image_id: is missing"),
    ("{\"event_type\":\"view\",\"image_id\":\"\(id)\"}", "viewed_at: is missing"),
    (
      "{\"event_type\":\"view\",\"image_id\":\"x\",\"viewed_at\":\"2025-06-15T14:00:00Z\"}",
      "image_id: should be a UUID, not 'x'"
    ),
    (
      "{\"event_type\":\"view\",\"image_id\":\"\(id)\",\"viewed_at\":\"yesterday\"}",
      "viewed_at: should be an ISO 8601 instant, not 'yesterday'"
    ),
    (
      "{\"event_type\":\"flag\",\"flag_id\":\"\(id)\",\"user_id\":\"\(id)\",\"reason\":\"r\","
        + "\"created_at\":\"2025-06-15T14:00:00Z\"}",
      "needs image_id or comment_id"
    ),
  ]

  @Test("Each kind of malformed record is a dead letter with the reason", arguments: malformed)
  func reason(text: String, reason: String) throws {
    try simulate { world in
      try await world.append(text, to: "gourmetgram.views", at: 3)
      await world.run([world.consumer()], for: 3)
      let letters = try await world.records(Topic.deadLetters)
      let letter = try #require(letters.first)
      #expect(letters.count == 1)
      let value = String(decoding: letter.value, as: UTF8.self)
      let start = "{\"topic\":\"gourmetgram.views\",\"partition\":0,\"offset\":0,\"reason\":"
      #expect(value.filter { $0 != " " }.hasPrefix(start), "\(value)")
      #expect(value.contains(reason), "\(value)")
      #expect(letter.key == Array("gourmetgram.views-0@0".utf8))
      #expect(world.journal.lines("dead-letter").count == 1)
    }
  }

  @Test(
    "Bytes that aren't text are kept in base64",
    arguments: [
      ([0xFF], "/w=="), ([0xFF, 0xFE], "//4="), ([0xFB, 0xEF, 0xBE], "++++"),
      ([0x00, 0x10, 0x83, 0xFF], "ABCD/w=="),
    ] as [([UInt8], String)])
  func binary(bytes: [UInt8], base64: String) throws {
    try simulate { world in
      try await world.append(bytes, to: "gourmetgram.flags")
      await world.run([world.consumer()], for: 3)
      let letter = try #require(try await world.records(Topic.deadLetters).first)
      let value = String(decoding: letter.value, as: UTF8.self)
      #expect(value.contains("\"value_base64\":\"\(base64)\""), "\(value)")
    }
  }

  @Test("Malformed records among others never stop the consumer, and are written once each")
  func amongOthers() throws {
    try simulate { world in
      for (number, (text, _)) in Self.malformed.enumerated() {
        let events = [Events.view(UInt64(number + 1), at: Int64(number))]
        try await world.append(events)
        try await world.append(text, to: "gourmetgram.views", at: Int64(number))
      }
      await world.run([world.consumer()], for: 3)
      await world.run([world.consumer()], for: 3)
      #expect(try await world.totals(at: 600) == [Self.malformed.count, 0, 0])
      let keys = try await world.records(Topic.deadLetters).compactMap(\.key)
      #expect(keys.count == Self.malformed.count)
      #expect(Set(keys).count == keys.count)
    }
  }

  @Test("After any failure every malformed record still has its dead letter, under one key")
  func faults() throws {
    let survey = try FaultSurvey([.before, .after], limit: 200) { plan in
      try simulate { world in
        for (text, _) in Self.malformed {
          try await world.append(text, to: "gourmetgram.views")
        }
        try await world.append([Events.view(1, at: 1)])
        await world.run([world.behind(plan).consumer()], for: 6)
        let keys = try await world.records(Topic.deadLetters).map { $0.key ?? [] }
        return [Set(keys).count, try await world.totals(at: 600)[0]]
      }
    }
    #expect(survey.expected == [Self.malformed.count, 1])
    #expect(survey.deviations == [])
  }

  @Test("A resolved mark that can't be read is passed over")
  func badMark() throws {
    try simulate { world in
      try await world.append("nonsense", to: Topic.resolved)
      try await world.resolve(4)
      try await world.append([Events.view(1, at: 5)])
      await world.run([world.consumer()], for: 3)
      #expect(try await world.totals(at: 9) == [1, 0, 0])
      let watermarks = try await world.features.progress().values.map(\.watermark)
      #expect(Set(watermarks) == [Sample.at(4)])
    }
  }
}
