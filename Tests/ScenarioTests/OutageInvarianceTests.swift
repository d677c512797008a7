import Harness
import Moderation
import Pipeline
import Simulation
import Testing

/// Whatever the services suffer, what comes of a scenario is the same, only later (DESIGN §4).
@Suite struct OutageInvarianceTests {
  /// A way of running that must change nothing.
  struct Variant: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var change: @Sendable (inout Scenario) -> Void
  }

  static let names = ["viral-burst", "normal-traffic"]

  static let variants: [Variant] =
    ServiceName.allCases.flatMap { service in
      [ScheduledFault.Kind.pause, .crash].map { kind in
        Variant(testDescription: "\(kind.name) \(service.rawValue) for an hour") { scenario in
          scenario.faults.append(
            ScheduledFault(
              at: .seconds(31 * 60), duration: .seconds(3600), kind: kind, service: service))
        }
      }
    } + [
      Variant(testDescription: "two consumers") { $0.consumers = 2 },
      Variant(testDescription: "three consumers") { $0.consumers = 3 },
      Variant(testDescription: "polls of 1 record") { $0.policy.batchLimit = 1 },
      Variant(testDescription: "polls of 7 records") { $0.policy.batchLimit = 7 },
      Variant(testDescription: "polls of 5,000 records") { $0.policy.batchLimit = 5000 },
      Variant(testDescription: "a relay every second") { $0.policy.relayInterval = .seconds(1) },
      Variant(testDescription: "a relay every 7 s") { $0.policy.relayInterval = .seconds(7) },
    ]

  /// The undisturbed outcomes, made once.
  private static let undisturbed: [String: Result<RunOutcome, any Error>] = Dictionary(
    uniqueKeysWithValues: names.map { name in
      (name, Result { try RunOutcome(play(plain(name))) })
    })

  /// The scenario without the faults of its own, and with a fifth of the ticks: they are what a
  /// debug build spends its time on.
  private static func plain(_ name: String) throws -> Scenario {
    var scenario = try scenario(name)
    scenario.faults = []
    scenario.policy.relayInterval = .seconds(5)
    return scenario
  }

  /// All on the shorter scenario, and those of most consequence on the longer one, too.
  private static let cases = variants.flatMap { variant in
    let isGrave = [
      "pause stream-consumer for an hour", "pause risk-scorer for an hour",
      "pause outbox-relay for an hour", "two consumers",
    ].contains(variant.testDescription)
    return (isGrave ? names : ["viral-burst"]).map { ($0, variant) }
  }

  @Test(
    "Outages, instances and batch sizes leave every score, window and training row unchanged",
    arguments: cases)
  func unchanged(name: String, variant: Variant) throws {
    let expected = try #require(try Self.undisturbed[name]?.get())
    var disturbed = try Self.plain(name)
    variant.change(&disturbed)
    let run = try play(disturbed)
    let difference = expected.firstDifference(RunOutcome(run))
    #expect(difference == nil, "\(difference ?? "")")
    let faults = Judgement(run).checkers.flatMap(\.faults)
    #expect(faults.isEmpty, "\(faults)")
  }

  /// A few; `make scenarios` plays 200 on each scenario.
  @Test("Interleavings leave every score, window and training row unchanged", arguments: 0..<2)
  func schedules(seed: UInt64) throws {
    let expected = try #require(try Self.undisturbed["viral-burst"]?.get())
    let run = try play(Self.plain("viral-burst"), scheduling: .seeded(seed))
    let difference = expected.firstDifference(RunOutcome(run))
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test("Under the lab's immediate scoring the same outage changes scores: the check can fail")
  func labChanges() throws {
    var lab = try Self.plain("viral-burst")
    lab.policy.scoring = .immediate
    let expected = RunOutcome(try play(lab))
    lab.faults = [
      ScheduledFault(
        at: .seconds(31 * 60), duration: .seconds(3600), kind: .pause, service: .streamConsumer)
    ]
    let other = RunOutcome(try play(lab))
    #expect(expected.firstDifference(other) != nil)
  }
}
