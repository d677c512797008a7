import Moderation
import Ports
import Synchronization
import Testing

// `PortGate.around`, which the gated ports share, isn't public.
@testable import Simulation

@Suite("PortGate")
struct PortGateTests {
  private static let lost = PortError(.unavailable, port: "P", operation: "o", hint: "lost")
  private static let own = PortError(.notFound, port: "P", operation: "o", hint: "own")

  private static func gate(
    _ clock: VirtualClock, trace: any Trace = NoTrace(), yields: Bool = false,
    _ plan: PortGate.Plan = PortGate.Plan()
  ) -> PortGate {
    let environment = Environment(
      component: "relay", time: clock, ids: SeededIDs(streams: RandomStreams(seed: 1)),
      trace: trace)
    return PortGate(plan: plan, environment: environment, yields: yields)
  }

  /// What one operation under a verdict does: its result, and when it was carried out.
  private static func outcome(
    of verdict: Verdict, error: PortError? = nil, trace: any Trace = NoTrace()
  ) throws -> (result: Result<Int, PortError>?, carriedOut: [ProcessingTime]) {
    let journal = Journal<ProcessingTime>()
    let results = Journal<Result<Int, PortError>>()
    try simulate { clock in
      let gate = gate(clock, trace: trace, PortGate.Plan { _ in verdict })
      do throws(PortError) {
        let value = try await gate.around("P.o") { () async throws(PortError) -> Int in
          journal.note(clock.now)
          if let error { throw error }
          return 7
        }
        results.note(.success(value))
      } catch {
        results.note(.failure(error))
      }
    }
    return (results.entries.first, journal.entries)
  }

  @Test("An operation that passes is carried out at once, its value or error seen")
  func pass() throws {
    let fine = try Self.outcome(of: .pass)
    #expect(fine.result == .success(7))
    #expect(fine.carriedOut == [start])
    let failed = try Self.outcome(of: .pass, error: Self.own)
    #expect(failed.result == .failure(Self.own))
    #expect(failed.carriedOut == [start])
  }

  @Test("A delayed operation is carried out later, on the virtual clock")
  func delay() throws {
    let delayed = try Self.outcome(of: .delay(.seconds(3)))
    #expect(delayed.result == .success(7))
    #expect(delayed.carriedOut == [at(3)])
  }

  @Test("An operation that fails before isn't carried out, and its error is seen")
  func failBefore() throws {
    let failed = try Self.outcome(of: .failBefore(Self.lost))
    #expect(failed.result == .failure(Self.lost))
    #expect(failed.carriedOut.isEmpty)
  }

  @Test("An operation that fails after is carried out, but its error is seen")
  func failAfter() throws {
    let failed = try Self.outcome(of: .failAfter(Self.lost))
    #expect(failed.result == .failure(Self.lost))
    #expect(failed.carriedOut == [start])
    let own = try Self.outcome(of: .failAfter(Self.lost), error: Self.own)
    #expect(own.result == .failure(Self.own), "the backend's own error comes first")
  }

  /// Cancels a caller before its call or in its delay; gives its error and what was carried out.
  private static func cancelled(
    _ verdict: Verdict, after delay: Duration
  ) throws -> (error: PortError?, carriedOut: [ProcessingTime]) {
    let journal = Journal<ProcessingTime>()
    let errors = Journal<PortError>()
    try simulate { clock in
      let gate = gate(clock, PortGate.Plan { _ in verdict })
      await withTaskGroup { group in
        group.addTask {
          do throws(PortError) {
            try await gate.around("P.o") { () async throws(PortError) in journal.note(clock.now) }
          } catch {
            errors.note(error)
          }
        }
        await clock.sleep(for: delay)
        group.cancelAll()
      }
    }
    return (errors.entries.first, journal.entries)
  }

  @Test("Who was cancelled reaches nothing, and is told where")
  func cancelledBefore() throws {
    let (error, carriedOut) = try Self.cancelled(.pass, after: .zero)
    #expect(carriedOut.isEmpty)
    #expect(error?.code == .cancelled)
    #expect(error?.port == "P")
    #expect(error?.operation == "o")
  }

  @Test("Who is cancelled while a call is delayed reaches nothing either")
  func cancelledInDelay() throws {
    let (error, carriedOut) = try Self.cancelled(.delay(.seconds(9)), after: .seconds(1))
    #expect(carriedOut.isEmpty)
    #expect(error?.code == .cancelled)
  }

