import Ports
import Synchronization

/// Tells the supervisor that a service crashed at a call.
final class CrashSignals: Sendable {
  private let signals = Mutex<[String: Signal]>([:])

  /// The signal of one instance of a service.
  func signal(of component: String) -> Signal {
    signals.withLock { signals in
      if let signal = signals[component] { return signal }
      let signal = Signal()
      signals[component] = signal
      return signal
    }
  }
}
