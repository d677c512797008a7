/// Rules about what types and ports declare.
enum Declarations {
  /// Endings that say nothing about what a type is.
  private static let emptySuffixes = ["Manager", "Helper", "Helpers", "Utils", "Impl", "Protocol"]
  private static let typeKeywords: Set = [
    "struct", "class", "enum", "actor", "protocol", "typealias", "associatedtype",
  ]
  private static let maximumPortMethods = 7

  /// Types named for nothing in particular.
  static func emptyNames(in file: SourceFile) -> [Violation] {
    zip(file.tokens, file.tokens.dropFirst()).compactMap { keyword, name in
      guard typeKeywords.contains(keyword.text),
        let suffix = emptySuffixes.first(where: { name.text.hasSuffix($0) })
      else { return nil }
      return Violation(
        path: file.path, line: name.line, problem: "the type `\(name.text)` ends in \(suffix)",
        fix: "a noun for what it is, or its role and product, such as `KafkaEventLog`")
    }
  }

  /// Public protocols in `Sources/Ports` with too many methods.
  static func widePorts(in file: SourceFile) -> [Violation] {
    guard file.path.hasPrefix("Sources/Ports/") else { return [] }
    let tokens = file.tokens
    return file.indices(of: ["public", "protocol"]).compactMap { index in
      guard let open = tokens[index...].firstIndex(where: { $0.text == "{" }),
        let close = tokens.closing(of: open)
      else { return nil }
      let methods = tokens[open..<close].filter { $0.text == "func" }.count
      guard methods > maximumPortMethods else { return nil }
      return Violation(
        path: file.path, line: tokens[index].line,
        problem:
          "the port `\(tokens[index + 2].text)` has \(methods) methods, "
          + "more than \(maximumPortMethods)",
        fix: "batches in place of single calls, conveniences in an extension, or two ports")
    }
  }
}
