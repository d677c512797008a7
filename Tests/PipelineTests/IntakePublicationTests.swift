import Moderation
import Pipeline
import Ports
import Testing

@Suite("Intake: what is published")
struct IntakePublicationTests {
  @Test("v1 writes rows and no event", arguments: IntakeRequest.identified)
  func versionOne(request: IntakeRequest) throws {
    try simulate { world in
      let world = world.with { $0.publication = .none }
      try await IntakeFixture.insert(into: world.store)
      try await request.send(world.intake, RequestIdentity())
      #expect(try await world.store.outbox(limit: 10).isEmpty)
      for topic in Catalog.sourceTopics { #expect(try await world.records(topic).isEmpty) }
    }
  }

  @Test("Through the outbox, a request writes one entry and nothing to the log itself")
  func outbox() throws {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      for request in IntakeRequest.publishing {
        try await request.send(world.intake, RequestIdentity())
      }
      #expect(
        try await world.store.outbox(limit: 10).map(\.event.topic) == [
          "gourmetgram.uploads", "gourmetgram.comments", "gourmetgram.flags", "gourmetgram.views",
        ])
      for topic in Catalog.sourceTopics { #expect(try await world.records(topic).isEmpty) }
    }
  }

  @Test("Published directly, an event is in the log at once", arguments: IntakeRequest.publishing)
  func direct(request: IntakeRequest) throws {
    try simulate { world in
      let world = world.with { $0.publication = .direct }
      try await IntakeFixture.insert(into: world.store)
      try await request.send(world.intake, RequestIdentity())
      #expect(try await world.store.outbox(limit: 10).isEmpty)
      var count = 0
      for topic in Catalog.sourceTopics { count += try await world.records(topic).count }
      #expect(count == 1)
    }
  }

  @Test(
    "A test account and a minor are stamped ineligible, everybody else eligible",
    arguments: [
      (Rows.user(5), true), (Rows.user(5, isTest: true), false),
      (Rows.user(5, bornIn: 2008), false), (Rows.user(5, bornIn: 2007), true),
      (Rows.user(5, born: CivilDate(year: 2007, month: 12, day: 31)), false),
    ])
  func eligibility(user: User, isEligible: Bool) throws {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      try await world.store.insert(users: [user])
      let intake = world.intake
      _ = try await intake.upload(IntakeFixture.newImage { $0.userID = user.id })
      _ = try await intake.view(.number(1), by: user.id)
      _ = try await intake.comment(IntakeFixture.newComment(user: 5))
      _ = try await intake.flag(IntakeFixture.newFlag(user: 5))
      let stamps = try await world.store.queuedEvents().map(\.actorEligible)
      #expect(stamps == Array(repeating: isEligible, count: 4))
    }
  }

  @Test("An anonymous view is eligible")
  func anonymous() throws {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      _ = try await world.intake.view(.number(1))
      #expect(try await world.store.queuedEvents().map(\.actorEligible) == [true])
    }
  }

  @Test(
    "A user becomes eligible at midnight of the 18th birthday, to the microsecond",
    arguments: [
      (CivilDate(year: 2007, month: 6, day: 16), CivilDate(year: 2025, month: 6, day: 16)),
      (CivilDate(year: 2004, month: 2, day: 29), CivilDate(year: 2022, month: 3, day: 1)),
    ])
  func birthday(birth: CivilDate, adult: CivilDate) throws {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      try await world.store.insert(users: [Rows.user(5, born: birth)])
      await world.reach(2 * 86_400)
      let midnight = EventTime(date: adult, microsecondsIntoDay: 0)
      for instant in [midnight - .microseconds(1), midnight] {
        _ = try await world.intake.view(
          .number(1), by: .number(5), RequestIdentity(occurredAt: instant))
      }
      #expect(try await world.store.queuedEvents().map(\.actorEligible) == [false, true])
    }
  }
}
