import Moderation
import Ports
import Synchronization

/// A trace that keeps its lines, so that a test can ask what was recorded.
final class Journal: Trace {
  /// One effect or decision.
  struct Line: Sendable {
    let at: ProcessingTime
    let event: String
    let fields: [String: String]
  }

  private let lines = Mutex<[Line]>([])

  var isEnabled: Bool { true }

  func record(
    at time: ProcessingTime, component: String, event: StaticString, fields: [TraceField]
  ) {
    var texts: [String: String] = [:]
    for field in fields {
      texts["\(field.name)"] =
        switch field.value {
        case .text(let text): text
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .time(let value): "\(value.sinceStart)"
        case .id(let high, let low): EventID(high: high, low: low).description
        }
    }
    let line = Line(at: time, event: "\(event)", fields: texts)
    lines.withLock { $0.append(line) }
  }

  /// The lines of one kind, in order.
  func lines(_ event: String) -> [Line] { lines.withLock { $0.filter { $0.event == event } } }

  /// One field of the lines of one kind.
  func values(_ event: String, _ field: String) -> [String] {
    lines(event).map { $0.fields[field] ?? "" }
  }
}

/// Values in the order in which they were noted.
final class Notes<Value: Sendable>: Sendable {
  private let stored = Mutex<[Value]>([])

  /// All so far.
  var values: [Value] { stored.withLock { $0 } }

  /// Adds one.
  func note(_ value: Value) { stored.withLock { $0.append(value) } }
}
