/// One word, punctuation mark or string literal of Swift code.
struct Token: Equatable, Sendable {
  /// The text; a literal keeps its quotes, so that it never equals a word.
  let text: String
  /// The line on which it starts, counted from 1.
  let line: Int

  /// How the token changes the depth of brackets.
  var nesting: Int {
    switch text {
    case "(", "[", "{": 1
    case ")", "]", "}": -1
    default: 0
    }
  }
}

/// One line of a comment.
struct CommentLine: Equatable, Sendable {
  /// Its text with the slashes.
  let text: String
  /// Its line, counted from 1.
  let line: Int
}

/// Splits Swift text into tokens and comments, so that rules see code and only code.
///
/// It knows nested comments, raw and multi-line strings, interpolations (their content is code) and
/// names in backticks. It takes a regex literal for code, so a quote in one hides the rest of its
/// line.
struct Lexer {
  /// The code so far.
  private(set) var tokens: [Token] = []
  /// The comments so far.
  private(set) var comments: [CommentLine] = []

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var interpolations: [Interpolation] = []

  /// How a string literal is delimited.
  private struct Delimiter {
    var pounds: Int
    var isMultiline: Bool
    var length: Int { pounds + (isMultiline ? 3 : 1) }
  }

  /// An interpolation that is being read: the literal around it, and its open parentheses.
  private struct Interpolation {
    var literal: Delimiter
    var depth = 0
  }

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// Reads the whole text.
  static func read(_ text: String) -> Lexer {
    var lexer = Lexer(text)
    while lexer.position < lexer.bytes.count { lexer.step() }
    return lexer
  }

  private mutating func step() {
    switch bytes[position] {
    case .newline:
      line += 1
      position += 1
    case .space, .tab, .carriageReturn:
      position += 1
    case .slash where byte(1) == .slash:
      readLineComment()
    case .slash where byte(1) == .star:
      readBlockComment()
    case .backtick:
      readQuotedName()
    case .quote, .pound:
      readLiteralOrPound()
    case let first where first.isWordByte:
      readWord()
    default:
      readMark()
    }
  }

  private func byte(_ offset: Int) -> UInt8? {
    position + offset < bytes.count ? bytes[position + offset] : nil
  }

  private func text(from start: Int) -> String {
    String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func readLineComment() {
    let start = position
    while let next = byte(0), next != .newline { position += 1 }
    comments.append(CommentLine(text: text(from: start), line: line))
  }

  private mutating func readBlockComment() {
    var start = position
    var depth = 0
    repeat {
      switch (byte(0), byte(1)) {
      case (.slash, .star):
        depth += 1
        position += 2
      case (.star, .slash):
        depth -= 1
        position += 2
      case (.newline, _):
        comments.append(CommentLine(text: text(from: start), line: line))
        line += 1
        position += 1
        start = position
      default:
        position += 1
      }
    } while depth > 0 && position < bytes.count
    comments.append(CommentLine(text: text(from: start), line: line))
  }

  private mutating func readQuotedName() {
    let start = position
    position += 1
    while let next = byte(0), next != .backtick, next != .newline { position += 1 }
    if byte(0) == .backtick { position += 1 }
    tokens.append(Token(text: text(from: start), line: line))
  }

  private mutating func readWord() {
    let start = position
    while let next = byte(0), next.isWordByte { position += 1 }
    tokens.append(Token(text: text(from: start), line: line))
  }

  private mutating func readMark() {
    if bytes[position] == .closeParenthesis, let open = interpolations.last, open.depth == 0 {
      interpolations.removeLast()
      return readLiteral(open.literal, from: position, skipping: 1)
    }
    if !interpolations.isEmpty {
      let mark = Token(text: String(decoding: [bytes[position]], as: UTF8.self), line: line)
      interpolations[interpolations.count - 1].depth += mark.nesting
    }
    let start = position
    position += bytes[position] == .minus && byte(1) == .greater ? 2 : 1
    tokens.append(Token(text: text(from: start), line: line))
  }

  private mutating func readLiteralOrPound() {
    var pounds = 0
    while byte(pounds) == .pound { pounds += 1 }
    guard byte(pounds) == .quote else { return readMark() }
    let literal = Delimiter(pounds: pounds, isMultiline: opensLines(after: pounds))
    readLiteral(literal, from: position, skipping: literal.length)
  }

  /// Whether three quotes and then nothing else on the line follow: only that opens several lines.
  private func opensLines(after pounds: Int) -> Bool {
    guard byte(pounds + 1) == .quote, byte(pounds + 2) == .quote else { return false }
    var offset = pounds + 3
    while let next = byte(offset), next == .space || next == .tab || next == .carriageReturn {
      offset += 1
    }
    return byte(offset) == .newline
  }

  /// Reads to the literal's end, or to its next interpolation.
  private mutating func readLiteral(_ literal: Delimiter, from start: Int, skipping opening: Int) {
    let firstLine = line
    position += opening
    while let next = byte(0) {
      if next == .newline {
        // A literal on one line can't go on: the text is broken, so read on as code.
        guard literal.isMultiline else { break }
        line += 1
        position += 1
      } else if closes(literal) {
        position += literal.length
        break
      } else if next == .backslash, hasPounds(literal.pounds, at: 1) {
        position = min(position + literal.pounds + 2, bytes.count)
        if bytes[position - 1] == .openParenthesis {
          interpolations.append(Interpolation(literal: literal))
          break
        }
        // An escaped line end, in a literal of several lines.
        if bytes[position - 1] == .newline { line += 1 }
      } else {
        position += 1
      }
    }
    tokens.append(Token(text: text(from: start), line: firstLine))
  }

  private func closes(_ literal: Delimiter) -> Bool {
    let quotes = literal.isMultiline ? 3 : 1
    return (0..<quotes).allSatisfy { byte($0) == .quote } && hasPounds(literal.pounds, at: quotes)
  }

  private func hasPounds(_ count: Int, at offset: Int) -> Bool {
    (0..<count).allSatisfy { byte(offset + $0) == .pound }
  }
}

extension UInt8 {
  fileprivate static let newline = UInt8(ascii: "\n")
  fileprivate static let space = UInt8(ascii: " ")
  fileprivate static let tab = UInt8(ascii: "\t")
  fileprivate static let carriageReturn = UInt8(ascii: "\r")
  fileprivate static let slash = UInt8(ascii: "/")
  fileprivate static let star = UInt8(ascii: "*")
  fileprivate static let backtick = UInt8(ascii: "`")
  fileprivate static let quote = UInt8(ascii: "\"")
  fileprivate static let pound = UInt8(ascii: "#")
  fileprivate static let backslash = UInt8(ascii: "\\")
  fileprivate static let openParenthesis = UInt8(ascii: "(")
  fileprivate static let closeParenthesis = UInt8(ascii: ")")
  fileprivate static let minus = UInt8(ascii: "-")
  fileprivate static let greater = UInt8(ascii: ">")

  /// Whether the byte can be part of a name or number.
  fileprivate var isWordByte: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
      true
    default: false
    }
  }
}
