import Moderation
import Ports
import Testing

// `PortGate.around`, which the gated ports share, isn't public.
@testable import Simulation

@Suite("FaultPlan")
struct FaultPlanTests {
  /// Calls `P.read` of `component` once a second, from the first second on; what each came to: `ok`
  /// with the second in which it came back, or the error's code.
  private static func calls(
    _ faults: [ScheduledFault], count: Int = 6, of component: String = "relay",
    named name: StaticString = "P.read", seed: UInt64 = 1
  ) throws -> (outcomes: [String], hits: [Int]) {
    let journal = Journal<String>()
    let plan = Self.plan(faults, seed: seed)
    try simulate { clock in
      for second in 1...count {
        await clock.sleep(until: at(second))
        let gate = Self.gate(plan, clock, component)
        do throws(PortError) {
          try await gate.around(name) { () async throws(PortError) in }
          let now = (clock.now.microseconds - start.microseconds) / 1_000_000
          journal.note(now == second ? "ok" : "ok at \(now)")
        } catch {
          journal.note(error.code.name)
        }
      }
    }
    return (journal.entries, plan.hits)
  }

  private static func plan(_ faults: [ScheduledFault], seed: UInt64 = 1) -> FaultPlan {
    FaultPlan(
      faults, start: start, end: at(100), streams: RandomStreams(seed: seed),
      services: ["scorer"], api: ["intake"])
  }

  private static func gate(
    _ plan: FaultPlan, _ clock: VirtualClock, _ component: String
  ) -> PortGate {
    let environment = Environment(
      component: component, time: clock, ids: SeededIDs(streams: RandomStreams(seed: 1)),
      trace: NoTrace())
    return PortGate(
      plan: PortGate.Plan { plan.verdict(of: $0) }, environment: environment, yields: false)
  }

  @Test("A fault holds from its instant to its end, which is outside")
  func window() throws {
    let fault = ScheduledFault(.error, at: .seconds(2), for: .seconds(2), target: "P.read")
    let calls = try Self.calls([fault])
    #expect(calls.outcomes == ["ok", "unavailable", "unavailable", "ok", "ok", "ok"])
    #expect(calls.hits == [2])
  }

  @Test(
    "It concerns its component with all instances, its port with all methods, and nothing else",
    arguments: [
      ("relay", "P.read", true), ("relay-2", "P.read", true), ("relays", "P.read", false),
      ("other", "P.read", false), ("relay", "P", true), ("relay", "P.rea", false),
      ("relay", "Q.read", false),
    ])
  func concerns(component: String, target: String, isHit: Bool) throws {
    let fault = ScheduledFault(.conflict, of: "relay", target: target)
    let calls = try Self.calls([fault], count: 1, of: component)
    #expect(calls.outcomes == [isHit ? "conflict" : "ok"])
    #expect(calls.hits == [isHit ? 1 : 0])
  }

  @Test("Calls pass before `skip` is used up and after `limit` is")
  func skipAndLimit() throws {
    var fault = ScheduledFault(.lostReply, target: "P")
    (fault.skip, fault.limit) = (1, 2)
    let calls = try Self.calls([fault])
    #expect(calls.outcomes == ["ok", "unknown outcome", "unknown outcome", "ok", "ok", "ok"])
  }

  @Test("A ratio hits its share, the same calls with the same seed")
  func ratio() throws {
    var fault = ScheduledFault(.error, target: "P")
    fault.ratio = 0.25
    let first = try Self.calls([fault], count: 99)
    let hits = first.outcomes.count { $0 == "unavailable" }
    #expect((12...38).contains(hits), "\(hits) of 99")
    #expect(first.hits == [hits])
    #expect(try Self.calls([fault], count: 99).outcomes == first.outcomes)
    #expect(try Self.calls([fault], count: 99, seed: 2).outcomes != first.outcomes)
  }

