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
    DispatchQueue.concurrentPerform(iterations: max(1, width)) { _ in
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

  /// What `body` gives for each element, in order and without nil; a stretch of them at a time, as
  /// a part by itself is small.
  @inlinable public static func compactMap<Element: Sendable, Value: Sendable>(
    _ elements: [Element], _ body: @escaping @Sendable (Element) -> Value?
  ) -> [Value] {
    let stretch = 4096
    let starts = Array(stride(from: 0, to: elements.count, by: stretch))
    let parts = map(starts) { start in
      var values: [Value] = []
      for index in start..<min(start + stretch, elements.count) {
        if let value = body(elements[index]) { values.append(value) }
      }
      return values
    }
    var values: [Value] = []
    values.reserveCapacity(parts.reduce(0) { $0 + $1.count })
    for part in parts { values += part }
    return values
  }

  /// Begins something on another thread; whoever wants its value asks for it, and waits.
  public static func beginning<Value: Sendable>(
    _ body: @escaping @Sendable () -> Value
  ) -> Beginning<Value> { Beginning(body) }

  /// Something that was begun on another thread.
  public final class Beginning<Value: Sendable>: Sendable {
    private let result = Mutex<Value?>(nil)
    private let work = DispatchGroup()

    fileprivate init(_ body: @escaping @Sendable () -> Value) {
      DispatchQueue.global(qos: .userInitiated).async(group: work) { [self] in
        let value = body()
        result.withLock { $0 = value }
      }
    }

    /// What came of it.
    public var value: Value {
      work.wait()
      guard let value = result.withLock({ $0 }) else { preconditionFailure("it gave nothing") }
      return value
    }
  }
}
