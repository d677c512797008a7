import Moderation

extension IcebergType {
  /// The ISO 8601 text of a day (`2026-01-05`), a time (`10:00:00.000000`) or an instant; nil for
  /// other types. What no such text can say is `@` and the number.
  public func text(of number: Int64) -> String? {
    switch name {
    case "date":
      let (instant, isFar) = number.multipliedReportingOverflow(by: Self.microsecondsPerDay)
      let text = ISO8601.string(EventTime(microseconds: instant))
      return isFar || text.hasPrefix("@") ? "@\(number)" : String(text.prefix(10))
    case "time":
      guard (0..<Self.microsecondsPerDay).contains(number) else { return "@\(number)" }
      return String(ISO8601.string(EventTime(microseconds: number)).dropFirst(11).dropLast())
    case "timestamp", "timestamptz": return ISO8601.string(EventTime(microseconds: number))
    default: return nil
    }
  }

  private static let microsecondsPerDay: Int64 = 86_400_000_000
}
