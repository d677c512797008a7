import Testing

@testable import Moderation

@Suite("EventCodec on the texts of other producers")
struct EventCodecTextTests {
  private static let image = "00000000-0000-0001-0000-000000000001"
  private static let user = "00000000-0000-0002-0000-000000000002"
  private static let comment = "00000000-0000-0003-0000-000000000003"

  /// A comment whose content is `content` (JSON text) and whose last fields are `rest`.
  private static func comment(_ content: String, _ rest: String = "") -> String {
    #"{"event_type": "comment", "comment_id": "\#(comment)", "image_id": "\#(image)", "#
      + #""user_id": "\#(user)", "created_at": "2026-01-05T09:00:00", "#
      + #""content": \#(content)\#(rest)}"#
  }

  private static func content(_ event: PlatformEvent?) -> String? {
    guard case .comment(_, _, let content) = event?.subject else { return nil }
    return content
  }

  @Test(
    "Escapes are undone alike by both paths",
    arguments: [
      (#""""#, ""), (#""a\/b""#, "a/b"),
      (#""\"\\\b\f\n\r\t""#, "\"\\\u{8}\u{c}\n\r\t"),
      (#""\u0041\u00e9\u00E9""#, "Aéé"), (#""\ud83c\udf5c""#, "🍜"),
      (#""\uD83C\uDF5C!""#, "🍜!"),
      (#""\u65e5本""#, "日本"), (#""e\u0301""#, "e\u{301}"), (#""\u0000""#, "\0"),
      (#""\\u0041""#, "\\u0041"), (#""\uffff\udbff\udfff""#, "\u{ffff}\u{10ffff}"),
      (#""🍜 👩‍🍳""#, "🍜 👩‍🍳"), (#""\u2028 \u007f""#, "\u{2028} \u{7f}"),
    ])
  func escapes(json: String, content: String) {
    let paths = CodecPaths(Self.comment(json))
    #expect(Self.content(paths.fast).map { Array($0.utf8) } == Array(content.utf8))
    #expect(Self.content(paths.slowEvent).map { Array($0.utf8) } == Array(content.utf8))
    #expect(paths.agree)
  }

  @Test(
    "A byte order mark in a text is a character like any other",
    arguments: [
      "\u{feff}", "\u{feff}soup", "soup\u{feff}", "soup\n\u{feff}of the day",
    ])
  func byteOrderMark(content: String) {
    var json: [UInt8] = []
    JSONWriter.appendString(content, to: &json)
    let paths = CodecPaths(Self.comment(String(decoding: json, as: UTF8.self)))
    #expect(Self.content(paths.fast).map { Array($0.utf8) } == Array(content.utf8))
    #expect(Self.content(paths.slowEvent).map { Array($0.utf8) } == Array(content.utf8))
  }

  @Test(
    "A broken string is accepted by neither path",
    arguments: [
      #""\ud83c""#, #""\udf5c""#, #""\ud83c\u0041""#, #""\ud83cx""#, #""\udf5c\ud83c""#, #""\u00""#,
      #""\u00g0""#, #""\x41""#, #""\U0041""#, #""\"#, "\"a\nb\"", "\"a\u{1}b\"", "'a'", "a",
    ])
  func broken(json: String) {
    let paths = CodecPaths(Self.comment(json))
    #expect(paths.fast == nil)
    #expect(paths.slowEvent == nil)
  }

  @Test(
    "An extra scalar field is ignored by both paths",
    arguments: [
      #", "extra": "text""#, #", "extra": 1"#, #", "extra": -0.5"#, #", "extra": null"#,
      #", "extra": false"#, #", "extra": "\u0041""#, #", "": """#, #", "Content": "other""#,
      ", \"extra\"\n\t:\r\n 0 ",
    ])
  func extraScalar(rest: String) throws {
    let paths = CodecPaths(Self.comment(#""hi""#, rest))
    let plain = try #require(CodecPaths(Self.comment(#""hi""#)).fast)
    #expect(paths.bothGive(plain))
  }

  @Test(
    "What is JSON but unusual is left to the slow path, which accepts it",
    arguments: [
      #", "extra": {"a": {"b": []}}"#, #", "extra": {}"#, #", "extra": [1, "}"]"#,
      #", "extra": []"#,
      #", "extra": 1e3"#, #", "extra": 1.5E-3"#, #", "extr\u0061": 1"#,
      (1...11).map { ", \"extra\($0)\": 1" }.joined(),
    ])
  func unusual(rest: String) throws {
    let paths = CodecPaths(Self.comment(#""hi""#, rest))
    let plain = try #require(CodecPaths(Self.comment(#""hi""#)).fast)
    #expect(paths.fast == nil)
    #expect(paths.slowEvent == plain)
  }

  @Test(
    "A field that comes twice is left to the slow path",
    arguments: [
      #", "content": "again""#, #", "image_id": "\#(user)""#, #", "event_type": "comment""#,
      #", "extra": 1, "extra": 1"#,
    ])
  func duplicates(rest: String) {
    #expect(CodecPaths(Self.comment(#""hi""#, rest)).fast == nil)
  }

  @Test(
    "The fast path accepts nothing that isn't JSON, also where it doesn't look",
    arguments: [
      // An escape that JSON lacks, and surrogates without a partner.
      RawText(comment(#""hi""#, #", "extra": "\q""#)),
      RawText(comment(#""hi""#, #", "extra": "\u00g0""#)),
      RawText(comment(#""hi""#, #", "extra": "\ud83c""#)),
      RawText(comment(#""hi""#, ", \"extra\": \"\\\u{1}\"")),
      // A number past what a double holds.
      RawText(comment(#""hi""#, ", \"extra\": \(String(repeating: "9", count: 400))")),
      // Bytes that aren't UTF-8, in a value and in a name.
      RawText(comment(#""hi""#, #", "extra": "~""#), tilde: 0xff),
      RawText(comment(#""hi""#, #", "ex~tra": 1"#), tilde: 0xc3),
    ])
  func unreadFields(text: RawText) {
    let paths = CodecPaths(text.bytes)
    #expect(paths.slowEvent == nil)
    #expect(paths.fast == nil)
  }

  @Test(
    "What isn't one JSON object is accepted by neither path",
    arguments: [
      "", " ", "null", "[]", "{", "}", "{}", "{} {}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,}"#,
      #"{"a":01}"#, #"{"a":+1}"#, #"{"a":.5}"#, #"{"a":1.}"#, #"{"a":-}"#, #"{"a":tru}"#,
      #"{"a":NaN}"#, #"{a:1}"#, #"{"a":1;"b":2}"#, "\"", "{\"", "{\"a\":\"\\", "\0",
    ])
  func notAnObject(text: String) {
    let paths = CodecPaths(text)
    #expect(paths.fast == nil)
    #expect(paths.slowEvent == nil)
  }

  @Test("A text cut anywhere, or with anything behind it, is accepted by neither path")
  func truncated() {
    let text = Array(Self.comment(#""a\u0041🍜""#).utf8)
    let cut = (0..<text.count).filter { length in
      let paths = CodecPaths(Array(text[..<length]))
      return paths.fast != nil || paths.slowEvent != nil
    }
    #expect(cut.isEmpty, "accepted when cut to \(cut) bytes")
    for tail in ["}", ",", "x", "\0", "{}"] {
      let paths = CodecPaths(text + Array(tail.utf8))
      #expect(paths.fast == nil && paths.slowEvent == nil, "accepted with \(tail) behind it")
    }
  }

  @Test(
    "Without event_id, an event has the id of what it is about, a view the fallback",
    arguments: [
      (
        #"{"event_type":"upload","image_id":"\#(image)","user_id":"\#(user)","#
          + #""created_at":"2026-01-05T09:00Z"}"#,
        EventID(high: 1, low: 1)
      ),
      (comment(#""hi""#), EventID(high: 3, low: 3)),
      (comment(#""hi""#, #", "event_id": null"#), EventID(high: 3, low: 3)),
      (comment(#""hi""#, #", "event_id": "\#(user)""#), EventID(high: 2, low: 2)),
      (
        #"{"event_type":"flag","flag_id":"\#(comment)","image_id":"\#(image)","#
          + #""user_id":"\#(user)","reason":"rude","created_at":"2026-01-05T09:00Z"}"#,
        EventID(high: 3, low: 3)
      ),
      (
        #"{"event_type":"view","image_id":"\#(image)","viewed_at":"2026-01-05T09:00Z"}"#,
        CodecPaths.fallbackID
      ),
    ])
  func missingID(text: String, id: EventID) throws {
    let paths = CodecPaths(text)
    #expect(paths.fast?.id == id)
    #expect(paths.slowEvent?.id == id)
    #expect(try EventCodec.decode(Array(text.utf8), fallbackID: CodecPaths.fallbackID).id == id)
  }

  @Test(
    "actor_eligible is true, false, or unknown when null or absent",
    arguments: [
      ("", nil), (#", "actor_eligible": null"#, nil), (#", "actor_eligible": true"#, true),
      (#", "actor_eligible": false"#, false),
    ] as [(String, Bool?)])
  func eligible(rest: String, eligible: Bool?) throws {
    let paths = CodecPaths(Self.comment(#""hi""#, rest))
    #expect(try #require(paths.fast).actorEligible == eligible)
    #expect(try #require(paths.slowEvent).actorEligible == eligible)
  }
}
