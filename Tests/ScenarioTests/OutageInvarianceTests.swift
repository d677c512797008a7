import Harness
import Pipeline
import Simulation
import Testing

/// Whatever the services suffer, what comes of a scenario is the same, only later (DESIGN §4). Here
/// some of it on one scenario; `make scenarios` plays all of it, and 200 interleavings, on two.
@Suite struct OutageInvarianceTests {
  /// Made once, as its first run is the undisturbed one.
  private static let sweep = Result { try OutageSweep(quick()) }

  /// The scenario with a fifth of the ticks, which are what a debug build spends its time on.
  private static func quick() throws -> Scenario {
    var scenario = try scenario("viral-burst")
    scenario.policy.relayInterval = .seconds(5)
    return scenario
  }

  @Test(
    "Outages, instances and batch sizes leave every score, window and training row unchanged",
    arguments: [
      "outbox-relay pauses from 31m to 1h31m", "stream-consumer crashes from 31m to 1h31m",
      "anchor-scheduler crashes from 31m to 1h31m", "risk-scorer pauses from 31m to 1h31m",
      "2 stream-consumers", "polls of 7 records at most", "a relay every 7s",
    ])
  func unchanged(name: String) throws {
    let sweep = try Self.sweep.get()
    let variant = try #require(sweep.variants.first { $0.description == name })
    let fault = try sweep.fault(variant)
    #expect(fault == nil, "\(fault ?? "")")
  }

  @Test("Each service pauses and crashes, and nothing is varied to what it is")
  func variants() throws {
    let names = try Self.sweep.get().variants.map(\.description)
    #expect(Set(names).count == names.count)
    for service in ServiceName.allCases {
      #expect(names.count { $0.hasPrefix(service.rawValue) } == 2)
    }
    #expect(names.contains("3 stream-consumers") && !names.contains("1 stream-consumers"))
    #expect(names.contains("a relay every 1s"), "ours ticks every 5 s")
    #expect(names.count == 8 + 2 + 3 + 2)
  }

  @Test("Interleavings leave every score, window and training row unchanged", arguments: 0..<2)
  func schedules(seed: UInt64) throws {
    var scenario = try Self.quick()
    scenario.faults = []
    let run = try play(scenario, scheduling: .seeded(seed))
    let difference = try Self.sweep.get().expected.firstDifference(RunOutcome(run))
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test("Under the lab's immediate scoring the same outage changes scores: the check can fail")
  func labChanges() throws {
    var lab = try Self.quick()
    lab.policy.scoring = .immediate
    let sweep = try OutageSweep(lab)
    let variant = try #require(
      sweep.variants.first { $0.description == "stream-consumer pauses from 31m to 1h31m" })
    #expect(try sweep.fault(variant)?.contains("scores row") == true)
  }
}
