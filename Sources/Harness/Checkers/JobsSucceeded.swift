/// Every run of a job came to its end.
///
/// Doesn't check: what the job did.
public struct JobsSucceeded: Checker {
  /// `JobsSucceeded`.
  public let name = "JobsSucceeded"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard !run.jobs.isEmpty else { return nil }
    return run.jobs.compactMap { job in
      job.failure.map { "\(job.job.rawValue) at \(job.at): \($0)" }
    }
  }
}
