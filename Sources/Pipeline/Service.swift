import Moderation
import Ports

/// A part of the pipeline that runs until it is cancelled.
public protocol Service: Sendable {
  /// The name in traces, faults and reports.
  var name: String { get }

  /// Runs until the task is cancelled.
  func run() async
}

extension Environment {
  /// Runs `step` again and again until the task is cancelled; after an error it waits a little.
  ///
  /// Every step resumes from what is durable, so a failed one is simply tried again.
  func repeating(_ step: () async throws(PortError) -> Void) async {
    while !Task.isCancelled {
      do throws(PortError) {
        try await step()
      } catch {
        guard !Task.isCancelled else { return }
        record("retry", [.text("error", error.description)])
        await time.sleep(for: .seconds(1))
      }
    }
  }

  /// The next multiple of `interval` since the epoch, after now.
  func nextTick(_ interval: Duration) -> ProcessingTime {
    let step = interval.microseconds
    return ProcessingTime(microseconds: (now.microseconds / step + 1) * step)
  }
}
