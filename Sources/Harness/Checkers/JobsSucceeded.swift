/// Every job came to its end, at the latest when it was started again.
///
/// Doesn't check: what the job did.
public struct JobsSucceeded: Checker {
  /// `JobsSucceeded`.
  public let name = "JobsSucceeded"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard !run.jobs.isEmpty else { return nil }
    return run.jobs.filter { !$0.isRepeated }.compactMap { job in
      job.failure.map { "\(job.job.rawValue) at \(job.at): \($0)" }
    }
  }
}
