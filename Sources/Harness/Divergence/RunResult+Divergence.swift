import Moderation
import Pipeline

extension RunResult {
  /// The first difference from another run, event by event: applied records with when they were
  /// applied, then requests, then scores with their vectors; nil when they agree in all of these.
  public func firstDivergence(from other: RunResult) -> Divergence? {
    Self.divergence("applied record", applied, other.applied, OutputFolder.line)
      ?? Self.divergence("request", requests, other.requests) { $0.encoded() }
      ?? Self.divergence("score", scores, other.scores) { $0.logEntry.encoded() }
  }

  private static func divergence<Event: Equatable>(
    _ what: String, _ first: [Event], _ second: [Event], _ line: (Event) -> [UInt8]
  ) -> Divergence? {
    let index = Divergence.index(first.count, second.count) { first[$0] == second[$0] }
    guard let index else { return nil }
    func text(_ events: [Event], _ index: Int) -> String? {
      index < events.count ? String(decoding: line(events[index]), as: UTF8.self) : nil
    }
    return Divergence(
      place: "\(what) \(index + 1)",
      common: (max(0, index - Divergence.commonLines)..<index).compactMap { text(first, $0) },
      first: text(first, index), second: text(second, index))
  }
}
