/// What is counted per image.
public enum Metric: Int, Hashable, Sendable, CaseIterable {
  case views, comments, flags

  /// `views`, `comments` or `flags`, as in the feature store's keys.
  public var name: String {
    switch self {
    case .views: "views"
    case .comments: "comments"
    case .flags: "flags"
    }
  }

  /// The lake table of this metric's 5-minute windows, without its namespace.
  public var windowTable: String {
    switch self {
    case .views: "view_windows_5min"
    case .comments: "comment_windows_5min"
    case .flags: "flag_windows_5min"
    }
  }
}

/// The rolling windows, half-open `(t − w, t]` in event time.
public enum RollingWindow: Int, Hashable, Sendable, CaseIterable {
  case oneMinute, fiveMinutes, oneHour

  /// The window's length in microseconds.
  public var microseconds: Int64 {
    switch self {
    case .oneMinute: 60_000_000
    case .fiveMinutes: 300_000_000
    case .oneHour: 3_600_000_000
    }
  }

  /// `1min`, `5min` or `1hr`, as in the feature store's keys.
  public var name: String {
    switch self {
    case .oneMinute: "1min"
    case .fiveMinutes: "5min"
    case .oneHour: "1hr"
    }
  }
}

/// Fixed 5-minute windows `[start, start + 5 min)` of the batch tables (REFERENCE §7).
public enum TumblingWindow {
  /// The length in microseconds.
  public static let microseconds: Int64 = 300_000_000

  /// The start of the window that holds `time`.
  public static func start(of time: EventTime) -> EventTime {
    let rest = time.microseconds % microseconds
    return EventTime(microseconds: time.microseconds - (rest < 0 ? rest + microseconds : rest))
  }
}
