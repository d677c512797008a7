import Foundation
import Testing

@testable import Lakehouse

/// JSON of metadata files and Avro schemas.
@Suite("JSON texts are read whole, or refused at a byte")
struct JSONParserTests {
  @Test("A document has its values, the last where a key repeats")
  func values() throws {
    let text = """
       { "a" : [ 0, -12, 1.5e2, 9223372036854775807, 9223372036854775808, true, false, null ],
         "b": { "": "", "x": 1, "x": 2 }, "t": "plain", "e": "a\\u00e9\\ud83c\\udf5c\\n\\"\\/b" }
      """
    let tree = try JSONTree(parsing: Array(text.utf8))
    #expect(
      tree
        == .object([
          "a": .list([
            .integer(0), .integer(-12), .number(150), .integer(.max),
            .number(9_223_372_036_854_775_808), .boolean(true), .boolean(false), .null,
          ]),
          "b": .object(["": .text(""), "x": .integer(2)]),
          "t": .text("plain"), "e": .text("aé🍜\n\"/b"),
        ]))
  }

  @Test("What a tree writes, it reads", arguments: 1...40)
  func roundTrip(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let tree = Self.tree(&dice, depth: 0)
    var bytes: [UInt8] = []
    tree.append(to: &bytes)
    #expect(try JSONTree(parsing: bytes) == tree)
    #expect(
      try JSONSerialization.isValidJSONObject(
        JSONSerialization.jsonObject(
          with: Data("[".utf8) + bytes + Data("]".utf8))))
  }

  @Test(
    "What isn't JSON is refused at its byte",
    arguments: [
      ("", 0), ("  ", 2), ("01", 1), ("+1", 0), ("1.", 2), (".5", 0), ("1e", 2), ("-", 1),
      ("1e999", 5), ("nul", 0), ("[1,]", 3), ("[1 2]", 3), ("{1:2}", 1), ("{\"a\" 1}", 5),
      ("{\"a\":1", 6), ("\"a", 2), ("\"a\tb\"", 3), ("\"\\x\"", 3), ("\"\\u12g4\"", 5),
      ("\"\\ud800\"", 7), ("1 2", 2), ("\u{FEFF}1", 0),
    ])
  func refused(text: String, offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSONTree(parsing: Array(text.utf8)) }
    #expect(error?.offset == offset, "\(error as Any)")
  }

  @Test("Bytes that aren't text, and nesting without end, are refused")
  func hostile() {
    #expect(throws: JSONError.self) { try JSONTree(parsing: [0x22, 0xC3, 0x28, 0x22]) }
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    #expect(throws: JSONError.self) { try JSONTree(parsing: deep) }
  }

  private static func tree(_ dice: inout Dice, depth: Int) -> JSONTree {
    let texts = ["", "a", "é🍜", "\u{1}\"\\/", "null"]
    switch dice.below(depth > 3 ? 5 : 7) {
    case 0: return .null
    case 1: return .boolean(dice.below(2) == 0)
    case 2: return .integer(dice.pick([0, -1, .max, .min, 1 << 53]))
    case 3: return .number(dice.pick([0.5, -1e-300, 1e300, 123.25]))
    case 4: return .text(dice.pick(texts))
    case 5: return .list((0..<dice.below(4)).map { _ in tree(&dice, depth: depth + 1) })
    default:
      let keys = texts.prefix(dice.below(texts.count + 1))
      return .object(
        Dictionary(uniqueKeysWithValues: keys.map { ($0, tree(&dice, depth: depth + 1)) }))
    }
  }
}
