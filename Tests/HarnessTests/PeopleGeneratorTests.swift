import Moderation
import Pipeline
import Simulation
import Testing

@testable import Harness

@Suite("PeopleGenerator")
struct PeopleGeneratorTests {
  private static let start = EventTime(
    date: CivilDate(year: 2026, month: 3, day: 10), microsecondsIntoDay: 0)

  private static func people(
    _ count: Int, _ change: (inout Population) -> Void = { _ in }
  ) -> [NewUser] {
    var population = Population()
    change(&population)
    var people = PeopleGenerator(
      population: population, start: start, random: SeededRandom(seed: 3))
    return (0..<count).map { _ in people.user() }
  }

  private static func isMinor(_ new: NewUser, after offset: Duration = .zero) -> Bool {
    var user = User(
      id: UserID(high: 0, low: 0), username: new.username, createdAt: start)
    user.dateOfBirth = new.dateOfBirth
    user.yearOfBirth = new.yearOfBirth
    return Governance().isMinor(user, at: start + offset)
  }

  /// Whether a share of `count` draws is within five standard deviations of the one wanted.
  private static func isNear(_ hits: Int, _ share: Double, of count: Int) -> Bool {
    let deviation = (share * (1 - share) * Double(count)).squareRoot()
    return abs(Double(hits) - share * Double(count)) <= 5 * deviation
  }

  @Test("Test accounts have the share wanted", arguments: [0, 0.02, 0.5, 1])
  func testAccounts(share: Double) {
    let people = Self.people(2000) { $0.testAccounts = share }
    #expect(Self.isNear(people.count { $0.isTestAccount }, share, of: 2000))
  }

  @Test("Minors have the share wanted, and are 13 to 17 years old", arguments: [0, 0.1, 0.6, 1])
  func minors(share: Double) {
    let people = Self.people(2000) {
      $0.minors = share
      $0.nearBirthday = 0
    }.filter { $0.dateOfBirth != nil }
    let minors = people.filter { Self.isMinor($0) }
    #expect(Self.isNear(minors.count, share, of: people.count))
    for minor in minors {
      let days = Self.start.date.daysSinceEpoch - (minor.dateOfBirth?.daysSinceEpoch ?? 0)
      #expect((13 * 365...18 * 366).contains(days))
    }
  }

  @Test("People near their 18th birthday have it within days of the start; some turn 18 in it")
  func nearBirthday() {
    let people = Self.people(2000) {
      $0.minors = 0
      $0.nearBirthday = 0.3
    }
    let near = people.filter { new in
      guard let birth = new.dateOfBirth else { return false }
      var birthday = birth
      birthday.year += 18
      return abs(birthday.daysSinceEpoch - Self.start.date.daysSinceEpoch) <= 7
    }
    #expect(Self.isNear(near.count, 0.3, of: 2000))
    let twoDays = Duration.seconds(2 * 86_400)
    let turning = near.filter { Self.isMinor($0) && !Self.isMinor($0, after: twoDays) }
    #expect(turning.count > 50, "some turn 18 within a scenario of two days")
    let adults = near.count { !Self.isMinor($0) }
    let minors = near.count { Self.isMinor($0, after: twoDays) }
    #expect(adults > 50 && minors > 50, "others before and after it")
  }

  @Test("Birth dates are exact, known by year, or not known at all")
  func precision() {
    let people = Self.people(2000) { $0.nearBirthday = 0 }
    #expect(Self.isNear(people.count { $0.dateOfBirth != nil }, 0.7, of: 2000))
    let byYear = people.count { $0.dateOfBirth == nil && $0.yearOfBirth != nil }
    #expect(Self.isNear(byYear, 0.2, of: 2000))
  }

  @Test("Users come from 12 countries, have names of their own, and are accepted by the API")
  func countries() {
    let people = Self.people(500)
    let countries = Set(people.compactMap(\.countryOfResidence))
    #expect(countries.count == 12)
    #expect(countries.allSatisfy { $0.count == 2 && $0.uppercased() == $0 })
    #expect(Set(people.map(\.username)).count == 500)
    let years = people.compactMap { $0.dateOfBirth?.year ?? $0.yearOfBirth }
    #expect(years.allSatisfy { (1900...2026).contains($0) })
  }

  @Test("Captions are there 19 times in 20, and categories are those of the features")
  func texts() {
    var people = PeopleGenerator(
      population: Population(), start: Self.start, random: SeededRandom(seed: 5))
    let captions = (0..<1000).map { _ in people.caption() }
    #expect(Self.isNear(captions.count { $0 != nil }, 0.95, of: 1000))
    let categories = Set((0..<500).map { _ in people.category() })
    #expect(categories == Set(FeatureVector.categories.map(\.name)))
    #expect(!people.remark().isEmpty && !people.reason().isEmpty)
  }

  @Test("Images are shaped like JPEG, and differ")
  func images() {
    #expect(SampleImage.bytes(1).starts(with: [0xFF, 0xD8]))
    #expect(SampleImage.bytes(1).suffix(2) == [0xFF, 0xD9])
    #expect(SampleImage.bytes(1) != SampleImage.bytes(2))
  }
}
