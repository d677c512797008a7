import Harness

/// The explorer's seeds, as `rehearsal explore` plays them: other traffic, settings, faults and
/// interleavings; checkers must hold, and what comes of a run must be what comes of it undisturbed.
struct ExplorerStage: Sendable {
  let base: Scenario

  /// Tries one seed after the other.
  func look(for canary: Canary, seeds: Int) -> Catch? {
    let explorer = explorer(canary)
    for seed in 0..<seeds {
      guard let violation = explorer.explore(UInt64(seed)).violation else { continue }
      return Catch(
        by: violation.checker, place: base.name,
        finding: violation.faults.first ?? "", seeds: seed + 1)
    }
    return nil
  }

  /// The explorer of a defective pipeline.
  func explorer(_ canary: Canary) -> Explorer {
    Explorer(canary.scenario(base)) { canary.options() }
  }
}

/// A finding of the explorer made small, and whether it is red with the defect and green without.
struct ShrunkCatch: Sendable {
  let canary: Canary
  let shrunk: ShrunkScenario
  let seed: UInt64
  let isRedWith: Bool
  let isGreenWithout: Bool

  /// Shrinks what a seed finds; nil when it finds nothing.
  init?(_ canary: Canary, seed: UInt64, _ stage: ExplorerStage, budget: Int) throws {
    let explorer = stage.explorer(canary)
    guard let violation = explorer.explore(seed).violation else { return nil }
    shrunk = Shrinker.shrink(
      explorer.scenario(seed), violation, by: explorer, budget: budget)
    self.canary = canary
    self.seed = seed
    let (_, yaml) = shrunk.file(base: stage.base.name, seed: seed)
    let again = try Scenario(yaml: yaml, file: "shrunk.yaml")
    isRedWith = explorer.violation(of: again)?.checker == violation.checker
    isGreenWithout = Explorer(again).violation(of: again) == nil
  }
}
