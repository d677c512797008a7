import Harness
import Testing

@Suite("JUnitReport")
struct JUnitReportTests {
  @Test("Cases stand in their suites, with counts and times")
  func document() {
    let report = JUnitReport(
      name: "rehearsal check",
      cases: [
        .init(name: "viral-burst", suite: "goldens", seconds: 0.25, failure: nil),
        .init(name: "no event lost", suite: "checkers", seconds: 0.0004, failure: nil),
        .init(
          name: "late-flag", suite: "goldens", seconds: 1.5, failure: "1 cell differs\n  a → b"),
      ])
    #expect(
      report.xml == """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="rehearsal check" tests="3" failures="1" errors="0" time="1.750">
          <testsuite name="goldens" tests="2" failures="1" errors="0" time="1.750" skipped="0">
            <testcase name="viral-burst" classname="goldens" time="0.250"/>
            <testcase name="late-flag" classname="goldens" time="1.500">
              <failure message="1 cell differs">1 cell differs
          a → b</failure>
            </testcase>
          </testsuite>
          <testsuite name="checkers" tests="1" failures="0" errors="0" time="0.000" skipped="0">
            <testcase name="no event lost" classname="checkers" time="0.000"/>
          </testsuite>
        </testsuites>

        """)
  }

  @Test("A report without cases is a document too")
  func empty() {
    #expect(
      JUnitReport(name: "x", cases: []).xml == """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="x" tests="0" failures="0" errors="0" time="0.000">
        </testsuites>

        """)
  }

  @Test(
    "Text is escaped, in attributes also its line ends",
    arguments: [
      ("a<b>&\"c'", "a&lt;b&gt;&amp;&quot;c'", "a&lt;b&gt;&amp;&quot;c'"),
      ("]]>", "]]&gt;", "]]&gt;"), ("a\tb", "a&#9;b", "a\tb"),
      ("\u{1B}[31mred\0", "\u{FFFD}[31mred\u{FFFD}", "\u{FFFD}[31mred\u{FFFD}"),
      ("\u{FFFF}\u{FFFE}\u{85}", "\u{FFFD}\u{FFFD}\u{FFFD}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
      ("é🍜", "é🍜", "é🍜"),
    ])
  func escaping(text: String, attribute: String, content: String) {
    let xml = JUnitReport(
      name: text, cases: [.init(name: text, suite: text, seconds: 0, failure: text)]
    ).xml
    #expect(xml.contains("<testsuites name=\"\(attribute)\" "))
    #expect(xml.contains("<testsuite name=\"\(attribute)\" "))
    #expect(xml.contains("<testcase name=\"\(attribute)\" classname=\"\(attribute)\" "))
    #expect(xml.contains(">\(content)</failure>"))
  }

  @Test("Line ends in a name and carriage returns anywhere survive as references")
  func lineEnds() {
    let xml = JUnitReport(
      name: "a\nb", cases: [.init(name: "c\r\nd", suite: "s", seconds: 0, failure: "e\r\nf")]
    ).xml
    #expect(xml.contains("name=\"a&#10;b\""))
    #expect(xml.contains("name=\"c&#13;&#10;d\""))
    #expect(xml.contains("<failure message=\"e\">e&#13;\nf</failure>"))
  }

  @Test(
    "A time that is no duration is written as 0",
    arguments: [(-1, "0.000"), (.nan, "0.000"), (.infinity, "0.000"), (12_345.6789, "12345.679")])
  func times(seconds: Double, text: String) {
    let report = JUnitReport(
      name: "x", cases: [.init(name: "n", suite: "s", seconds: seconds, failure: nil)])
    #expect(report.xml.contains("<testcase name=\"n\" classname=\"s\" time=\"\(text)\"/>"))
  }
}
