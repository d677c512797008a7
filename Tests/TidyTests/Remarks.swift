/// Rules about comments: where one is owed, and what a promise in one must name.
enum Remarks {
  /// Errors of `Sources` that are dropped without a word.
  static func silencedErrors(in file: SourceFile) -> [Violation] {
    guard file.tree == "Sources" else { return [] }
    let optionalTries = file.indices(of: ["try", "?"]).compactMap { index in
      complaint(file, "`try?`", at: index, through: index)
    }
    let emptyCatches = file.indices(of: ["catch"]).compactMap { index -> Violation? in
      guard let open = file.tokens[index...].firstIndex(where: { $0.text == "{" }),
        file.tokens.matches(["}"], at: open + 1)
      else { return nil }
      return complaint(file, "an empty `catch`", at: index, through: open + 1)
    }
    return optionalTries + emptyCatches
  }

  /// Complains unless a comment is on the lines or the one before.
  private static func complaint(
    _ file: SourceFile, _ what: String, at index: Int, through end: Int
  ) -> Violation? {
    let line = file.tokens[index].line
    guard !file.hasComment(on: (line - 1)...file.tokens[end].line) else { return nil }
    return Violation(
      path: file.path, line: line, problem: "\(what) hides an error without saying why",
      fix: "handle the error, or a `//` comment here that says why it doesn't matter")
  }

  /// Notes about work to do that name no issue.
  static func promisesWithoutIssue(in file: SourceFile) -> [Violation] {
    file.comments.compactMap { comment in
      let words = comment.text.split { !$0.isLetter && !$0.isNumber && $0 != "#" && $0 != "_" }
      let marker = words.map { $0.prefix { $0 != "#" } }.first { $0 == "TODO" || $0 == "FIXME" }
      guard let marker, !comment.text.contains(/#[0-9]+/) else { return nil }
      return Violation(
        path: file.path, line: comment.line, problem: "\(marker) without an issue",
        fix: "`\(marker) #123`, or do it now")
    }
  }
}
