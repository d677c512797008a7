import Moderation
import Pipeline

extension RunResult {
  /// Why the first value is what it is that a failed finding names.
  ///
  /// - Returns: lines for a person, a few; none when nothing failed, or when no value is named that
  ///   can be explained.
  public func causes(of judgement: Judgement) -> [String] {
    for finding in judgement.expectations + judgement.checkers where !finding.holds {
      let lines = causes(of: finding.faults, by: finding.what)
      if !lines.isEmpty { return lines }
    }
    return []
  }

  /// The same of what one checker or expectation says.
  ///
  /// - Parameters:
  ///   - faults: as ``Finding/faults``.
  ///   - checker: as ``Finding/what``.
  public func causes(of faults: [String], by checker: String) -> [String] {
    if let undisturbed, scenario.expectations.contains(where: { $0.isUndisturbed(checker) }) {
      let differences = zip(undisturbed.tables, RunOutcome(self).tables).filter { $0 != $1 }.map {
        TableDifference(expected: $0, actual: $1, tolerances: [:])
      }
      return causes(of: differences)
    }
    let tracer = CauseTracer(self)
    for fault in faults {
      guard let value = namedValue(in: fault) else { continue }
      // What the run doesn't have can't be explained; the next fault may name something else.
      guard let cause = try? tracer.explain(value.question, about: value.column) else { continue }
      return cause.shortLines(about: value.column)
    }
    return []
  }

  /// The value that a sentence is about: an image beside a window table and a start, a decision
  /// point, or a trigger that scored it; and the first feature that it names.
  func namedValue(in sentence: String) -> (question: CauseQuestion, column: String?)? {
    let words = sentence.split(whereSeparator: { " ,;()/".contains($0) }).map {
      $0.hasSuffix(":") ? String($0.dropLast()) : String($0)
    }
    guard let name = words.first(where: { aliases.uploadedImage($0) != nil }),
      let image = aliases.uploadedImage(name)
    else { return nil }
    let column = words.first { FeatureVector.names.contains($0) }
    let instants = words.compactMap { ISO8601.parse($0) }
    let tables = Metric.allCases.map(\.windowTable)
    if let table = words.first(where: tables.contains), let start = instants.first {
      return (.window(table: table, image: name, start: start), nil)
    }
    for (word, next) in zip(words, words.dropFirst()) where next == "min" {
      if let minutes = Int(word) { return (.row(image: name, minutes: minutes), column) }
    }
    let scores = scores.filter {
      $0.request.image == image && words.contains($0.request.trigger.name)
    }
    let score = scores.first { instants.contains($0.asOf) } ?? scores.first
    return score.map { (.score("\($0.request.id)"), column) }
  }
}

extension Expectation {
  fileprivate func isUndisturbed(_ text: String) -> Bool {
    kind == .undisturbed && self.text == text
  }
}
