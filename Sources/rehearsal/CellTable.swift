import ArgumentParser
import Foundation
import Lakehouse
import Moderation

/// How rows are printed.
enum CellFormat: String, ExpressibleByArgument, CaseIterable {
  case table, csv, json
}

/// One printed value.
enum Cell: Hashable, Sendable {
  case null
  case text(String)
  case integer(Int64)
  case number(Double)
  case boolean(Bool)

  /// Text is compared by its bytes and numbers by their bits, as ``IcebergValue`` has it: Unicode's
  /// canonical equality would hide a difference, and a NaN that isn't itself would make one.
  static func == (a: Self, b: Self) -> Bool { a.value == b.value }

  /// As `==` compares.
  func hash(into hasher: inout Hasher) { hasher.combine(value) }

  private var value: IcebergValue? {
    switch self {
    case .null: nil
    case .text(let text): .text(text)
    case .integer(let number): .integer(number)
    case .number(let number): .number(number)
    case .boolean(let flag): .boolean(flag)
    }
  }

  /// The text in a table or a CSV file; nothing for null.
  var text: String {
    switch self {
    case .null: ""
    case .text(let text): text
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .boolean(let flag): "\(flag)"
    }
  }

  fileprivate func write(_ name: String, to json: inout [UInt8]) {
    JSONWriter.appendString(name, to: &json)
    json.append(UInt8(ascii: ":"))
    switch self {
    case .null: json.append(contentsOf: "null".utf8)
    case .text(let text): JSONWriter.appendString(text, to: &json)
    case .number(let number) where number.isNaN: JSONWriter.appendString("NaN", to: &json)
    case .number(let number) where number.isInfinite:
      JSONWriter.appendString(number < 0 ? "-Infinity" : "Infinity", to: &json)
    case .integer, .number, .boolean: json.append(contentsOf: text.utf8)
    }
  }
}

/// Rows to print: aligned for people, CSV or one JSON object a line for programs.
struct CellTable {
  private let names: [String]
  private var rows: [[Cell]] = []

  init(_ names: [String]) { self.names = names }

  mutating func append(_ row: [Cell]) { rows.append(row) }

  func print(_ format: CellFormat) {
    switch format {
    case .table: printAligned()
    case .csv:
      Swift.print(names.map(Self.quoted).joined(separator: ","))
      for row in rows { Swift.print(row.map { Self.quoted($0.text) }.joined(separator: ",")) }
    case .json:
      for row in rows {
        var line: [UInt8] = [UInt8(ascii: "{")]
        for (index, cell) in row.enumerated() {
          if index > 0 { line.append(UInt8(ascii: ",")) }
          cell.write(names[index], to: &line)
        }
        line.append(UInt8(ascii: "}"))
        Swift.print(String(decoding: line, as: UTF8.self))
      }
    }
  }

  private func printAligned() {
    let widths = names.indices.map { column in
      rows.reduce(names[column].count) { max($0, $1[column].text.count) }
    }
    func line(_ cells: [String], _ isRight: [Bool]) -> String {
      var text = ""
      for (index, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        text += (index > 0 ? "  " : "") + (isRight[index] ? padding + cell : cell + padding)
      }
      while text.last == " " { text.removeLast() }
      return text
    }
    let isNumeric = names.indices.map { column in
      rows.contains { row in
        switch row[column] {
        case .integer, .number: true
        default: false
        }
      }
    }
    let header = line(names, isNumeric)
    Swift.print(Terminal.isColoured ? "\u{1B}[1m\(header)\u{1B}[0m" : header)
    for row in rows { Swift.print(line(row.map(\.text), isNumeric)) }
  }

  /// RFC 4180.
  private static func quoted(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D })
    else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
