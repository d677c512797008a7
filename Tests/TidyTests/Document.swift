/// A Markdown page, whose references to files must hold.
struct Document: Sendable {
  /// The path from the repository's root.
  let path: String
  /// The page's lines.
  let lines: [Substring]

  private static let maximumReadmeLines = 149
  private static let folders = ["Sources/", "Tests/", "scenarios/", "golden/", "ci/", "docs/"]

  /// A page.
  init(path: String, text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    self.path = path
    self.lines = lines
  }

  /// The page itself, when it is a README of 150 lines or more.
  func tooLong() -> [Violation] {
    guard path == "README.md", lines.count > Self.maximumReadmeLines else { return [] }
    return [
      Violation(
        path: path, line: Self.maximumReadmeLines + 1,
        problem: "the README has \(lines.count) lines, and must stay under 150",
        fix: "move details to ARCHITECTURE.md or CONTRIBUTING.md")
    ]
  }

  /// Relative links and backticked paths to what doesn't exist.
  ///
  /// Code blocks aren't read; of a path with a placeholder, such as `golden/<name>/`, only the
  /// folders before it must exist.
  ///
  /// - Parameter exists: whether the repository has a file or folder at a path.
  func brokenReferences(exists: (String) -> Bool) -> [Violation] {
    var isCode = false
    var found: [Violation] = []
    for (index, line) in lines.enumerated() {
      if line.drop(while: { $0 == " " }).hasPrefix("```") { isCode.toggle() }
      if isCode { continue }
      for path in (Self.links(in: line) + Self.paths(in: line)) where !exists(path) {
        found.append(
          Violation(
            path: self.path, line: index + 1, problem: "`\(path)` doesn't exist",
            fix: "the path that it has now"))
      }
    }
    return found
  }

  /// The targets of relative links, without anchors.
  private static func links(in line: Substring) -> [String] {
    line.matches(of: /\]\(\s*<?([^)>\s]+)/).map(\.1)
      .filter { !$0.hasPrefix("#") && !$0.hasPrefix("/") && !$0.contains(/^[a-z]+:/) }
      .map { target in String(target.prefix { $0 != "#" && $0 != "?" }) }
  }

  /// The backticked paths into the tree, up to a placeholder, an argument or a line number.
  private static func paths(in line: Substring) -> [String] {
    line.matches(of: /`([^`]+)`/).map(\.1)
      .filter { text in folders.contains { text.hasPrefix($0) } }
      .map { text in
        let path = text.prefix { $0 != " " && $0 != ":" }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.prefix { !isPlaceholder($0) }.joined(separator: "/")
      }
  }

  /// Whether a part of a path stands for many, as `<name>`, `*.yaml` and `NAME` do.
  private static func isPlaceholder(_ part: Substring) -> Bool {
    part.hasPrefix("NAME") || part.contains { "*<{…$".contains($0) }
  }
}
