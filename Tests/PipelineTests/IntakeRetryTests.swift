import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@Suite("Intake: retries and outages")
struct IntakeRetryTests {
  private static let identity = RequestIdentity(key: .number(77))
  private static let outage = PortError(
    .unavailable, port: "test", operation: "test", hint: "gone for a while")

  /// How much a body adds to the database: users, images, comments, flags, outbox entries.
  private func added(
    _ body: @escaping @Sendable (World) async throws -> Void
  ) throws -> [Int] {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      let before = try await world.store.size()
      try await body(world)
      return zip(try await world.store.size(), before).map { $0 - $1 }
    }
  }

  private func once(_ request: IntakeRequest) throws -> [Int] {
    try added { try await request.send($0.intake, Self.identity) }
  }

  @Test(
    "A retry with the same key gives one row and one outbox event",
    arguments: IntakeRequest.inserting)
  func retry(request: IntakeRequest) throws {
    let twice = try added { world in
      for second in 1...3 as ClosedRange<Int64> {
        await world.reach(second)
        try await request.send(world.intake, Self.identity)
      }
    }
    #expect(try twice == once(request))
    #expect(twice.prefix(4).reduce(0, +) == 1)
  }

  @Test("A retried view counts once and is published once")
  func retriedView() throws {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      let first = try await world.intake.view(.number(1), by: .number(1), Self.identity)
      let again = try await world.intake.view(.number(1), by: .number(1), Self.identity)
      #expect([first, again] == [1, 1])
      #expect(try await world.store.queuedEvents().count == 1)
      #expect(try await world.intake.image(.number(1)).views == 1)
    }
  }

  @Test("A retry answers with the row stored first")
  func firstRow() throws {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      let first = try await world.intake.comment(
        IntakeFixture.newComment(content: "one"), Self.identity)
      await world.reach(5)
      let again = try await world.intake.comment(
        IntakeFixture.newComment(content: "two"), Self.identity)
      #expect(again == first)
      let image = try await world.intake.upload(IntakeFixture.newImage(), Self.identity)
      await world.reach(9)
      let same = try await world.intake.upload(
        IntakeFixture.newImage { $0.file = [1] }, Self.identity)
      #expect(same == image)
      #expect(try await world.objects.get("\(image.id).jpg") == [0xFF, 0xD8])
    }
  }

  @Test("Without a key, the same request twice is two requests")
  func withoutKey() throws {
    let request = IntakeRequest.inserting[2]
    let twice = try added { world in
      for _ in 1...2 { try await request.send(world.intake, RequestIdentity()) }
    }
    #expect(twice == [0, 0, 2, 0, 2])
  }

  @Test("503 while the database doesn't answer", arguments: IntakeRequest.all)
  func outage(request: IntakeRequest) throws {
    let added = try added { world in
      let plan = PortGate.Plan { _ in .failBefore(Self.outage) }
      let error = await #expect(throws: IntakeError.self) {
        try await request.send(world.behind(plan).intake, Self.identity)
      }
      #expect(error?.status == 503)
      #expect(error?.reason.contains("gone for a while") == true)
      #expect(plan.operations == 1)
    }
    #expect(added == [0, 0, 0, 0, 0])
  }

  @Test(
    "A retry with the key after any failure gives one row and one outbox event",
    arguments: IntakeRequest.inserting)
  func faults(request: IntakeRequest) throws {
    let survey = try FaultSurvey { plan in
      try added { world in
        let intake = world.behind(plan).intake
        do {
          try await request.send(intake, Self.identity)
        } catch let error as IntakeError {
          #expect(error.status == 503)
          try await request.send(intake, Self.identity)
        }
      }
    }
    #expect(try survey.expected == once(request))
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns >= 4)
  }

  @Test("A lost reply of the commit is 503, and yet the row and its event are there")
  func lostReply() throws {
    let added = try added { world in
      let plan = PortGate.Plan { operation in
        operation.name == "ApplicationStore.commit" ? .failAfter(Self.outage) : .pass
      }
      let error = await #expect(throws: IntakeError.self) {
        _ = try await world.behind(plan).intake.comment(
          IntakeFixture.newComment(), Self.identity)
      }
      #expect(error?.status == 503)
    }
    #expect(added == [0, 0, 1, 0, 1])
  }
}
