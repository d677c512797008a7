import Testing

/// What the lexer takes for code, for a string and for a comment.
@Suite("The lexer tells code from comments and strings")
struct LexerTests {
  /// Text and the tokens that it consists of, separated by spaces.
  struct Reading: Sendable, CustomTestStringConvertible {
    let text: String
    let tokens: String
    var testDescription: String { text }

    init(_ text: String, _ tokens: String) {
      self.text = text
      self.tokens = tokens
    }
  }

  @Test(
    "Text becomes tokens",
    arguments: [
      Reading("a  .b_1( )", "a . b_1 ( )"),
      Reading("f() -> Int? // why", "f ( ) -> Int ?"),
      Reading("a /* b /* c */ d */ e", "a e"),
      Reading("a / b", "a / b"),
      Reading(#"f("Date()", "")"#, #"f ( "Date()" , "" )"#),
      Reading(#"f("\"", x)"#, #"f ( "\"" , x )"#),
      Reading(#"f("// no comment")"#, #"f ( "// no comment" )"#),
      Reading(#""a\(g(h))b""#, #""a\( g ( h ) )b""#),
      Reading(#""a\(f("b\(c)"))""#, #""a\( f ( "b\( c )" ) )""#),
      Reading(##"#"a\(b)"c"# d"##, ##"#"a\(b)"c"# d"##),
      Reading(##"#"a\#(b)"#"##, ##"#"a\#( b )"#"##),
      Reading(##"#"""#"##, ##"#"""#"##),
      Reading("#expect(a)", "# expect ( a )"),
      Reading("`Date()` `in`", "`Date()` `in`"),
      Reading("\"open\na", "\"open a"),
      Reading("\"\\", "\"\\"),
      Reading("/* open", ""),
    ])
  func readings(reading: Reading) {
    let tokens = Lexer.read(reading.text).tokens.map(\.text)
    #expect(tokens.joined(separator: " ") == reading.tokens)
  }

  @Test("Lines are counted through comments and strings of several lines")
  func lineNumbers() {
    let lexer = Lexer.read(
      #"""
      a // one
      /* two
      three */ b
      """
      "five" \(c)
      six \
      seven \"""
      """ d // eight
      """#)
    let words = lexer.tokens.filter { !$0.text.contains("\"") }.map { "\($0.text) \($0.line)" }
    #expect(words == ["a 1", "b 3", "c 5", "d 8"])
    #expect(lexer.comments.map(\.line) == [1, 2, 3, 8])
    #expect(lexer.comments.map(\.text) == ["// one", "/* two", "three */", "// eight"])
  }

  @Test("Functions end where their brace closes, and requirements have no body")
  func functionBodies() {
    let tokens = Lexer.read(
      """
      protocol P {
        func a(_ x: Int) async throws(E) -> [Int: (Int) -> Void]
        @discardableResult func b() -> @Sendable () -> Void
        init()
      }
      func c<T>(d: () -> Void = {}) -> T where T: P { "}" }
      """
    ).tokens
    let starts = tokens.indices.filter { ["func", "init"].contains(tokens[$0].text) }
    let bodies = starts.map { Lengths.body(ofFunctionAt: $0, in: tokens) }
    #expect(bodies.map { $0 == nil } == [true, true, true, false])
    #expect(bodies.compactMap { $0 }.map { tokens.closing(of: $0) } == [tokens.count - 1])
  }
}
