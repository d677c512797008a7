/// When something happened in the platform's world: integer microseconds since the Unix epoch, UTC.
///
/// Windows, labels and features are functions of event time only; see ``ProcessingTime``.
@frozen public struct EventTime: Hashable, Comparable, Sendable {
  /// Microseconds since 1970-01-01T00:00:00Z.
  public var microseconds: Int64

  /// Wraps microseconds since the Unix epoch.
  @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }

  /// Orders instants from early to late.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.microseconds < b.microseconds }

  /// The instant `duration` later (earlier when negative).
  @inlinable public static func + (a: Self, duration: Duration) -> Self {
    Self(microseconds: a.microseconds + duration.microseconds)
  }

  /// The instant `duration` earlier.
  @inlinable public static func - (a: Self, duration: Duration) -> Self {
    Self(microseconds: a.microseconds - duration.microseconds)
  }
}

/// When a service did something, on the clock that the service runs on: integer microseconds, UTC.
///
/// A different type from ``EventTime`` so that "when it happened" and "when we got to it" can't be
/// mixed up silently.
@frozen public struct ProcessingTime: Hashable, Comparable, Sendable {
  /// Microseconds since 1970-01-01T00:00:00Z.
  public var microseconds: Int64

  /// Wraps microseconds since the Unix epoch.
  @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }

  /// Orders instants from early to late.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.microseconds < b.microseconds }

  /// The instant `duration` later.
  @inlinable public static func + (a: Self, duration: Duration) -> Self {
    Self(microseconds: a.microseconds + duration.microseconds)
  }

  /// The event time of something that happens right now.
  @inlinable public var asEventTime: EventTime { EventTime(microseconds: microseconds) }
}

extension Duration {
  /// The whole microseconds of this duration, rounded towards zero.
  @inlinable public var microseconds: Int64 { Int64(attoseconds / 1_000_000_000_000) }
}
