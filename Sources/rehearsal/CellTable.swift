import ArgumentParser
import Foundation
import Moderation
import Ports

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

  /// A batch's cell; a timestamp as ISO 8601.
  init(_ batch: RecordBatch, row: Int, column: Int) {
    guard batch.columns[column].isValid(row) else {
      self = .null
      return
    }
    switch batch.columns[column].values {
    case .strings(let values): self = .text(values[row])
    case .integers(let values):
      self =
        batch.schema.fields[column].type == .timestamp
        ? .text(EventTime(microseconds: values[row]).description) : .integer(values[row])
    case .doubles(let values): self = .number(values[row])
    case .booleans(let values): self = .boolean(values[row])
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
    case .number(let number) where !number.isFinite: json.append(contentsOf: "null".utf8)
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

  /// Adds the rows of a batch.
  mutating func append(_ batch: RecordBatch) {
    for row in 0..<batch.count {
      rows.append(batch.columns.indices.map { Cell(batch, row: row, column: $0) })
    }
  }

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