  @Test("A stable draw holds for its time")
  func stability() throws {
    var fault = ScheduledFault(.error, at: .seconds(1), target: "P")
    (fault.ratio, fault.stability) = (0.5, .seconds(10))
    let outcomes = try Self.calls([fault], count: 90).outcomes
    let slots = stride(from: 0, to: 90, by: 10).map { Set(outcomes[$0..<$0 + 10]) }
    #expect(slots.allSatisfy { $0.count == 1 }, "one draw for ten seconds")
    #expect(Set(slots).count == 2, "and others for others")
  }

  @Test("A pause holds a call until it is over; a slow call takes longer")
  func delays() throws {
    let pause = ScheduledFault(.pause, at: .seconds(2), for: .seconds(3), of: "relay")
    #expect(try Self.calls([pause], count: 3).outcomes == ["ok", "ok at 5", "ok at 5"])
    let slow = ScheduledFault(.slow(by: .seconds(4)), target: "P")
    #expect(try Self.calls([slow], count: 1).outcomes == ["ok at 5"])
  }

  @Test("Of two faults on a call the first is taken")
  func order() throws {
    let faults = [ScheduledFault(.conflict, target: "P"), ScheduledFault(.error, target: "P")]
    let calls = try Self.calls(faults, count: 1)
    #expect(calls.outcomes == ["conflict"])
    #expect(calls.hits == [1, 0])
  }

  @Test("A job that crashes at a call is away for a while; so is the API, which says so")
  func crashAtCall() throws {
    let job = ScheduledFault(.crash, at: .seconds(2), for: .seconds(2), of: "job", target: "P")
    let ended = ["ok", "cancelled", "cancelled", "ok", "ok", "ok"]
    #expect(try Self.calls([job], of: "job").outcomes == ended)
    let api = ScheduledFault(.crash, at: .seconds(2), for: .seconds(2), of: "intake", target: "P")
    let down = ended.map { $0 == "cancelled" ? "unavailable" : $0 }
    let calls = try Self.calls([api], of: "intake")
    #expect(calls.outcomes == down)
    #expect(calls.hits == [1])
  }

  @Test("A crash at an instant ends jobs here, services elsewhere")
  func crashAtInstant() throws {
    let fault = ScheduledFault(.crash, at: .seconds(2), for: .seconds(2), of: "job")
    let ended = ["ok", "cancelled", "cancelled", "ok", "ok", "ok"]
    #expect(try Self.calls([fault], of: "job").outcomes == ended)
    let service = ScheduledFault(.crash, at: .seconds(2), for: .seconds(2), of: "scorer")
    #expect(try Self.calls([service], count: 3, of: "scorer").outcomes == ["ok", "ok", "ok"])
  }

  @Test("Redelivery and disorder concern polls only")
  func polls() throws {
    for kind in [ScheduledFault.Kind.redeliver(last: 3), .reorder] {
      let fault = ScheduledFault(kind, of: "relay")
      #expect(try Self.calls([fault], count: 1).hits == [0])
      #expect(try Self.calls([fault], count: 1, named: "EventConsumer.poll").hits == [1])
    }
  }

  @Test("Nobody repeats a poll beneath the caller")
  func polledOnce() throws {
    let fault = ScheduledFault(.duplicate, of: "relay")
    #expect(try Self.calls([fault], count: 1, named: "EventConsumer.poll").hits == [0])
    #expect(try Self.calls([fault], count: 1, named: "EventConsumer.commit").hits == [1])
  }

  @Test("A wrong clock shows another time and waits as long as the right one would")
  func skew() throws {
    let fault = ScheduledFault(
      .skew(by: .seconds(-30)), at: .seconds(5), for: .seconds(20), of: "relay")
    let plan = Self.plan([fault])
    let journal = Journal<ProcessingTime>()
    try simulate { clock in
      let wrong = SkewedTime(clock) { plan.skew(of: "relay", at: $0) }
      journal.note(wrong.now)
      await clock.sleep(until: at(10))
      journal.note(wrong.now)
      await wrong.sleep(for: .seconds(4))
      journal.note(clock.now)
      await clock.sleep(until: at(40))
      journal.note(wrong.now)
    }
    #expect(journal.entries == [at(0), at(-20), at(14), at(40)])
    #expect(plan.hits == [1])
    #expect(plan.skews("relay") && !plan.skews("other"))
  }
}
