import Foundation

/// The results of a run's checks in the XML that continuous integration reads.
///
/// The shape is Ant's, as Jenkins, GitLab and GitHub's reporters read it: `testsuites`, in it one
/// `testsuite` per suite in order of appearance, in that one `testcase` per case.
public struct JUnitReport: Sendable {
  /// One thing that passed or failed.
  public struct Case: Hashable, Sendable {
    /// What was checked.
    public var name: String
    /// What it belongs to.
    public var suite: String
    /// How long it took; a value that is no duration is written as 0.
    public var seconds: Double
    /// Why it failed, or nil when it passed; the first line stands in lists of failures.
    public var failure: String?

    /// The result of one check.
    public init(name: String, suite: String, seconds: Double, failure: String?) {
      self.name = name
      self.suite = suite
      self.seconds = seconds
      self.failure = failure
    }
  }

  private let name: String
  private let cases: [Case]

  /// A report on cases in the order given.
  public init(name: String, cases: [Case]) {
    self.name = name
    self.cases = cases
  }

  /// The document, UTF-8, ending in a line end.
  public var xml: String {
    var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#]
    lines.append("<testsuites \(Self.attributes(name, cases))>")
    for (suite, cases) in suites {
      lines.append("  <testsuite \(Self.attributes(suite, cases)) skipped=\"0\">")
      for result in cases { lines += Self.lines(of: result) }
      lines.append("  </testsuite>")
    }
    lines.append("</testsuites>\n")
    return lines.joined(separator: "\n")
  }

  private var suites: [(name: String, cases: [Case])] {
    var suites: [(name: String, cases: [Case])] = []
    var places: [String: Int] = [:]
    for result in cases {
      if let place = places[result.suite] {
        suites[place].cases.append(result)
      } else {
        places[result.suite] = suites.count
        suites.append((result.suite, [result]))
      }
    }
    return suites
  }

  private static func attributes(_ name: String, _ cases: [Case]) -> String {
    let failures = cases.count { $0.failure != nil }
    let seconds = cases.map { duration($0.seconds) }.reduce(0, +)
    return "name=\"\(escaped(name))\" tests=\"\(cases.count)\" failures=\"\(failures)\""
      + " errors=\"0\" time=\"\(text(seconds))\""
  }

  private static func lines(of result: Case) -> [String] {
    let start =
      "    <testcase name=\"\(escaped(result.name))\" classname=\"\(escaped(result.suite))\""
      + " time=\"\(text(duration(result.seconds)))\""
    guard let failure = result.failure else { return [start + "/>"] }
    let message = failure.split(maxSplits: 1, whereSeparator: \.isNewline).first ?? ""
    let text = escaped(failure, keepsLines: true)
    return [
      start + ">", "      <failure message=\"\(escaped(String(message)))\">\(text)</failure>",
      "    </testcase>",
    ]
  }

  private static func duration(_ seconds: Double) -> Double {
    seconds.isFinite ? max(0, seconds) : 0
  }

  private static func text(_ seconds: Double) -> String { String(format: "%.3f", seconds) }

  /// The text for an attribute, or for an element's content, which keeps line ends and tabs.
  private static func escaped(_ text: String, keepsLines: Bool = false) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
      case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
      case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
      case "\n" where keepsLines, "\t" where keepsLines: escaped.append(scalar)
      case "\n", "\t", "\r": escaped.append(contentsOf: "&#\(scalar.value);".unicodeScalars)
      // XML 1.0 forbids or discourages the others, such as the escape of ANSI colours.
      case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": escaped.append("\u{FFFD}")
      default: escaped.append(scalar)
      }
    }
    return String(escaped)
  }
}
