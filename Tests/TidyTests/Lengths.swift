/// Limits on the length of lines, functions and files.
enum Lengths {
  private static let maximumColumns = 100
  private static let maximumFunctionLines = 70
  private static let maximumSourceLines = 500
  private static let maximumTestLines = 600

  /// Lines that are too wide, in characters.
  static func longLines(in file: SourceFile) -> [Violation] {
    file.lines.enumerated().compactMap { index, line in
      // Counting characters is slow, and no text has more characters than bytes.
      guard line.utf8.count > maximumColumns, line.count > maximumColumns else { return nil }
      return Violation(
        path: file.path, line: index + 1,
        problem: "the line has \(line.count) columns, more than \(maximumColumns)",
        fix: "break the line, or run `swift format`")
    }
  }

  /// The file itself, when it is too long.
  static func longFile(_ file: SourceFile) -> [Violation] {
    let maximum = file.tree == "Tests" ? maximumTestLines : maximumSourceLines
    guard file.lines.count > maximum else { return [] }
    return [
      Violation(
        path: file.path, line: maximum + 1,
        problem: "the file has \(file.lines.count) lines, more than \(maximum)",
        fix: "two nouns in two files, or an extension in `Type+Topic.swift`")
    ]
  }

  /// Functions and initialisers that are too long, from their keyword to the closing brace.
  static func longFunctions(in file: SourceFile) -> [Violation] {
    let tokens = file.tokens
    return tokens.indices.filter { isFunction(at: $0, in: tokens) }.compactMap { index in
      guard let body = body(ofFunctionAt: index, in: tokens), let end = tokens.closing(of: body)
      else { return nil }
      let length = tokens[end].line - tokens[index].line + 1
      guard length > maximumFunctionLines else { return nil }
      let name = tokens[index].text == "init" ? "init" : tokens[index + 1].text
      return Violation(
        path: file.path, line: tokens[index].line,
        problem: "`\(name)` has \(length) lines, more than \(maximumFunctionLines)",
        fix: "functions named for its steps")
    }
  }

  private static func isFunction(at index: Int, in tokens: [Token]) -> Bool {
    guard tokens.text(before: index) != "." else { return false }
    switch tokens[index].text {
    case "func": return true
    case "init": return ["(", "<", "?"].contains { tokens.matches([$0], at: index + 1) }
    default: return false
    }
  }

  /// The index of the brace that opens the body; nil for a requirement, which has none.
  static func body(ofFunctionAt index: Int, in tokens: [Token]) -> Int? {
    let next: Set = [
      "func", "init", "var", "let", "subscript", "associatedtype", "typealias", "static", "class",
      "struct", "enum", "actor", "protocol", "extension", "mutating", "nonmutating", "public",
      "package", "internal", "private", "fileprivate", "#", ";", "}",
    ]
    guard let start = tokens[index...].firstIndex(where: { $0.text == "(" }) else { return nil }
    var depth = 0
    for position in start..<tokens.count {
      let token = tokens[position]
      if depth == 0, position > start {
        if token.text == "{" { return position }
        let isNextAttribute = token.text == "@" && tokens[position - 1].text != "->"
        if isNextAttribute || next.contains(token.text) { return nil }
      }
      depth += token.nesting
    }
    return nil
  }
}
