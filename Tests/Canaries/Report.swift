import Moderation

/// What came of looking for the canaries.
struct Report: Sendable {
  /// One canary, and what caught it.
  struct Line: Sendable {
    let canary: Canary
    let found: Catch?

    fileprivate var by: String { found?.by ?? "NOTHING" }

    fileprivate var place: String {
      guard let found else { return "" }
      return found.place.prefix { $0 != " " } + (found.seeds.map { ", seed \($0 - 1)" } ?? "")
    }
  }

  let lines: [Line]

  /// Whether every canary is caught.
  var passed: Bool { lines.allSatisfy { $0.found != nil } }

  private static let columns = ["canary", "reference", "caught by", "in", "seeds"]

  private func cells(_ line: Line) -> [String] {
    [
      line.canary.name, line.canary.reference ?? "", line.by, line.place,
      line.found?.seeds.map(String.init) ?? "",
    ]
  }

  /// Aligned columns, then what was seen; the last line names what nothing caught.
  var text: String {
    let rows = [Self.columns] + lines.map(cells)
    let widths = Self.columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let findings = ["finding"] + lines.map { $0.found?.finding ?? "" }
    var text = ""
    for (row, finding) in zip(rows, findings) {
      for (cell, width) in zip(row, widths) {
        text += cell + String(repeating: " ", count: width - cell.count + 2)
      }
      text += finding.prefix(100) + "\n"
    }
    let missed = lines.filter { $0.found == nil }.map(\.canary.name)
    text += "\(lines.count - missed.count) of \(lines.count) caught"
    return text + (missed.isEmpty ? "\n" : "; nothing caught \(missed.joined(separator: ", "))\n")
  }

  /// The table of `docs/canaries.md`.
  var markdown: String {
    let rows = lines.map { line in
      let cells = cells(line)
      return "| `\(cells[0])` | \(line.canary.about) | "
        + cells[1...].joined(separator: " | ") + " |\n"
    }
    let header = "| canary | what is wrong | reference | caught by | in | seeds |\n"
    return header + "|---|---|---|---|---|---|\n" + rows.joined()
  }

  /// One JSON object a line.
  var json: String {
    lines.map { line in
      var json = JSONWriter()
      json.field("canary", line.canary.name)
      json.field("about", line.canary.about)
      json.field("reference", line.canary.reference)
      json.field("caught_by", line.found?.by)
      json.field("in", line.found?.place)
      json.field("seeds", line.found?.seeds.map { Int64($0) })
      json.field("finding", line.found?.finding)
      return String(decoding: json.finish(), as: UTF8.self) + "\n"
    }.joined()
  }
}
