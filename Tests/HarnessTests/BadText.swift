import Harness
import Testing

/// A text with one mistake: ▶ stands before the place that the error must name.
struct BadText: Sendable, CustomTestStringConvertible {
  static let file = "bad.yaml"

  let marked: String
  let message: String
  let hint: String

  /// A whole text; without ▶ no place is expected, without a hint any hint is right.
  init(_ marked: String, _ message: String, hint: String = "") {
    self.marked = marked
    self.message = message
    self.hint = hint
  }

  /// Lines that follow the three that every scenario needs.
  init(after marked: String, _ message: String, hint: String = "") {
    self.init(ScenarioTexts.header + marked, message, hint: hint)
  }

  var testDescription: String { marked }

  /// Line and column of the mark, from 1; 0 without one.
  private var place: (line: Int, column: Int) {
    guard let mark = marked.firstIndex(of: "▶") else { return (0, 0) }
    let lines = marked[..<mark].split(separator: "\n", omittingEmptySubsequences: false)
    return (lines.count, (lines.last?.unicodeScalars.count ?? 0) + 1)
  }

  /// Reads the text and compares the error.
  func check(_ read: (String) throws(ScenarioError) -> Void) throws {
    let error = try #require(throws: ScenarioError.self) {
      try read(marked.filter { $0 != "▶" })
    }
    #expect(error.file == Self.file)
    #expect(error.line == place.line && error.column == place.column, "\(error)")
    #expect(error.message.contains(message), "\(error)")
    #expect(hint.isEmpty || error.hint?.contains(hint) == true, "\(error)")
  }
}
