import Foundation
import Synchronization

/// Work whose parts don't depend on each other, on several threads: what comes out is the same on
/// any number of them.
public enum Parallel {
  /// How many parts at once: the machine's processors.
  public static var width: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// From so many rows on, a batch is worth encoding or decoding side by side: below, threads cost
  /// more than they save.
  static let leastRows = 1 << 14

  /// What `body` gives for each element, in the elements' order; after an error no further one is
  /// begun, and the error of the first element that has one is thrown.
  public static func map<Element: Sendable, Value: Sendable, Failure: Error>(
    _ elements: [Element], width: Int = Parallel.width,
    progress: @escaping @Sendable (Double) -> Void = { _ in },
    _ body: @escaping @Sendable (Element) throws(Failure) -> Value
  ) throws(Failure) -> [Value] {
    let state = Mutex((next: 0, done: 0, values: [Int: Result<Value, Failure>]()))
    // A thread too many would take what the caller's own, whose memory is warm, could do as well.
    DispatchQueue.concurrentPerform(iterations: max(1, min(width, elements.count))) { _ in
      while let index = state.withLock({ state -> Int? in
        guard state.next < elements.count else { return nil }
        state.next += 1
        return state.next - 1
      }) {
        let result: Result<Value, Failure>
        do throws(Failure) {
          result = .success(try body(elements[index]))
        } catch {
          result = .failure(error)
        }
        let share = state.withLock { state -> Double in
          if case .failure = result { state.next = elements.count }
          state.values[index] = result
          state.done += 1
          return Double(state.done) / Double(elements.count)
        }
        progress(share)
      }
    }
    var values: [Value] = []
    values.reserveCapacity(elements.count)
    for (_, result) in state.withLock({ $0.values }).sorted(by: { $0.key < $1.key }) {
      values.append(try result.get())
    }
    return values
  }

  /// Begins something on another thread, as soon as one is free; whoever wants its value asks for
  /// it, and waits.
  public static func beginning<Value: Sendable>(
    _ body: @escaping @Sendable () -> Value
  ) -> Beginning<Value> { Beginning(body) }

  /// Work on another thread, one piece after the other, in the order in which they were begun.
  public final class Series: Sendable {
    private let queue = DispatchQueue(label: "rehearsal.series", qos: .userInitiated)
    /// Who begins more than the other thread can do waits for it.
    private let room = DispatchSemaphore(value: 64)

    /// A series without work.
    public init() {}

    /// Begins a piece of work.
    public func begin(_ body: @escaping @Sendable () -> Void) {
      room.wait()
      queue.async { [room] in
        body()
        room.signal()
      }
    }

    /// Returns when everything that was begun is done.
    public func wait() { queue.sync {} }
  }

  /// Something that was begun on another thread.
  public final class Beginning<Value: Sendable>: Sendable {
    private let body: @Sendable () -> Value
    private let isTaken = Atomic(false)
    private let result = Mutex<Value?>(nil)
    private let work = DispatchGroup()

    fileprivate init(_ body: @escaping @Sendable () -> Value) {
      self.body = body
      work.enter()
      DispatchQueue.global(qos: .userInitiated).async { [self] in carryOut() }
    }

    /// What comes of it. Where no thread was free for it so far, the caller's does it: threads that
    /// only wait for each other would wait for ever.
    public var value: Value {
      carryOut()
      work.wait()
      guard let value = result.withLock({ $0 }) else { preconditionFailure("it gave nothing") }
      return value
    }

    /// Does it, unless somebody else does.
    private func carryOut() {
      guard !isTaken.exchange(true, ordering: .relaxed) else { return }
      let value = body()
      result.withLock { $0 = value }
      work.leave()
    }
  }
}
