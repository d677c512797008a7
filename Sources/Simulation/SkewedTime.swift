import Moderation
import Ports

/// A clock that is wrong by a known amount: what a component with clock skew reads.
public struct SkewedTime: TimeSource {
  /// The right clock.
  let base: any TimeSource
  private let skew: @Sendable (ProcessingTime) -> Duration

  /// A clock beside `base`; `skew` says how far it is ahead at an instant of `base`.
  public init(_ base: any TimeSource, skew: @escaping @Sendable (ProcessingTime) -> Duration) {
    self.base = base
    self.skew = skew
  }

  /// The present, wrong.
  public var now: ProcessingTime { base.now + skew(base.now) }

  /// What the right clock shows when this one shows `time`.
  func right(_ time: ProcessingTime) -> ProcessingTime {
    ProcessingTime(microseconds: time.microseconds - skew(base.now).microseconds)
  }

  /// See ``TimeSource``.
  public func wait(until deadline: ProcessingTime?, for signal: Signal?, reason: String) async {
    await base.wait(until: deadline.map(right), for: signal, reason: reason)
  }
}
