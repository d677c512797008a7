import Moderation
import Ports
import Simulation
import Synchronization
import Testing

@testable import Harness

@Suite("TraceAside")
struct TraceAsideTests {
  private static let start = ProcessingTime(microseconds: 1_750_000_000_000_000)

  /// Lines of every kind of field, more than go to the other thread at once.
  private static func record(_ count: Int, to trace: any Trace) {
    for number in 0..<count {
      trace.record(
        at: start + .milliseconds(number), component: "component-\(number % 7)", event: "line",
        fields: [
          .integer("number", number), .text("text", String(repeating: "é", count: number % 50)),
          .id("id", ImageID(high: 1, low: UInt64(number))),
          .number("share", 1 / Double(number + 1)),
        ])
    }
  }

  @Test("Lines, bytes and fingerprint are those of the trace itself", arguments: [0, 1, 512, 3000])
  func same(count: Int) {
    let (direct, aside) = (Journal(), Journal())
    let recorder = TraceRecorder(sink: direct.note)
    Self.record(count, to: recorder)
    recorder.flush()
    let written = TraceRecorder(sink: aside.note)
    let trace = TraceAside(written)
    Self.record(count, to: trace)
    trace.finish()
    #expect(written.lineCount == count)
    #expect(written.fingerprint == recorder.fingerprint)
    // Not `==`, of which a failure would work out the difference of half a million bytes.
    #expect(aside.bytes.elementsEqual(direct.bytes))
    #expect(trace.isEnabled)
  }

  @Test("Each line is checked on the thread that records it, before it goes elsewhere")
  func checked() {
    let recorder = TraceRecorder()
    let checks = Mutex(0)
    recorder.guardThread { checks.withLock { $0 += 1 } }
    let trace = TraceAside(recorder)
    for expected in 1...3 {
      Self.record(1, to: trace)
      #expect(checks.withLock { $0 } == expected)
    }
    trace.finish()
    #expect(checks.withLock { $0 } == 3, "and nowhere else")
  }
}

/// Bytes as a sink got them.
private final class Journal: Sendable {
  private let all = Mutex<[UInt8]>([])

  var bytes: [UInt8] { all.withLock { $0 } }

  var note: @Sendable ([UInt8]) -> Void { { [self] bytes in all.withLock { $0 += bytes } } }
}
