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

  @Test("A byte that needs an escape gets it wherever it stands, in text of any length")
  func everyPlace() {
    for length in 1...40 {
      for place in 0..<length {
        for byte in [0, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x7F] as [UInt8] {
          var text = (0..<length).map { UInt8(ascii: "a") + UInt8($0 % 26) }
          text[place] = byte
          var bytes: [UInt8] = []
          JSONWriter.appendString(String(decoding: text, as: UTF8.self), to: &bytes)
          let escape: String? =
            switch byte {
            case 0: "\\u0000"
            case 0x1F: "\\u001f"
            case 0x22: "\\\""
            case 0x5C: "\\\\"
            default: nil
            }
          let expected =
            text[..<place] + Array((escape ?? "").utf8)
            + text[place...].dropFirst(escape == nil ? 0 : 1)
          #expect(bytes == [0x22] + expected + [0x22], "\(byte) at \(place) of \(length)")
        }
      }
    }
  }

  @Test("A number has its digits at every length, and keys of any length their commas")
  func lengths() {
    var json = JSONWriter(capacity: 1)
    var numbers: [Int64] = [.min, .max, -1, 0]
    var power: Int64 = 1
    for _ in 0..<18 {
      power *= 10
      numbers += [power - 1, power, power + 1, -power]
    }
    for number in numbers { json.field("a", number) }
    json.field("", 1 as Int64)
    json.field("abc", 2 as Int64)
    json.field("abcdefg", 3 as Int64)
    json.field("abcdefghijklmnop", 4 as Int64)
    json.field("abcdefghijklmnopq", 5 as Int64)
    let expected =
      numbers.map { "\"a\":\($0)" } + [
        #""":1"#, #""abc":2"#, #""abcdefg":3"#, #""abcdefghijklmnop":4"#,
        #""abcdefghijklmnopq":5"#,
      ]
    #expect(
      String(decoding: json.finish(), as: UTF8.self) == "{\(expected.joined(separator: ","))}")
  }

  @Test("Whole numbers of a list have no point, as far as they are exact")
  func lists() {
    var json = JSONWriter()
    json.field("x", [0, -0.0, 1, -7, 0.5, 1e15, -0x1p63, 0x1p63, 1e300, 3.75])
    #expect(
      String(decoding: json.finish(), as: UTF8.self)
        == #"{"x":[0,0,1,-7,0.5,1000000000000000,-9223372036854775808,"#
        + "9.223372036854776e+18,1e+300,3.75]}")
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
