import Testing

/// Lets the body of a test run once for each seed; made by `.seeds(1...100)`.
///
/// It says which seeds; ``ScenarioTrait`` plays them.
public struct SeedsTrait: TestTrait, SuiteTrait {
  /// The seeds, in the order in which the body sees them.
  let seeds: [Int]

  /// A suite's seeds are those of each of its tests.
  public var isRecursive: Bool { true }

  /// Refuses seeds without a scenario to play, and those that no scenario file may have.
  public func prepare(for test: Test) async throws {
    let hasScenario = test.traits.contains { $0 is ScenarioTrait }
    guard test.isSuite || hasScenario else {
      throw TraitError(message: "`.seeds(…)` needs a scenario to play: add `.scenario(…)`")
    }
    if let seed = seeds.first(where: { $0 < 0 }) {
      throw TraitError(message: "the seed \(seed) is below 0")
    }
  }
}

extension Trait where Self == SeedsTrait {
  /// Runs the test once for each seed, in this order; every seed runs, even after one that failed.
  ///
  /// - Parameter seeds: 0 or more each, as in scenario files: `1...100`, `[17]`.
  public static func seeds(_ seeds: some Sequence<Int>) -> Self { SeedsTrait(seeds: Array(seeds)) }
}

/// A mistake in how the traits are used.
public struct TraitError: Error, CustomStringConvertible {
  private let message: String

  init(message: String) { self.message = message }

  /// What is wrong, and how to mend it.
  public var description: String { message }
}
