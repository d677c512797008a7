import Moderation
import Pipeline
import Ports
import Testing

/// A request that is refused: how, and what the answer says.
struct Refusal: CustomStringConvertible, Sendable {
  let description: String
  let status: Int
  let field: String?
  let reason: String
  let send: @Sendable (Intake) async throws -> Void

  init(
    _ description: String, _ status: Int, _ field: String?, _ reason: String,
    _ send: @escaping @Sendable (Intake) async throws -> Void
  ) {
    self.description = description
    self.status = status
    self.field = field
    self.reason = reason
    self.send = send
  }
}

@Suite("Intake: refusals")
struct IntakeRefusalTests {
  private func expect(_ refusal: Refusal) throws {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      let before = try await world.store.size()
      do {
        try await refusal.send(world.intake)
        Issue.record("it was accepted")
      } catch let error as IntakeError {
        #expect(error.status == refusal.status)
        #expect(error.field == refusal.field)
        #expect(error.reason.contains(refusal.reason), "\(error)")
      }
      #expect(try await world.store.size() == before)
      #expect(try await world.objects.list(prefix: "").isEmpty)
    }
  }

  @Test("A user with a wrong field is refused with the field's name", arguments: users)
  func user(refusal: Refusal) throws { try expect(refusal) }

  @Test("An upload with a wrong field is refused with the field's name", arguments: uploads)
  func upload(refusal: Refusal) throws { try expect(refusal) }

  @Test("A view, comment or flag with a wrong field is refused with its name", arguments: actions)
  func action(refusal: Refusal) throws { try expect(refusal) }

  @Test("What doesn't exist or is deleted is a 404", arguments: missing)
  func absent(refusal: Refusal) throws { try expect(refusal) }

  @Test("Nothing can have happened in the future", arguments: IntakeRequest.identified)
  func future(request: IntakeRequest) throws {
    let later = RequestIdentity(occurredAt: Sample.start + .microseconds(1))
    try expect(
      Refusal(request.description, 422, "occurred_at", "in the future") {
        try await request.send($0, later)
      })
  }

  @Test("Fields at their limits are accepted")
  func limits() throws {
    try simulate { world in
      try await IntakeFixture.insert(into: world.store)
      let intake = world.intake
      let today = CivilDate(year: 2025, month: 6, day: 15)
      for (name, birth) in [
        (String(repeating: "é", count: 64), CivilDate(year: 1900, month: 1, day: 1)), ("a", today),
      ] {
        _ = try await intake.createUser(
          IntakeFixture.newUser {
            $0.username = name
            $0.dateOfBirth = birth
            $0.yearOfBirth = birth.year
          })
      }
      for (caption, file) in [("", "JPG"), (String(repeating: "é", count: 2000), "jpegs")] {
        _ = try await intake.upload(
          IntakeFixture.newImage {
            $0.caption = caption
            $0.fileExtension = file
          })
      }
      let long = String(repeating: "é", count: 10_000)
      _ = try await intake.comment(IntakeFixture.newComment(content: long))
      _ = try await intake.flag(IntakeFixture.newFlag(reason: String(long.prefix(2000))))
      _ = try await intake.view(
        .number(1), by: nil, RequestIdentity(occurredAt: Sample.start))
      #expect(try await world.store.size() == [3, 4, 3, 1, 5])
    }
  }
}

extension IntakeRefusalTests {
  private static func user(
    _ name: String, _ field: String, _ reason: String,
    _ change: @escaping @Sendable (inout NewUser) -> Void
  ) -> Refusal {
    Refusal(name, 422, field, reason) {
      _ = try await $0.createUser(IntakeFixture.newUser(change))
    }
  }

  private static func upload(
    _ name: String, _ field: String, _ reason: String,
    _ change: @escaping @Sendable (inout NewImage) -> Void
  ) -> Refusal {
    Refusal(name, 422, field, reason) { _ = try await $0.upload(IntakeFixture.newImage(change)) }
  }

