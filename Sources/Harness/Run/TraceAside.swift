import Lakehouse
import Moderation
import Ports
import Simulation
import Synchronization

/// A trace whose lines are written on another thread, in their order: to make the text of a day's
/// lines and to fold it takes a twentieth of the run, and nothing in the run depends on it.
final class TraceAside: Trace {
  private struct Line: Sendable {
    var time: ProcessingTime
    var component: String
    var event: StaticString
    var fields: [TraceField]
  }

  /// Lines that go to the other thread together.
  private static let batch = 512

  private let recorder: TraceRecorder
  private let lines = Mutex<[Line]>([])
  private let writing = Parallel.Series()

  /// A trace that `recorder` writes.
  init(_ recorder: TraceRecorder) { self.recorder = recorder }

  /// Somebody always listens: the fingerprint.
  var isEnabled: Bool { true }

  /// Records one line; the thread that calls is the one that is checked.
  func record(
    at time: ProcessingTime, component: String, event: StaticString, fields: [TraceField]
  ) {
    recorder.checkThread()
    let full = lines.withLock { lines -> [Line] in
      lines.append(Line(time: time, component: component, event: event, fields: fields))
      guard lines.count == Self.batch else { return [] }
      defer {
        lines = []
        lines.reserveCapacity(Self.batch)
      }
      return lines
    }
    write(full)
  }

  /// Returns once every line is written, and with the sink.
  func finish() {
    write(
      lines.withLock { lines in
        defer { lines = [] }
        return lines
      })
    writing.wait()
    recorder.flush()
  }

  private func write(_ lines: [Line]) {
    guard !lines.isEmpty else { return }
    writing.begin { [recorder] in
      for line in lines {
        recorder.write(
          at: line.time, component: line.component, event: line.event, fields: line.fields)
      }
    }
  }
}
