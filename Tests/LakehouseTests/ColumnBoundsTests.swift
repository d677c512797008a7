import Ports
import Testing

@testable import Lakehouse

@Suite("Column bounds bound, and files without a value are passed over")
struct ColumnBoundsTests {
  /// What is known of a file with one column, whose field id is 7.
  private static func describe(
    _ column: RecordBatch.Column, _ type: String
  ) -> (file: DataFile, field: IcebergField) {
    let field = IcebergField(id: 7, name: "c", isRequired: false, type: .named(type))
    let batch = RecordBatch(
      schema: TableSchema([.init("c", field.type.column ?? .string, isRequired: false)]),
      columns: [column])
    var file = DataFile(path: "p", recordCount: Int64(batch.count), fileSize: 1)
    ColumnBounds.describe(batch, RowStretches(of: batch), [field], in: &file)
    return (file, field)
  }

  /// Columns with their bounds in single-value serialization (spec, appendix D).
  static let cases: [(type: String, column: RecordBatch.Column, lower: [UInt8], upper: [UInt8])] = [
    ("boolean", .init(.booleans([true, false])), [0], [1]),
    ("boolean", .init(.booleans([true, true])), [1], [1]),
    ("int", .integers([1, nil, -2]), [0xFE, 0xFF, 0xFF, 0xFF], [1, 0, 0, 0]),
    ("date", .integers([17_486]), [0x4E, 0x44, 0, 0], [0x4E, 0x44, 0, 0]),
    (
      "long", .integers([nil, 258, -1]), Array(repeating: 0xFF, count: 8),
      [2, 1, 0, 0, 0, 0, 0, 0]
    ),
    (
      "timestamptz", .integers([.min, .max]), [0, 0, 0, 0, 0, 0, 0, 0x80],
      Array(repeating: 0xFF, count: 7) + [0x7F]
    ),
    (
      "double", .init(.doubles([1, -2.5])), [0, 0, 0, 0, 0, 0, 0x04, 0xC0],
      [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]
    ),
    ("float", .init(.doubles([1])), [0, 0, 0x80, 0x3F], [0, 0, 0x80, 0x3F]),
    ("string", .strings(["b", nil, "a", "ab"]), Array("a".utf8), Array("b".utf8)),
    (
      "string", .strings(["cheesecake-b", "cheesecake-a", nil, "cheesecake", "cheesecake-b"]),
      Array("cheesecake".utf8), Array("cheesecake-b".utf8)
    ),
    ("string", .strings(["", "\u{FFFF}", "\u{10000}"]), [], Array("\u{10000}".utf8)),
  ]

  @Test("Bounds are the extremes in single-value serialization", arguments: cases.indices)
  func serialization(index: Int) {
    let (type, column, lower, upper) = Self.cases[index]
    let (file, _) = Self.describe(column, type)
    #expect(file.lowerBounds == [7: lower])
    #expect(file.upperBounds == [7: upper])
    #expect(file.valueCounts == [7: Int64(column.values.count)])
    #expect(file.nullCounts == [7: Int64(column.validity?.count { !$0 } ?? 0)])
  }

  @Test("A column of nulls has counts and no bounds, and holds nothing")
  func nulls() {
    let (file, field) = Self.describe(.strings([nil, nil]), "string")
    #expect(file.lowerBounds.isEmpty)
    #expect(file.upperBounds.isEmpty)
    #expect(file.nullCounts == [7: 2])
    #expect(!ColumnBounds.mayHold(file, field, ["", "a"]))
  }

  @Test("A column with NaN has no bounds and may hold anything")
  func notANumber() {
    let (file, field) = Self.describe(.init(.doubles([1, .nan, 2])), "double")
    #expect(file.lowerBounds.isEmpty)
    #expect(file.upperBounds.isEmpty)
    #expect(ColumnBounds.mayHold(file, field, ["nan"]))
    #expect(ColumnBounds.mayHold(file, field, ["1.0"]))
  }

  @Test("Minus zero precedes zero", arguments: [[0, -0.0], [-0.0, 0]])
  func zeros(values: [Double]) {
    let (file, _) = Self.describe(.init(.doubles(values)), "double")
    #expect(file.lowerBounds[7] == [0, 0, 0, 0, 0, 0, 0, 0x80])
    #expect(file.upperBounds[7] == Array(repeating: 0, count: 8))
  }

  private static let maximum: Character = "\u{10FFFF}"
  private static let nines = String(repeating: "9", count: 15)

