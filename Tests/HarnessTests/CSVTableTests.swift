import Testing

@testable import Harness

@Suite("CSVTable")
struct CSVTableTests {
  private static func table(_ columns: [String], _ rows: [String]...) -> CSVTable {
    CSVTable(name: "t", columns: columns, keyColumns: [columns[0]], rows: rows)
  }

  private static func text(_ table: CSVTable) -> String {
    String(decoding: table.text, as: UTF8.self)
  }

  private static func error(parsing text: String, keyColumns: [String] = []) -> CSVError? {
    do throws(CSVError) {
      _ = try CSVTable(name: "t", keyColumns: keyColumns, parsing: text)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "A value is quoted only when it must be",
    arguments: [
      ("", ""), ("plain", "plain"), (" a b ", " a b "), ("a;b\t#'", "a;b\t#'"), ("é🍜", "é🍜"),
      ("a,b", #""a,b""#), ("\"", #""""""#), (#"say "hi""#, #""say ""hi""""#),
      ("a\nb", "\"a\nb\""), ("a\r\nb", "\"a\r\nb\""), ("\r", "\"\r\""),
    ])
  func quoting(value: String, printed: String) {
    #expect(Self.text(Self.table(["k", "v"], ["1", value])) == "k,v\n1,\(printed)\n")
  }

  @Test("A single empty value is quoted, so that its line isn't empty")
  func emptyLine() throws {
    let table = Self.table(["v"], [""], ["x"])
    #expect(Self.text(table) == "v\n\"\"\nx\n")
    #expect(try CSVTable(name: "t", keyColumns: ["v"], parsing: Self.text(table)) == table)
  }

  @Test(
    "Other programs' line ends and quotes are read",
    arguments: [
      "k,v\r\n1,a\r\n2,\r\n", "k,v\n1,a\n2,", "\"k\",\"v\"\n\"1\",\"a\"\n\"2\",\"\"",
      "\"k\",\"v\"\r\n\"1\",\"a\"\r\n\"2\",\"\"\r\n",
    ])
  func leniency(text: String) throws {
    let table = try CSVTable(name: "t", keyColumns: ["k"], parsing: text)
    #expect(table == Self.table(["k", "v"], ["1", "a"], ["2", ""]))
  }

  @Test(
    "A mistake is named with its line and column",
    arguments: [
      ("", .noColumns, 1, 1), ("a,b\n1\n", .raggedRow, 2, 2), ("a,b\n1,2,3\n", .raggedRow, 2, 5),
      ("a,b\n\n", .raggedRow, 2, 1), ("a,b\n1,2\n3,4,", .raggedRow, 3, 5),
      ("a,b\n\"x\ny\",2\n3\n", .raggedRow, 4, 2), ("a,b\n1,x\"y\n", .strayQuote, 2, 4),
      ("a,b\n1,é\"y\n", .strayQuote, 2, 4), ("a,b\n1,\"x\"y\n", .strayQuote, 2, 6),
      ("a,b\n1,x\ry\n", .strayReturn, 2, 4), ("a,b\n1,\"x\ny", .unterminatedQuote, 2, 3),
      ("a,b,a\n", .duplicateColumn, 1, 5), ("b,c\n", .missingColumn, 1, 1),
    ] as [(String, CSVError.Code, Int, Int)])
  func mistakes(text: String, code: CSVError.Code, line: Int, column: Int) throws {
    let error = try #require(Self.error(parsing: text, keyColumns: ["a"]))
    #expect(error.code == code)
    #expect([error.line, error.column] == [line, column])
    #expect(error.description.hasPrefix("t.csv:\(line):\(column): \(code.name): "))
  }

  @Test("A mistake's text says what was seen and what should be")
  func mistakeText() {
    #expect(
      Self.error(parsing: "a,b\n1\n")?.description
        == "t.csv:2:2: ragged row: the row ends after 1 value, the columns are 2")
    #expect(
      Self.error(parsing: "a,b\n1,2,3\n")?.description
        == "t.csv:2:5: ragged row: the row goes on after 2 values")
  }

  @Test("Generated tables with all kinds of characters are read as they were printed")
  func roundTrip() throws {
    let pieces = [
      "", "a", "12", ",", "\"", "\n", "\r", "\r\n", " ", "#", "é", "e\u{301}", "🍜", "\0",
    ]
    var state: UInt64 = 42
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for width in 1...4 {
      for _ in 0..<200 {
        let rows = (0..<draw(4)).map { _ in
          (0..<width).map { _ in (0..<draw(5)).map { _ in pieces[draw(pieces.count)] }.joined() }
        }
        let columns = (0..<width).map { "\(pieces[draw(pieces.count)])\($0)" }
        let table = CSVTable(name: "t", columns: columns, keyColumns: [], rows: rows)
        let read = try CSVTable(name: "t", keyColumns: [], parsing: Self.text(table))
        #expect(read == table)
        #expect(read.text == table.text)
      }
    }
  }

  @Test("Rows sort by their keys in natural order")
  func naturalOrder() {
    let sorted = [
      "", "\0", "\u{1}", "\u{2}", "-1", "0", "00", "1", "01", "1-a", "1.5", "1.10", "1a", "2",
      "10", "99999999999999999999", "100000000000000000000", "image", "image-9", "image-09",
      "image-9a", "image-10", "image-100", "é",
    ]
    let table = CSVTable(
      name: "t", columns: ["v", "k"], keyColumns: ["k"], rows: sorted.reversed().map { ["x", $0] })
    #expect(table.sortedByKey().rows.map { $0[1] } == sorted)
  }

  @Test("A later key column decides among equal earlier ones, and equal keys keep their order")
  func severalKeyColumns() {
    let table = CSVTable(
      name: "t", columns: ["a", "b", "v"], keyColumns: ["a", "b"],
      rows: [
        ["10", "1", "p"], ["9", "x", "q"], ["9", "x-10", "r"], ["9", "x", "s"], ["9", "x-2", "t"],
      ])
    #expect(table.sortedByKey().rows.map { $0[2] } == ["q", "s", "t", "r", "p"])
  }

  @Test("Digits longer than a length byte keep their order")
  func longNumbers() {
    let lengths = [1, 254, 255, 256, 510, 511]
    let numbers = lengths.map { String(repeating: "7", count: $0) }
    let table = Self.table(["k"]).with(rows: numbers.reversed().map { [$0] })
    #expect(table.sortedByKey().rows.map { $0[0] } == numbers)
  }
}

extension CSVTable {
  fileprivate func with(rows: [[String]]) -> CSVTable {
    var table = self
    table.rows = rows
    return table
  }
}
