import Synchronization

/// When a progress line was drawn last.
final class ProgressState: Sendable {
  private let last = Mutex<UInt64>(0)

  /// Whether a tenth of a second has passed since the last time this was true.
  func isDue(_ now: UInt64) -> Bool {
    last.withLock { last in
      guard now - last > 100_000_000 else { return false }
      last = now
      return true
    }
  }
}
