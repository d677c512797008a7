import Testing

@testable import Moderation

@Suite("JSONWriter")
struct JSONWriterTests {
  @Test("An object without fields is {}")
  func empty() { #expect(JSONWriter().finish() == Array("{}".utf8)) }

  @Test("Fields come in the order of the calls, nil as null")
  func fields() {
    var json = JSONWriter()
    json.field("text", "a")
    json.field("none", nil as String?)
    json.field("id", ImageID(high: 0, low: 1))
    json.field("noID", nil as ImageID?)
    json.field("time", EventTime(microseconds: 0))
    json.field("noTime", nil as EventTime?)
    json.field("yes", true)
    json.field("no", false)
    json.field("unknown", nil as Bool?)
    json.field("least", Int64.min as Int64?)
    json.field("noNumber", nil as Int64?)
    json.field("nested", json: "[1]".utf8)
    let text = String(decoding: json.finish(), as: UTF8.self)
    #expect(
      text
        == #"{"text":"a","none":null,"id":"00000000-0000-0000-0000-000000000001","noID":null,"#
        + #""time":"1970-01-01T00:00:00.000000Z","noTime":null,"yes":true,"no":false,"#
        + #""unknown":null,"least":-9223372036854775808,"noNumber":null,"nested":[1]}"#)
  }

  @Test(
    "A number has its shortest text that round-trips; what JSON can't say is null",
    arguments: [
      (0.1, "0.1"), (0.30000000000000004, "0.30000000000000004"), (1, "1.0"), (-2.5, "-2.5"),
      (1e300, "1e+300"), (.nan, "null"), (.infinity, "null"), (-.infinity, "null"), (nil, "null"),
    ] as [(Double?, String)])
  func numbers(value: Double?, text: String) {
    var json = JSONWriter()
    json.field("x", value)
    #expect(String(decoding: json.finish(), as: UTF8.self) == "{\"x\":\(text)}")
  }

  @Test(
    "Strings get the escapes that JSON demands and no others",
    arguments: [
      ("", #""""#), ("plain", #""plain""#), ("a\"b", #""a\"b""#), ("a\\b", #""a\\b""#),
      ("\n\r\t", #""\n\r\t""#), ("\0\u{8}\u{c}\u{1f}", #""\u0000\u0008\u000c\u001f""#),
      ("\u{7f}/é🍜\u{2028}", "\"\u{7f}/é🍜\u{2028}\""),
    ])
  func strings(text: String, json: String) {
    var bytes: [UInt8] = []
    JSONWriter.appendString(text, to: &bytes)
    #expect(bytes == Array(json.utf8))
  }

  @Test("A text grows past the room that it was given, piece by piece and at once")
  func growth() {
    let long = String(repeating: "soup \"with\" noodles\n", count: 300)
    var json = JSONWriter(capacity: 1)
    json.field("a", long)
    for _ in 0..<200 { json.field("b", Int64.max as Int64?) }
    json.field("c", json: Array(long.utf8))
    let escaped = String(repeating: #"soup \"with\" noodles\n"#, count: 300)
    #expect(
      String(decoding: json.finish(), as: UTF8.self)
        == "{\"a\":\"\(escaped)\","
        + String(repeating: "\"b\":9223372036854775807,", count: 200) + "\"c\":\(long)}")
  }

  @Test(
    "Whole numbers have their digits",
    arguments: [0, 9, 10, -1, -10, 1_234_567_890, .max, .min] as [Int64])
  func wholeNumbers(value: Int64) {
    var json = JSONWriter()
    json.field("x", value as Int64?)
    json.field("list", [Double(Int32(truncatingIfNeeded: value)), 0.5])
    #expect(
      String(decoding: json.finish(), as: UTF8.self)
        == "{\"x\":\(value),\"list\":[\(Int32(truncatingIfNeeded: value)),0.5]}")
  }

  @Test("A line is the object and a newline")
  func line() {
    var json = JSONWriter()
    json.field("x", true)
    #expect(json.finishLine { Array($0) } == Array("{\"x\":true}\n".utf8))
  }
}