  static let users: [Refusal] = [
    user("no name", "username", "1 to 64 characters, not 0") { $0.username = "" },
    user("long name", "username", "not 65") { $0.username = String(repeating: "a", count: 65) },
    user("terms", "tos_version_accepted", "at least 1, not 0") { $0.tosVersionAccepted = 0 },
    user("small country", "country_of_residence", "'de'") { $0.countryOfResidence = "de" },
    user("long country", "country_of_residence", "'DEU'") { $0.countryOfResidence = "DEU" },
    user("no country", "country_of_residence", "''") { $0.countryOfResidence = "" },
    user("accented country", "country_of_residence", "'É'") { $0.countryOfResidence = "É" },
    user("early year", "year_of_birth", "1900 to 2025, not 1899") { $0.yearOfBirth = 1899 },
    user("future year", "year_of_birth", "not 2026") { $0.yearOfBirth = 2026 },
    user("early date", "date_of_birth", "between 1900 and today") {
      $0.dateOfBirth = CivilDate(year: 1899, month: 12, day: 31)
    },
    user("tomorrow", "date_of_birth", "between 1900 and today") {
      $0.dateOfBirth = CivilDate(year: 2025, month: 6, day: 16)
    },
    user("contradiction", "year_of_birth", "1991 contradicts date_of_birth's 1990") {
      $0.yearOfBirth = 1991
      $0.dateOfBirth = CivilDate(year: 1990, month: 1, day: 1)
    },
    Refusal("corrected year", 422, "year_of_birth", "not 2026") {
      _ = try await $0.correctUser(.number(1), yearOfBirth: 2026, dateOfBirth: nil)
    },
    Refusal("corrected to a contradiction", 422, "year_of_birth", "contradicts") {
      _ = try await $0.correctUser(
        .number(1), yearOfBirth: 1991, dateOfBirth: CivilDate(year: 1990, month: 1, day: 1))
    },
  ]

  static let uploads: [Refusal] = [
    upload("long caption", "caption", "0 to 2000 characters, not 2001") {
      $0.caption = String(repeating: "a", count: 2001)
    },
    upload("source", "source", "not 'scrape'") { $0.source = "scrape" },
    upload("no file", "file", "is empty") { $0.file = [] },
    upload("no extension", "file", "extension ''") { $0.fileExtension = "" },
    upload("long extension", "file", "'jpegss'") { $0.fileExtension = "jpegss" },
    upload("path in the extension", "file", "'/../x'") { $0.fileExtension = "/../x" },
  ]

  static let actions: [Refusal] = [
    Refusal("empty comment", 422, "content", "1 to 10000 characters, not 0") {
      _ = try await $0.comment(IntakeFixture.newComment(content: ""))
    },
    Refusal("long comment", 422, "content", "not 10001") {
      _ = try await $0.comment(
        IntakeFixture.newComment(content: String(repeating: "a", count: 10_001)))
    },
    Refusal("flag without either id", 400, nil, "image_id or comment_id") {
      _ = try await $0.flag(IntakeFixture.newFlag(image: nil))
    },
    Refusal("flag without a reason", 422, "reason", "1 to 2000 characters, not 0") {
      _ = try await $0.flag(IntakeFixture.newFlag(reason: ""))
    },
    Refusal("flag with a long reason", 422, "reason", "not 2001") {
      _ = try await $0.flag(IntakeFixture.newFlag(reason: String(repeating: "a", count: 2001)))
    },
  ]

  static let missing: [Refusal] =
    unknownUsers
    + [2, 9].flatMap { image in
      [
        Refusal("view of \(image)", 404, "image_id", "there is no") {
          _ = try await $0.view(.number(image))
        },
        Refusal("comment on \(image)", 404, "image_id", "there is no") {
          _ = try await $0.comment(IntakeFixture.newComment(image: image))
        },
        Refusal("flag of image \(image)", 404, "image_id", "there is no") {
          _ = try await $0.flag(IntakeFixture.newFlag(image: image))
        },
        Refusal("flag of comment \(image)", 404, "comment_id", "there is no") {
          _ = try await $0.flag(IntakeFixture.newFlag(image: nil, comment: image))
        },
        Refusal("image \(image)", 404, "image_id", "there is no image") {
          _ = try await $0.image(.number(image))
        },
      ]
    } + [
      Refusal("deletion of image 9", 404, nil, "there is no image") {
        try await $0.deleteImage(.number(9))
      },
      Refusal("deletion of comment 9", 404, nil, "there is no comment") {
        try await $0.deleteComment(.number(9))
      },
    ]

  private static let unknownUsers: [Refusal] = [
    Refusal("upload by 9", 404, "user_id", "there is no row") {
      _ = try await $0.upload(IntakeFixture.newImage { $0.userID = .number(9) })
    },
    Refusal("view by 9", 404, "user_id", "there is no row") {
      _ = try await $0.view(.number(1), by: .number(9))
    },
    Refusal("comment by 9", 404, "user_id", "there is no row") {
      _ = try await $0.comment(IntakeFixture.newComment(user: 9))
    },
    Refusal("flag by 9", 404, "user_id", "there is no row") {
      _ = try await $0.flag(IntakeFixture.newFlag(user: 9))
    },
    Refusal("correction of 9", 404, "user_id", "there is no row") {
      _ = try await $0.correctUser(.number(9), yearOfBirth: 1990, dateOfBirth: nil)
    },
  ]
}
