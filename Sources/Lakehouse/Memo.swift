import Synchronization

/// What a function gave for the arguments it was asked before; after so many they are forgotten.
final class Memo<Argument: Hashable & Sendable, Value: Sendable>: Sendable {
  private let limit: Int
  private let known = Mutex<[Argument: Value]>([:])

  init(limit: Int) { self.limit = limit }

  /// The value for an argument, made when it isn't known.
  func value<Failure: Error>(
    for argument: Argument, _ make: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    if let value = known.withLock({ $0[argument] }) { return value }
    let value = try make()
    known.withLock { known in
      if known.count >= limit { known = [:] }
      known[argument] = value
    }
    return value
  }
}
