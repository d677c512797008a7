import RehearsalHarness

extension Rehearsal.Run {
  /// The body of a test takes no arguments but its own, so the run comes along with its task.
  @TaskLocal static var taskLocal: Rehearsal.Run?

  /// The run that `.scenario(…)` gave to the running test; with `.seeds(…)`, the current seed's.
  ///
  /// - Throws: in a test without that trait, and in a detached task.
  public static var current: Rehearsal.Run {
    get throws {
      guard let run = taskLocal else {
        throw TraitError(message: "this test has no run: add `.scenario(…)` to its traits")
      }
      return run
    }
  }
}
