import Moderation
import Pipeline
import Ports
import Simulation
import Testing

/// What each operation writes and answers. Refusals are in `IntakeRefusalTests`, retries and
/// outages in `IntakeRetryTests`.
@Suite("Intake")
struct IntakeTests {
  private func withIntake(
    _ body: @escaping @Sendable (Intake, World) async throws -> Void
  ) throws {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      try await body(world.intake, world)
    }
  }

  @Test("A new user is stored as sent, and the year of birth follows from the date")
  func createUser() throws {
    try withIntake { intake, world in
      let birth = CivilDate(year: 1990, month: 3, day: 2)
      let user = try await intake.createUser(
        IntakeFixture.newUser {
          $0.countryOfResidence = "DE"
          $0.dateOfBirth = birth
          $0.tosVersionAccepted = 3
          $0.tosAcceptedAt = Sample.at(-5)
          $0.isTestAccount = true
        })
      #expect(user.username == "ann")
      #expect(user.countryOfResidence == "DE")
      #expect(user.yearOfBirth == 1990)
      #expect(user.dateOfBirth == birth)
      #expect(user.tosVersionAccepted == 3)
      #expect(user.tosAcceptedAt == Sample.at(-5))
      #expect(user.isTestAccount)
      #expect(user.createdAt == Sample.start)
      #expect(try await world.store.fetch([.username("ann")]) == [.user(user)])
      #expect(try await world.store.outbox(limit: 10).isEmpty, "users make no event")
    }
  }

  @Test("An existing username returns the existing row and changes nothing")
  func existingUsername() throws {
    try withIntake { intake, world in
      let first = try await intake.createUser(IntakeFixture.newUser { $0.yearOfBirth = 1980 })
      let again = try await intake.createUser(IntakeFixture.newUser { $0.yearOfBirth = 1999 })
      #expect(again == first)
      #expect(try await world.store.size()[0] == 2)
    }
  }

  @Test("An upload stores the file and the row, whose URL is endpoint, bucket, id and extension")
  func upload() throws {
    try withIntake { intake, world in
      let image = try await intake.upload(
        IntakeFixture.newImage {
          $0.fileExtension = "png"
          $0.caption = "hot soup"
          $0.category = "Soup"
          $0.source = "import"
        })
      let key = "\(image.id).png"
      #expect(image.s3URL == "http://minio:9000/gourmetgram-images/\(key)")
      #expect(try await world.objects.get(key) == [0xFF, 0xD8])
      #expect(try await world.objects.list(prefix: "") == [key])
      #expect(try await world.store.fetch([.image(image.id)]) == [.image(image)])
      #expect(image.source == "import")
      let event = PlatformEvent(
        id: image.id.reinterpreted(as: PlatformEvent.self), time: Sample.start, actor: .number(1),
        actorEligible: true,
        subject: .upload(
          image: image.id, category: "Soup", caption: "hot soup", s3URL: image.s3URL))
      #expect(try await world.store.queuedEvents() == [event])
    }
  }

  @Test("A view answers with the image's views so far, and may be anonymous")
  func view() throws {
    try withIntake { intake, world in
      #expect(try await intake.view(.number(1)) == 1)
      #expect(try await intake.view(.number(1), by: .number(1)) == 2)
      #expect(try await intake.image(.number(1)).views == 2)
      let events = try await world.store.queuedEvents()
      #expect(events.map(\.actor) == [nil, .number(1)])
      #expect(events.map(\.image) == [.number(1), .number(1)])
      #expect(Set(events.map(\.id)).count == 2)
    }
  }

  @Test("A comment is stored with its event, whose id is the comment's")
  func comment() throws {
    try withIntake { intake, world in
      let comment = try await intake.comment(IntakeFixture.newComment(content: "yum"))
      #expect(try await world.store.fetch([.comment(comment.id)]) == [.comment(comment)])
      let event = PlatformEvent(
        id: comment.id.reinterpreted(as: PlatformEvent.self), time: Sample.start,
        actor: .number(1), actorEligible: true,
        subject: .comment(comment: comment.id, image: .number(1), content: "yum"))
      #expect(try await world.store.queuedEvents() == [event])
    }
  }

  @Test(
    "A flag is about an image, a comment or both, and is pending",
    arguments: [(1, nil), (nil, 1), (1, 1)] as [(UInt64?, UInt64?)])
  func flag(image: UInt64?, comment: UInt64?) throws {
    try withIntake { intake, world in
      let flag = try await intake.flag(IntakeFixture.newFlag(image: image, comment: comment))
      #expect(flag.reviewStatus == .pending)
      #expect(flag.imageID == image.map { .number($0) })
      #expect(flag.commentID == comment.map { .number($0) })
      #expect(try await world.store.fetch([.flag(flag.id)]) == [.flag(flag)])
      let queued = try await world.store.outbox(limit: 10)
      #expect(queued.map(\.event.key) == [flag.imageID], "the key is the image's id")
      #expect(
        try await world.store.queuedEvents().map(\.subject) == [
          .flag(flag: flag.id, image: flag.imageID, comment: flag.commentID, reason: "bad")
        ])
    }
  }

  @Test("A correction sets birth year and date, and notes that it finds a minor")
  func correctUser() throws {
    try withIntake { intake, world in
      let birth = CivilDate(year: 2009, month: 1, day: 1)
      let user = try await intake.correctUser(.number(1), yearOfBirth: nil, dateOfBirth: birth)
      var expected = Rows.user(1)
      expected.yearOfBirth = 2009
      expected.dateOfBirth = birth
      expected.foundIneligibleAt = Sample.start
      #expect(user == expected)
      #expect(try await world.store.fetch([.user(.number(1))]) == [.user(expected)])
    }
  }

  @Test("Nobody is found by a correction that takes nothing, and the first finding is kept")
  func correctUserTwice() throws {
    try withIntake { intake, world in
      var found: [EventTime?] = []
      // Known as a minor by the third.
      for year in [1990, 2012, 2011, 1990, 2013] {
        await world.environment.time.sleep(for: .seconds(1))
        let user = try await intake.correctUser(.number(1), yearOfBirth: year, dateOfBirth: nil)
        found.append(user.foundIneligibleAt)
      }
      #expect(found == [nil] + Array(repeating: Sample.at(2), count: 4))
    }
  }

  @Test("Deleting twice keeps the first instant, and what is deleted is no longer found")
  func delete() throws {
    try withIntake { intake, world in
      for second in [10, 20] as [Int64] {
        await world.reach(second)
        try await intake.deleteImage(.number(1))
        try await intake.deleteComment(.number(1))
      }
      let tables = try await world.store.snapshot()
      #expect(tables.images.first { $0.id == .number(1) }?.deletedAt == Sample.at(10))
      #expect(tables.comments.first { $0.id == .number(1) }?.deletedAt == Sample.at(10))
      await #expect(throws: IntakeError.self) { try await intake.image(.number(1)) }
    }
  }

  @Test("A request that happened earlier is stored and published with its own instant")
  func occurredAt() throws {
    try withIntake { intake, world in
      let earlier = RequestIdentity(occurredAt: Sample.at(-60))
      for request in IntakeRequest.identified { try await request.send(intake, earlier) }
      let tables = try await world.store.snapshot()
      #expect(tables.users.last?.createdAt == Sample.at(-60))
      #expect(tables.images.first?.createdAt == Sample.at(-60))
      #expect(tables.comments.first?.createdAt == Sample.at(-60))
      #expect(tables.flags.first?.createdAt == Sample.at(-60))
      let times = try await world.store.queuedEvents().map(\.time)
      #expect(times == Array(repeating: Sample.at(-60), count: 4))
    }
  }

  @Test(
    "Health says more once events are published",
    arguments: PipelinePolicy.Publication.allCases)
  func health(publication: PipelinePolicy.Publication) throws {
    let health = try simulate { world in
      world.with { $0.publication = publication }.intake.health
    }
    let v1 = ["status": "ok"]
    let v2 = ["status": "ok", "kafka_enabled": "true"]
    #expect(health == (publication == .none ? v1 : v2))
  }
}
