import Testing

@testable import Moderation

@Suite("EventDecodingError")
struct EventDecodingErrorTests {
  private static let image = #""image_id":"00000000-0000-0001-0000-000000000001""#
  private static let user = #""user_id":"00000000-0000-0002-0000-000000000002""#
  private static let flag = #""flag_id":"00000000-0000-0003-0000-000000000003""#
  private static let comment = #""comment_id":"00000000-0000-0003-0000-000000000003""#
  private static let viewed = #""viewed_at":"2026-01-05T09:00:00Z""#
  private static let created = #""created_at":"2026-01-05T09:00:00Z""#

  private static func object(_ kind: String, _ fields: String...) -> String {
    "{" + ([#""event_type":"\#(kind)""#] + fields).joined(separator: ",") + "}"
  }

  private static func error(of text: [UInt8]) -> EventDecodingError? {
    do throws(EventDecodingError) {
      _ = try EventCodec.decode(text, fallbackID: CodecPaths.fallbackID)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "A bad field is named, with what it should be and the value seen",
    arguments: [
      ("{}", "event_type", "is missing"),
      (#"{"event_type":null}"#, "event_type", "is missing"),
      (#"{"event_type":3}"#, "event_type", "should be a string, not '3'"),
      (object("like"), "event_type", "'like' is none of upload, view, comment, flag"),
      (object("View"), "event_type", "'View' is none of upload, view, comment, flag"),
      (object("view", image), "viewed_at", "is missing"),
      (object("view", image, created), "viewed_at", "is missing"),
      (object("view", viewed), "image_id", "is missing"),
      (object("view", viewed, #""image_id":null"#), "image_id", "is missing"),
      (object("view", viewed, #""image_id":"abc""#), "image_id", "should be a UUID, not 'abc'"),
      (object("view", viewed, #""image_id":7"#), "image_id", "should be a UUID, not '7'"),
      (object("view", viewed, image, #""user_id":"x""#), "user_id", "should be a UUID, not 'x'"),
      (object("view", viewed, image, #""event_id":"""#), "event_id", "should be a UUID, not ''"),
      (
        object("view", image, #""viewed_at":"yesterday""#), "viewed_at",
        "should be an ISO 8601 instant, not 'yesterday'"
      ),
      (
        object("view", image, #""viewed_at":"2026-02-29T09:00:00Z""#), "viewed_at",
        "should be an ISO 8601 instant, not '2026-02-29T09:00:00Z'"
      ),
      (
        object("view", image, #""viewed_at":1767603600"#), "viewed_at",
        "should be an ISO 8601 instant, not '1767603600'"
      ),
      (
        object("view", image, viewed, #""actor_eligible":1"#), "actor_eligible",
        "should be true or false, not '1'"
      ),
      (
        object("view", image, viewed, #""actor_eligible":0"#), "actor_eligible",
        "should be true or false, not '0'"
      ),
      (
        object("view", image, viewed, #""actor_eligible":"yes""#), "actor_eligible",
        "should be true or false, not 'yes'"
      ),
      (object("upload", image, created), "user_id", "is missing"),
      (object("upload", user, created), "image_id", "is missing"),
      (
        object("upload", image, user, created, #""caption":7"#), "caption",
        "should be a string, not '7'"
      ),
      (object("comment", comment, image, user, created), "content", "is missing"),
      (object("comment", image, user, created, #""content":"x""#), "comment_id", "is missing"),
      (object("comment", comment, user, created, #""content":"x""#), "image_id", "is missing"),
      (object("flag", image, user, created, #""reason":"x""#), "flag_id", "is missing"),
      (object("flag", flag, image, user, created), "reason", "is missing"),
      (
        object("flag", flag, user, created, #""reason":"x""#), "image_id",
        "a flag needs image_id or comment_id"
      ),
      (
        object("flag", flag, user, created, #""reason":"x","image_id":null,"comment_id":null"#),
        "image_id", "a flag needs image_id or comment_id"
      ),
      (
        object("view", viewed, #""image_id":"\#(String(repeating: "é", count: 61))""#), "image_id",
        "should be a UUID, not '\(String(repeating: "é", count: 60))…'"
      ),
    ])
  func fields(text: String, field: String, reason: String) {
    #expect(Self.error(of: Array(text.utf8)) == EventDecodingError(field: field, reason: reason))
    #expect(CodecPaths(text).fast == nil)
  }

  @Test("Only the first bad field is reported")
  func firstOnly() {
    let text = Self.object("view", #""viewed_at":"x","image_id":"y","actor_eligible":2"#)
    #expect(Self.error(of: Array(text.utf8))?.field == "viewed_at")
  }

  @Test(
    "JSON that is no object is called that", arguments: ["[]", "3", "\"view\"", "null", "true"])
  func notAnObject(text: String) {
    let expected = EventDecodingError(reason: "the value is JSON, but not an object")
    #expect(Self.error(of: Array(text.utf8)) == expected)
  }

  @Test(
    "What isn't JSON is called that, with the parser's reason",
    arguments: [
      "", "view", "{", #"{"event_type":"view"},"#, #"{"event_type":"\q"}"#, "{'event_type':'view'}",
    ])
  func notJSON(text: String) throws {
    let error = try #require(Self.error(of: Array(text.utf8)))
    #expect(error.field == nil)
    #expect(error.reason.hasPrefix("the value is not JSON: "))
    #expect(error.reason.utf8.count > "the value is not JSON: ".utf8.count)
  }

  @Test(
    "Bytes that aren't UTF-8 are called that",
    arguments: [
      [0xff], Array("{\"event_type\":\"".utf8) + [0xc3] + Array("\"}".utf8),
      Array("{\"event_type\":\"".utf8) + [0xed, 0xa0, 0x80] + Array("\"}".utf8),
      [0xff, 0xfe, 0x7b, 0],
    ] as [[UInt8]])
  func notUTF8(text: [UInt8]) {
    let expected = EventDecodingError(reason: "the value is not valid UTF-8")
    #expect(Self.error(of: text) == expected)
  }

  @Test("The description is the field and the reason, or the reason alone")
  func description() {
    #expect(EventDecodingError(field: "caption", reason: "is odd").description == "caption: is odd")
    #expect(EventDecodingError(reason: "is odd").description == "is odd")
  }
}