  @Test("A fault is a line of the trace, with the operation")
  func traced() throws {
    let verdicts: [(Verdict, String)] = [
      (.failBefore(Self.lost), "fail-before"), (.failAfter(Self.lost), "fail-after"),
    ]
    for (verdict, name) in verdicts {
      let chunks = Journal<[UInt8]>()
      let trace = TraceRecorder { chunks.note($0) }
      _ = try Self.outcome(of: verdict, trace: trace)
      trace.flush()
      let text = String(decoding: chunks.entries.flatMap(\.self), as: UTF8.self)
      #expect(
        text.hasSuffix(
          """
          "component":"relay","event":"fault","operation":"P.o","verdict":"\(name)"}

          """))
      #expect(trace.lineCount == 1)
    }
    let quiet = TraceRecorder()
    _ = try Self.outcome(of: .pass, trace: quiet)
    #expect(quiet.lineCount == 0)
  }

  @Test("A plan sees who calls what, when, and how many calls came before, over all gates")
  func plan() throws {
    try simulate { clock in
      let seen = Journal<PortOperation>()
      let plan = PortGate.Plan { operation in
        seen.note(operation)
        return .pass
      }
      let first = Self.gate(clock, plan)
      let second = Self.gate(clock, plan)
      try await first.around("A.x") { () async throws(PortError) in }
      await clock.sleep(until: at(2))
      try await second.around("B.y") { () async throws(PortError) in }
      try await first.around("A.z") { () async throws(PortError) in }
      #expect(seen.entries.map(\.name) == ["A.x", "B.y", "A.z"])
      #expect(seen.entries.map(\.index) == [0, 1, 2])
      #expect(seen.entries.map(\.time) == [start, at(2), at(2)])
      #expect(seen.entries.allSatisfy { $0.component == "relay" })
      #expect(plan.operations == 3)
    }
  }

  @Test("A duplicated operation is carried out twice")
  func duplicate() throws {
    let twice = try Self.outcome(of: .duplicate)
    #expect(twice.result == .success(7))
    #expect(twice.carriedOut == [start, start])
  }

  @Test("A component that crashes at a call reaches nothing any more", arguments: [true, false])
  func crash(isBefore: Bool) throws {
    let carriedOut = Journal<Int>()
    let crashed = Journal<String>()
    let errors = Journal<PortError.Code>()
    try simulate { clock in
      let environment = Environment(
        component: "relay", time: clock, ids: SeededIDs(streams: RandomStreams(seed: 1)),
        trace: NoTrace())
      let plan = PortGate.Plan { operation in
        operation.index == 1 ? (isBefore ? .crashBefore : .crashAfter) : .pass
      }
      let gate = PortGate(plan: plan, environment: environment, yields: false) {
        crashed.note($0)
      }
      for number in 0..<4 {
        do throws(PortError) {
          try await gate.around("P.o") { () async throws(PortError) in carriedOut.note(number) }
        } catch {
          errors.note(error.code)
        }
      }
    }
    #expect(carriedOut.entries == (isBefore ? [0] : [0, 1]))
    #expect(errors.entries == [.cancelled, .cancelled, .cancelled])
    #expect(crashed.entries == ["relay"])
  }

  @Test("Others act first when they interrupt")
  func interrupted() throws {
    let journal = Journal<String>()
    try simulate { clock in
      let gate = Self.gate(clock, PortGate.Plan { _ in .interrupted { journal.note("others") } })
      try await gate.around("P.o") { () async throws(PortError) in journal.note("the call") }
    }
    #expect(journal.entries == ["others", "the call"])
  }

  /// The steps of two tasks that call twice each.
  private static func steps(yields: Bool) throws -> [String] {
    let journal = Journal<String>()
    try simulate { clock in
      let gate = gate(clock, yields: yields)
      await withTaskGroup { group in
        for name in ["a", "b"] {
          group.addTask {
            for _ in 0..<2 {
              journal.note("\(name) calls")
              try? await gate.around("P.o") { () async throws(PortError) in
                journal.note("\(name) is served")
              }
              journal.note("\(name) goes on")
            }
          }
        }
      }
    }
    return journal.entries
  }

  @Test("Under `yields` others run before and after each call")
  func yields() throws {
    #expect(
      try Self.steps(yields: true).prefix(6) == [
        "a calls", "b calls", "a is served", "b is served", "a goes on", "a calls",
      ])
  }

  @Test("Without `yields` a call that doesn't wait lets nobody in between")
  func noYields() throws {
    let one = ["calls", "is served", "goes on", "calls", "is served", "goes on"]
    #expect(try Self.steps(yields: false) == one.map { "a \($0)" } + one.map { "b \($0)" })
  }
}
