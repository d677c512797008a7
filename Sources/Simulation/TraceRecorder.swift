import Moderation
import Ports
import Synchronization

/// The run's trace: one JSON line per effect and decision, folded into a fingerprint.
public final class TraceRecorder: Trace {
  private struct State {
    var fingerprint = Fingerprint()
    var lines = 0
    var pending: [UInt8] = []
    var check: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  private let sink: (@Sendable ([UInt8]) -> Void)?

  /// A trace; `sink` gets its bytes, whole lines at a time.
  public init(sink: (@Sendable ([UInt8]) -> Void)? = nil) { self.sink = sink }

  /// Somebody always listens: the fingerprint.
  public var isEnabled: Bool { true }

  /// How many lines there were.
  public var lineCount: Int { state.withLock { $0.lines } }

  /// FNV-1a over all lines so far, 16 hexadecimal digits.
  public var fingerprint: String { state.withLock { $0.fingerprint.description } }

  /// Sets what is called at every line, to notice lines from elsewhere. It must write none itself.
  public func guardThread(_ check: @escaping @Sendable () -> Void) {
    state.withLock { $0.check = check }
  }

  /// Records one line.
  public func record(
    at time: ProcessingTime, component: String, event: StaticString, fields: [TraceField]
  ) {
    checkThread()
    write(at: time, component: component, event: event, fields: fields)
  }

  /// Asks whether the calling thread may record a line.
  public func checkThread() { state.withLock { $0.check }?() }

  /// Records one line, whichever thread calls: for who has asked already.
  public func write(
    at time: ProcessingTime, component: String, event: StaticString, fields: [TraceField]
  ) {
    var json = JSONWriter(capacity: 200)
    json.field("at", time.asEventTime)
    json.field("component", component)
    json.field("event", event)
    for field in fields { json.field(field) }
    let full = json.finishLine { line in
      state.withLock { state -> [UInt8]? in
        state.lines += 1
        state.fingerprint.fold(line)
        guard sink != nil else { return nil }
        state.pending.append(contentsOf: line)
        guard state.pending.count > 1 << 16 else { return nil }
        defer { state.pending.removeAll(keepingCapacity: true) }
        return state.pending
      }
    }
    if let full { sink?(full) }
  }

  /// Hands the last lines to the sink.
  public func flush() {
    let rest = state.withLock { state in
      defer { state.pending = [] }
      return state.pending
    }
    if !rest.isEmpty { sink?(rest) }
  }
}

extension JSONWriter {
  /// A trace line's field under its name.
  public mutating func field(_ field: TraceField) {
    switch field.value {
    case .text(let text): self.field(field.name, text)
    case .integer(let value): self.field(field.name, value)
    case .number(let value): self.field(field.name, value)
    case .time(let value): self.field(field.name, value)
    case .id(let high, let low): self.field(field.name, idHigh: high, low: low)
    }
  }
}

/// FNV-1a, 64 bits: a fingerprint of text, not a defence against anybody.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  /// The fingerprint of nothing.
  public init() {}

  /// Adds bytes.
  public mutating func fold(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { fold($0) } }

  /// Adds bytes.
  mutating func fold(_ bytes: UnsafeBufferPointer<UInt8>) {
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  /// 16 hexadecimal digits.
  public var description: String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
