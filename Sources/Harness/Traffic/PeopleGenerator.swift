import Moderation
import Pipeline
import Simulation

/// Draws people and texts: every draw comes from one labelled stream.
struct PeopleGenerator {
  private static let countries = [
    "BR", "DE", "ES", "FR", "GB", "IN", "IT", "JP", "KR", "MX", "NG", "US",
  ]
  private static let adjectives = [
    "crispy", "homemade", "spicy", "creamy", "fresh", "smoky", "golden", "sweet", "jalapeño",
    "slow-cooked",
  ]
  private static let dishes = [
    "dinner", "lunch", "crème brûlée", "ramen", "salad", "pizza", "curry", "tacos", "soup",
    "breakfast",
  ]
  private static let remarks = [
    "looks delicious", "what is the recipe?", "too much salt for me", "wow", "I made this, too",
    "not convinced", "where is this?", "10/10",
  ]
  private static let reasons = [
    "spam in comment", "misleading content", "harassment in caption", "not food", "graphic content",
  ]

  let population: Population
  let start: EventTime
  private var random: SeededRandom
  private var made = 0

  init(population: Population, start: EventTime, random: SeededRandom) {
    self.population = population
    self.start = start
    self.random = random
  }

  /// A user: test accounts, minors and people near their 18th birthday in the wanted shares, and
  /// birth dates known exactly, by year, or not at all.
  mutating func user() -> NewUser {
    made += 1
    var user = NewUser(username: "user_\(made)")
    user.countryOfResidence = Self.countries[random.below(Self.countries.count)]
    user.isTestAccount = random.chance(population.testAccounts)
    let kind = random.unit()
    let precision = random.unit()
    let birth = birthDate(kind)
    if precision < 0.7 || kind < population.nearBirthday {
      user.dateOfBirth = birth
    } else if precision < 0.9 {
      user.yearOfBirth = birth.year
    }
    return user
  }

  private mutating func birthDate(_ kind: Double) -> CivilDate {
    let today = start.date.daysSinceEpoch
    let eighteenYears = 6574
    if kind < population.nearBirthday {
      return CivilDate(daysSinceEpoch: today - eighteenYears + random.below(8) - 3)
    }
    if kind < population.nearBirthday + population.minors {
      return CivilDate(daysSinceEpoch: today - 13 * 365 - random.below(5 * 365 - 30))
    }
    return CivilDate(daysSinceEpoch: today - 19 * 366 - random.below(60 * 365))
  }

  mutating func caption() -> String? {
    guard random.unit() < 0.95 else { return nil }
    return "\(pick(Self.adjectives)) \(pick(Self.dishes)), \(pick(Self.adjectives))"
  }

  mutating func category() -> String {
    FeatureVector.categories[random.below(FeatureVector.categories.count)].name
  }

  mutating func remark() -> String {
    var text = pick(Self.remarks)
    text += " ("
    text += pick(Self.adjectives)
    text += ")"
    return text
  }

  mutating func reason() -> String { pick(Self.reasons) }

  private mutating func pick(_ words: [String]) -> String { words[random.below(words.count)] }
}

/// A small JPEG-shaped file: the marker, the id, the end marker.
enum SampleImage {
  static func bytes(_ number: Int) -> [UInt8] {
    [0xFF, 0xD8, 0xFF, 0xE0] + Array("GourmetGram \(number)".utf8) + [0xFF, 0xD9]
  }
}
