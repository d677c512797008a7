/// One Swift file, read into tokens and comments; every rule is a function of one of these.
struct SourceFile: Sendable {
  /// The path from the repository's root, as in `Sources/Ports/EventLog.swift`.
  let path: String
  /// The text's lines, without a last empty one.
  let lines: [Substring]
  /// The code, without comments.
  let tokens: [Token]
  /// The comments, one entry per line of each.
  let comments: [CommentLine]
  /// The indices of each text among the tokens.
  private let places: [String: [Int]]

  /// Reads a file's text.
  init(path: String, text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    let lexer = Lexer.read(text)
    self.path = path
    self.lines = lines
    tokens = lexer.tokens
    comments = lexer.comments
    var places: [String: [Int]] = [:]
    for (index, token) in lexer.tokens.enumerated() {
      places[token.text, default: []].append(index)
    }
    self.places = places
  }

  /// `Sources` or `Tests`; nil for a file beside them.
  var tree: Substring? { path.contains("/") ? path.prefix { $0 != "/" } : nil }

  /// The target that the file belongs to: its folder under `Sources` or `Tests`.
  var target: String? {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : nil
  }

  /// The indices of the tokens at which the texts begin.
  func indices(of texts: [String]) -> [Int] {
    guard let first = texts.first, let places = places[first] else { return [] }
    return places.filter { tokens.matches(texts, at: $0) }
  }

  /// Whether a comment is on one of the lines.
  func hasComment(on lines: ClosedRange<Int>) -> Bool {
    comments.contains { lines.contains($0.line) }
  }
}

/// One broken rule: where, what, and what to write instead.
struct Violation: Equatable, Sendable, CustomStringConvertible {
  /// The file, from the repository's root.
  let path: String
  /// The line, counted from 1.
  let line: Int
  /// What broke the rule, as an allowance would name it; empty where none is possible.
  var token = ""
  /// What is wrong.
  let problem: String
  /// What to write instead.
  let fix: String

  /// `file:line: what is wrong; instead: the replacement`.
  var description: String { "\(path):\(line): \(problem); instead: \(fix)" }
}

extension [Token] {
  /// Whether the texts are those of the tokens from `index` on.
  func matches(_ texts: [String], at index: Int) -> Bool {
    guard index + texts.count <= count else { return false }
    for (offset, text) in texts.enumerated() where self[index + offset].text != text {
      return false
    }
    return true
  }

  /// The text before `index`; empty at the beginning.
  func text(before index: Int) -> String { index > 0 ? self[index - 1].text : "" }

  /// The index of the bracket that closes the one at `opening`; nil when none does.
  func closing(of opening: Int) -> Int? {
    var depth = 0
    for index in opening..<count {
      depth += self[index].nesting
      if depth == 0 { return index }
    }
    return nil
  }
}
