/// Each table of the lake has the columns that the jobs need, and each snapshot that was read the
/// rows that it says.
///
/// Doesn't check: whether the rows are right.
public struct LakeIsReadable: Checker {
  /// `LakeIsReadable`.
  public let name = "LakeIsReadable"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? { run.columns.isEmpty ? nil : run.unreadable }
}
