import Testing

@testable import Moderation

@Suite("Governance")
struct GovernanceTests {
  private static let exact = Governance()
  private static let byYear = Governance(ageRule: .yearOfBirth)
  private static let now = EventTime.utc(2026, 1, 5, 9)

  private static func user(
    born: CivilDate? = nil, year: Int? = nil, isTestAccount: Bool = false
  ) -> User {
    User(
      id: UserID(high: 1, low: 1), username: "ada", yearOfBirth: year, dateOfBirth: born,
      isTestAccount: isTestAccount, createdAt: .utc(2025, 1, 1))
  }

  private static func image(deletedAt: EventTime? = nil) -> Image {
    Image(
      id: ImageID(high: 1, low: 1), userID: UserID(high: 1, low: 1), s3URL: "", createdAt: now,
      deletedAt: deletedAt)
  }

  @Test("Our rule is the default")
  func defaultRule() { #expect(Self.exact.ageRule == .birthDate) }

  @Test(
    "Minority ends at midnight UTC of the 18th birthday, to the microsecond",
    arguments: [
      (CivilDate(year: 2008, month: 6, day: 15), EventTime.utc(2026, 6, 15)),
      (CivilDate(year: 2008, month: 1, day: 1), .utc(2026, 1, 1)),
      (CivilDate(year: 2007, month: 12, day: 31), .utc(2025, 12, 31)),
      (CivilDate(year: 2008, month: 3, day: 1), .utc(2026, 3, 1)),
      (CivilDate(year: 2008, month: 2, day: 28), .utc(2026, 2, 28)),
      // Born on 29 February: no year is a leap year 18 years after one.
      (CivilDate(year: 2008, month: 2, day: 29), .utc(2026, 3, 1)),
      (CivilDate(year: 2004, month: 2, day: 29), .utc(2022, 3, 1)),
      (CivilDate(year: 1950, month: 7, day: 4), .utc(1968, 7, 4)),
    ])
  func birthday(born: CivilDate, adultFrom: EventTime) {
    let user = Self.user(born: born)
    #expect(Self.exact.isMinor(user, at: adultFrom - .microseconds(1)))
    #expect(!Self.exact.isMinor(user, at: adultFrom))
    #expect(!Self.exact.isMinor(user, at: adultFrom + .microseconds(1)))
    #expect(Self.exact.isMinor(user, at: adultFrom - .seconds(17 * 365 * 86_400)))
    #expect(!Self.exact.isMinor(user, at: adultFrom + .seconds(40 * 365 * 86_400)))
  }

  @Test(
    "By year of birth, everybody turns 18 on New Year's Day",
    arguments: [
      (user(year: 2008), byYear), (user(year: 2008), exact),
      (user(born: CivilDate(year: 2008, month: 12, day: 31)), byYear),
      (user(born: CivilDate(year: 2008, month: 12, day: 31), year: 2008), byYear),
    ])
  func yearRule(user: User, governance: Governance) {
    let newYear = EventTime.utc(2026, 1, 1)
    #expect(governance.isMinor(user, at: newYear - .microseconds(1)))
    #expect(!governance.isMinor(user, at: newYear))
    #expect(!governance.isMinor(user, at: newYear + .microseconds(1)))
  }

  @Test("Each rule believes its own column where the two disagree")
  func disagreement() {
    let user = Self.user(born: CivilDate(year: 2010, month: 1, day: 1), year: 1990)
    #expect(Self.exact.isMinor(user, at: Self.now))
    #expect(!Self.byYear.isMinor(user, at: Self.now))
  }

  @Test("An unknown age is no minor", arguments: [exact, byYear])
  func unknownAge(governance: Governance) {
    #expect(!governance.isMinor(Self.user(), at: Self.now))
    #expect(governance.isEligible(Self.user(), at: Self.now))
  }

  @Test(
    "A user is eligible who is neither a minor nor a test account",
    arguments: [
      (1990, false, true), (2010, false, false), (1990, true, false), (2010, true, false),
      (nil, true, false),
    ] as [(Int?, Bool, Bool)])
  func eligibleUser(year: Int?, isTestAccount: Bool, isEligible: Bool) {
    let user = Self.user(year: year, isTestAccount: isTestAccount)
    for governance in [Self.exact, Self.byYear] {
      #expect(governance.isEligible(user, at: Self.now) == isEligible)
    }
  }

  @Test(
    "An image is eligible when it isn't deleted and its uploader was eligible",
    arguments: [
      (1990, false, nil, true), (1990, false, now + .seconds(1), false), (1990, true, nil, false),
      (2010, false, nil, false), (nil, false, nil, true),
    ] as [(Int?, Bool, EventTime?, Bool)])
  func eligibleImage(year: Int?, isTestAccount: Bool, deletedAt: EventTime?, isEligible: Bool) {
    let user = Self.user(year: year, isTestAccount: isTestAccount)
    #expect(
      Self.exact.isEligible(Self.image(deletedAt: deletedAt), uploader: user) == isEligible)
  }

  @Test("A user is found by a correction that takes something, until it is corrected back")
  func found() {
    func isFound(_ before: User, _ after: User) -> Bool {
      Self.exact.isFound(after, from: before, at: Self.now)
    }
    let (adult, minor) = (Self.user(year: 1990), Self.user(year: 2012))
    #expect(isFound(adult, minor))
    #expect(isFound(Self.user(), minor), "an unknown age counts as an adult's")
    #expect(isFound(adult, Self.user(year: 1990, isTestAccount: true)))
    // 18 by now, and so by the first day of this year, but not when the account was made.
    #expect(isFound(adult, Self.user(born: CivilDate(year: 2008, month: 1, day: 5))))
    #expect(!isFound(minor, Self.user(year: 2013)) && !isFound(minor, adult))
    #expect(!isFound(adult, Self.user(year: 2007)))
    var noted = minor
    #expect(!Self.exact.isFound(noted), "known from the start")
    noted.foundIneligibleAt = Self.now
    #expect(Self.exact.isFound(noted))
    noted.yearOfBirth = 1990
    #expect(!Self.exact.isFound(noted))
  }

  @Test("An image's uploader is judged at the upload, to the microsecond")
  func atUpload() {
    let user = Self.user(born: CivilDate(year: 2008, month: 1, day: 5))
    var image = Self.image()
    image.createdAt = .utc(2026, 1, 5)
    #expect(Self.exact.isEligible(image, uploader: user))
    image.createdAt = image.createdAt - .microseconds(1)
    #expect(!Self.exact.isEligible(image, uploader: user))
  }
}
