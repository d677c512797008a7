import Synchronization

/// Wakes whoever waits for something to change: a broker's "there is data", for one.
///
/// A ``TimeSource`` parks a task here through ``add(_:)``; ``notify()`` wakes all that are parked.
/// Wake-ups may be spurious, so a waiter looks again.
public final class Signal: Sendable {
  /// How a parked task is woken: called once at most, in any context.
  public typealias Waker = @Sendable () -> Void

  private let wakers = Mutex<(next: Int, parked: [(key: Int, wake: Waker)])>((0, []))

  /// A signal that nobody waits for.
  public init() {}

  /// Parks a waker; the key removes it again.
  public func add(_ wake: @escaping Waker) -> Int {
    wakers.withLock { state in
      state.next += 1
      state.parked.append((state.next, wake))
      return state.next
    }
  }

  /// Removes a waker that no longer waits.
  public func remove(_ key: Int) {
    wakers.withLock { state in state.parked.removeAll { $0.key == key } }
  }

  /// Wakes all parked, in the order of their parking.
  public func notify() {
    let parked = wakers.withLock { state in
      defer { state.parked = [] }
      return state.parked
    }
    for waker in parked { waker.wake() }
  }
}
