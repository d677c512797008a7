import Moderation
import Ports

/// A batch job: runs once, and may be run again at any time, after a crash too.
public protocol Job: Sendable {
  /// The name in scenarios, traces and the command line.
  static var name: String { get }

  /// Runs to the end; gives what it did, by name.
  func run() async throws(PortError) -> [String: Int]
}

extension Environment {
  /// Runs `attempt` again after a conflict or an outage, a few times.
  func attempting<Value>(
    _ times: Int = 5, _ attempt: () async throws(PortError) -> Value
  ) async throws(PortError) -> Value {
    var left = times
    while true {
      do throws(PortError) {
        return try await attempt()
      } catch {
        left -= 1
        guard error.isRetryable, left > 0, !Task.isCancelled else { throw error }
        record("retry", [.text("error", error.description)])
        await time.sleep(for: .seconds(1))
      }
    }
  }
}