  /// Long text with its upper bound; nil where there can be none.
  static let longTexts: [(text: String, upper: String?)] = [
    (String(repeating: "a", count: 16), String(repeating: "a", count: 16)),
    (String(repeating: "a", count: 17), String(repeating: "a", count: 15) + "b"),
    (nines + "\u{D7FF}x", nines + "\u{E000}"), (nines + "\u{7F}x", nines + "\u{80}"),
    (nines + "\u{10FFFF}x", String(repeating: "9", count: 14) + ":"),
    (nines + "\u{10FFFF}", nines + "\u{10FFFF}"),
    (String(repeating: maximum, count: 17), nil),
    (String(repeating: maximum, count: 16), String(repeating: maximum, count: 16)),
    ("a" + String(repeating: maximum, count: 20), "b"),
  ]

  @Test("Long text is cut, and its upper bound raised", arguments: longTexts.indices)
  func longText(index: Int) {
    let (text, upper) = Self.longTexts[index]
    let (file, field) = Self.describe(.strings([text]), "string")
    #expect(file.upperBounds[7] == upper.map { Array($0.utf8) })
    if let lower = file.lowerBounds[7] {
      #expect(text.utf8.starts(with: lower))
      #expect(String(decoding: lower, as: UTF8.self).unicodeScalars.count <= 16)
    }
    #expect(ColumnBounds.mayHold(file, field, [text]))
  }

  @Test("A file isn't passed over when it holds a value of its column", arguments: 0..<60)
  func neverPrunes(seed: UInt64) {
    var dice = Dice(seed: seed)
    for type in ["string", "long", "int", "date", "timestamptz", "double", "float", "boolean"] {
      for _ in 0..<8 {
        let column = Self.column(type, &dice)
        let (file, field) = Self.describe(column, type)
        let batch = RecordBatch(
          schema: TableSchema([.init("c", field.type.column ?? .string, isRequired: false)]),
          columns: [column])
        for row in 0..<batch.count {
          guard let text = batch.text(row: row, column: 0) else { continue }
          #expect(ColumnBounds.mayHold(file, field, [text]), "\(type): '\(text)' of \(column)")
          #expect(ColumnBounds.mayHold(file, field, ["no such value", text]), "\(type): \(text)")
        }
      }
    }
  }

  /// Up to six values, some of them null.
  private static func column(_ type: String, _ dice: inout Dice) -> RecordBatch.Column {
    let count = 1 + dice.below(6)
    var validity: [Bool] = []
    for _ in 0..<count { validity.append(dice.below(4) > 0) }
    switch type {
    case "string":
      let values = validity.map { _ in text(&dice) }
      return .init(.strings(values), validity: validity)
    case "double", "float":
      let special = [0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude]
      let values = validity.map { _ in
        dice.below(3) == 0 ? dice.pick(special) : Double(dice.below(200)) - 100
      }
      return .init(.doubles(values), validity: validity)
    case "boolean":
      return .init(.booleans(validity.map { _ in dice.below(2) == 0 }), validity: validity)
    default:
      let bits = type == "int" || type == "date" ? 32 : 64
      let values = validity.map { _ in
        Int64(bitPattern: dice.next()) >> Int64(64 - bits + dice.below(bits))
      }
      return .init(.integers(values), validity: validity)
    }
  }

  private static func text(_ dice: inout Dice) -> String {
    let pieces = ["a", "ab", "é", "\u{10FFFF}", "\u{D7FF}", "\u{E000}", "🧪", "zz", "\u{7F}"]
    return (0..<dice.below(24)).map { _ in dice.pick(pieces) }.joined()
  }

  @Test("A value too large for an int column is never passed over")
  func tooLarge() {
    let (file, field) = Self.describe(.integers([1, 1 << 40]), "int")
    #expect(ColumnBounds.mayHold(file, field, ["\(1 << 40)"]))
  }

  @Test("Values outside the bounds are passed over; where nothing is known, they aren't")
  func prunes() {
    let (numbers, number) = Self.describe(.integers([10, 20, nil]), "long")
    #expect(!ColumnBounds.mayHold(numbers, number, ["9", "21", "x", ""]))
    #expect(ColumnBounds.mayHold(numbers, number, ["15"]))
    let (texts, text) = Self.describe(.strings(["b", "d"]), "string")
    #expect(!ColumnBounds.mayHold(texts, text, ["a", "e", "", "dd"]))
    #expect(ColumnBounds.mayHold(texts, text, ["c"]))
    #expect(!ColumnBounds.mayHold(texts, text, []))
    let unknown = DataFile(path: "p", recordCount: 1, fileSize: 1)
    #expect(ColumnBounds.mayHold(unknown, text, ["a"]))
  }

  @Test("Bounds from before a column was widened still hold")
  func widened() {
    let (file, narrow) = Self.describe(.integers([-5, 5]), "int")
    var field = narrow
    field.type = .named("long")
    #expect(ColumnBounds.mayHold(file, field, ["-5"]))
    #expect(!ColumnBounds.mayHold(file, field, ["-6"]))
  }
}
