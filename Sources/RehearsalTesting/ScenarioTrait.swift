import Foundation
import RehearsalHarness
import Testing

/// Gives a test the run of a scenario; made by `.scenario("viral-burst")`.
///
/// The body finds it in `Rehearsal.Run.current`. With `.seeds(1...100)` beside it the body runs
/// once for each seed. Whatever fails then names the seed and the command that runs it again.
public struct ScenarioTrait: TestTrait, SuiteTrait, TestScoping {
  let make: @Sendable () throws -> Rehearsal

  /// A suite's scenario is that of each of its tests.
  public var isRecursive: Bool { true }

  /// Reads the scenario, so that a misspelt name fails before anything runs.
  public func prepare(for test: Test) async throws { _ = try make() }

  /// Plays the scenario for each seed and runs the test's body on what came of it.
  public func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    // The nearest trait to the test counts, and the first to come acts for all.
    guard Rehearsal.Run.taskLocal == nil else { return try await function() }
    let nearest = test.traits.reversed().lazy.compactMap { $0 as? ScenarioTrait }.first ?? self
    let seeds = test.traits.reversed().lazy.compactMap { $0 as? SeedsTrait }.first
    try await nearest.play(seeds?.seeds.map(UInt64.init), for: test, testCase, function)
  }

  /// Runs the body for each seed, or for the rehearsal's own.
  func play(
    _ seeds: [UInt64]?, for test: Test, _ testCase: Test.Case?,
    _ function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let rehearsal = try make()
    for chunk in Self.chunks(seeds ?? [rehearsal.seed]) {
      for played in await Self.runs(of: rehearsal, chunk) {
        let scope = Self.naming(rehearsal, played.seed)
        try await scope.provideScope(for: test, testCase: testCase) {
          try await Self.perform(function, on: played.outcome)
        }
      }
    }
  }

  /// Runs the body on a run; what it throws is recorded here, where issues get the seed's name, and
  /// doesn't keep the next seed from its turn.
  private static func perform(
    _ function: @concurrent @Sendable () async throws -> Void,
    on outcome: Result<Rehearsal.Run, any Error>
  ) async throws {
    do {
      try await Rehearsal.Run.$taskLocal.withValue(outcome.get()) { try await function() }
    } catch is ExpectationFailedError {
      // `#require` has recorded it already.
    } catch  where Task.isCancelled {
      // Cancelled by a time limit or `Test.cancel`: the test is over, not only this seed.
      throw error
    } catch {
      Issue.record(error)
    }
  }

  /// As many seeds as processors are played at a time: more would only wait, holding their tables.
  private static func chunks(_ seeds: [UInt64]) -> [ArraySlice<UInt64>] {
    let size = ProcessInfo.processInfo.activeProcessorCount
    return stride(from: 0, to: seeds.count, by: size).map {
      seeds[$0..<min($0 + size, seeds.count)]
    }
  }

  /// What came of one seed. A type of its own: of a tuple with the place in front, optimised code
  /// of Swift 6.3 loses the place on the way out of a task group.
  private struct Played: Sendable {
    let seed: UInt64
    let outcome: Result<Rehearsal.Run, any Error>
  }

  /// The runs of some seeds, in their order.
  private static func runs(of rehearsal: Rehearsal, _ seeds: ArraySlice<UInt64>) async -> [Played] {
    await withTaskGroup(of: Played.self) { group in
      for seed in seeds {
        group.addTask {
          do {
            return Played(seed: seed, outcome: .success(try await rehearsal.run(seed: seed)))
          } catch {
            return Played(seed: seed, outcome: .failure(error))
          }
        }
      }
      var played: [UInt64: Played] = [:]
      for await each in group { played[each.seed] = each }
      return seeds.map { seed in
        guard let each = played[seed] else {
          preconditionFailure("seed \(seed) was played, but what came of it is gone")
        }
        return each
      }
    }
  }

  /// Adds to every issue which seed it is about and how to run that again.
  private static func naming(_ rehearsal: Rehearsal, _ seed: UInt64) -> IssueHandlingTrait {
    let name = rehearsal.scenario.name
    let line = "\(name), seed \(seed); again: \(rehearsal.command(seed))"
    return .compactMapIssues { issue in
      var issue = issue
      issue.comments.append(Comment(rawValue: line))
      return issue
    }
  }
}

extension Trait where Self == ScenarioTrait {
  /// Gives the test the run of a scenario by name.
  ///
  /// - Parameters:
  ///   - name: the file's name without `.yaml`.
  ///   - folder: the folder; when nil, the nearest `scenarios` at or above the current directory.
  ///   - change: changes scenario and options, such as faults in code, before the run.
  public static func scenario(
    _ name: String, in folder: String? = nil,
    _ change: @escaping @Sendable (inout Rehearsal) -> Void = { _ in }
  ) -> Self {
    ScenarioTrait {
      var rehearsal = try Rehearsal(scenario: name, in: folder)
      change(&rehearsal)
      return rehearsal
    }
  }

  /// Gives the test the run of a scenario made in the test.
  public static func scenario(_ make: @escaping @Sendable () throws -> Rehearsal) -> Self {
    ScenarioTrait(make: make)
  }
}
