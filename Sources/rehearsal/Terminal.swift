import Foundation
import Glibc

/// Where people read: colour and progress only on a terminal.
enum Terminal {
  static var isColoured: Bool {
    isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
  }

  /// A word in green or red on a terminal.
  static func painted(_ word: String, _ isGood: Bool) -> String {
    isColoured ? "\u{1B}[\(isGood ? 32 : 31)m\(word)\u{1B}[0m" : word
  }

  static func complain(_ text: String) { tell(text + "\n") }

  /// Writes to standard error.
  private static func tell(_ text: String) {
    // Where it is closed, there is nobody to tell.
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// A line that says how far a run is; drawn at most ten times a second, after two seconds.
  static func progress(_ name: String) -> @Sendable (Double) -> Void {
    guard isatty(STDERR_FILENO) == 1 else { return { _ in } }
    let start = Stopwatch.now
    let last = ProgressState()
    return { share in
      let now = Stopwatch.now
      guard now - start > 2_000_000_000, last.isDue(now) else { return }
      let percent = Int(min(1, share) * 100)
      tell("\r\(name) \(percent) %")
    }
  }

  /// Replaces the progress line, on a terminal.
  static func progressLine(_ text: String) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    tell("\r\u{1B}[K\(text)")
  }

  /// Removes the progress line.
  static func endProgress() {
    guard isatty(STDERR_FILENO) == 1 else { return }
    tell("\r\u{1B}[K")
  }
}

/// The real clock, for measurements only.
enum Stopwatch {
  /// Nanoseconds of the monotonic clock.
  static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  /// Seconds since `start`.
  static func seconds(since start: UInt64) -> Double { Double(now - start) / 1e9 }
}
