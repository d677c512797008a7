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

  @Test("What a tree writes, it and Foundation read", arguments: 1...40)
  func roundTrip(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let tree = Self.tree(&dice, depth: 0)
    var bytes: [UInt8] = []
    tree.append(to: &bytes)
    #expect(try JSONTree(parsing: bytes) == tree)
    #expect(try Self.foundation(bytes) == tree)
  }

  @Test("A damaged text is what Foundation makes of it, or both refuse it", arguments: 1...8)
  func damaged(seed: UInt64) {
    var dice = Dice(seed: seed)
    let marks = Array("{}[]\":,.-+eE019tfn\\u \n".utf8)
    var accepted = 0
    for _ in 0..<100 {
      var bytes: [UInt8] = []
      JSONTree.list([Self.tree(&dice, depth: 0)]).append(to: &bytes)
      let place = dice.below(bytes.count)
      if dice.below(2) == 0 { bytes[place] = dice.pick(marks) } else { bytes.remove(at: place) }
      let expected = try? Self.foundation(bytes)
      let read = try? JSONTree(parsing: bytes)
      if read != nil { accepted += 1 }
      #expect(
        read.map(Self.plain) == expected.map(Self.plain),
        "\(String(decoding: bytes, as: UTF8.self))"
      )
    }
    #expect((10...90).contains(accepted))
  }

  @Test(
    "What isn't JSON is refused at its byte",
    arguments: [
      ("", 0), ("  ", 2), ("01", 1), ("+1", 0), ("1.", 2), (".5", 0), ("1e", 2), ("-", 1),
      ("1e999", 0), ("[1e999]", 1), ("nul", 0), ("[1,]", 3), ("[1 2]", 3), ("{1:2}", 1),
      ("{\"a\" 1}", 5),
      ("{\"a\":1", 6), ("\"a", 2), ("\"a\tb\"", 2), ("\"\\x\"", 2), ("\"\\u12g4\"", 5),
      ("\"a\\ud800\"", 2), ("1 2", 2), ("\u{FEFF}1", 0),
    ])
  func refused(text: String, offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSONTree(parsing: Array(text.utf8)) }
    #expect(error?.offset == offset, "\(error as Any)")
  }

  @Test("Bytes that aren't text are refused at the string that holds them")
  func notText() {
    let bytes: [UInt8] = [0x5B, 0x22, 0x61, 0xC3, 0x28, 0x22, 0x5D]
    let error = #expect(throws: JSONError.self) { try JSONTree(parsing: bytes) }
    #expect(error == JSONError(reason: "invalid UTF-8 in a JSON string", offset: 1))
  }

  @Test("512 levels of nesting are read, more are refused where they begin")
  func deep() throws {
    func nested(_ levels: Int) -> [UInt8] {
      Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
    }
    _ = try JSONTree(parsing: nested(512))
    for levels in [513, 100_000] {
      let error = #expect(throws: JSONError.self) { try JSONTree(parsing: nested(levels)) }
      #expect(error?.offset == 512)
    }
  }

  /// The document as Foundation reads it.
  private static func foundation(_ bytes: [UInt8]) throws -> JSONTree {
    try JSONDecoder().decode(Foreign.self, from: Data(bytes)).tree
  }

  /// The document with whole numbers told by their value: Foundation reads `1.0` as 1.
  private static func plain(_ tree: JSONTree) -> JSONTree {
    switch tree {
    case .number(let value): Int64(exactly: value).map(JSONTree.integer) ?? tree
    case .list(let values): .list(values.map(plain))
    case .object(let fields): .object(fields.mapValues(plain))
    default: tree
    }
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

/// A document of any shape through a `Decoder`.
private struct Foreign: Decodable {
  let tree: JSONTree

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      tree = .null
    } else if let flag = try? value.decode(Bool.self) {
      tree = .boolean(flag)
    } else if let integer = try? value.decode(Int64.self) {
      tree = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      tree = .number(number)
    } else if let text = try? value.decode(String.self) {
      tree = .text(text)
    } else if let values = try? value.decode([Foreign].self) {
      tree = .list(values.map(\.tree))
    } else {
      tree = .object(try value.decode([String: Foreign].self).mapValues(\.tree))
    }
  }
}
