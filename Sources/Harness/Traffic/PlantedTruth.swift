import Moderation
import Pipeline
import Simulation

/// Which images of random traffic are bad, and which of them people flag: what a model should find
/// and no feature says.
struct PlantedTruth {
  /// The share of flags that hit a bad image, while there is a recent one.
  private static let flagShare = 0.8
  /// How long people go on to notice an image.
  private static let attention = Duration.seconds(12 * 3600)
  /// What tells a bad image at the upload already, for those who look closely.
  private static let (captionless, inCategory, category) = (0.7, 0.5, "Fried food")

  private let share: Double
  private var random: SeededRandom
  private var recent: [(picture: Int, at: ProcessingTime)] = []
  /// The pictures that are bad.
  private(set) var bad: [Int] = []

  init(share: Double, random: SeededRandom) {
    self.share = share
    self.random = random
  }

  /// Whether the image that is uploaded next is bad.
  mutating func isNextBad(picture: Int, at now: ProcessingTime) -> Bool {
    guard share > 0, random.chance(share) else { return false }
    recent.append((picture, now))
    bad.append(picture)
    return true
  }

  /// Gives a bad image what such images often have.
  mutating func spoil(_ image: inout NewImage) {
    if random.chance(Self.captionless) { image.caption = nil }
    if random.chance(Self.inCategory) { image.category = Self.category }
  }

  /// The bad image that the next flag hits; nil when it hits whatever it would.
  mutating func flagged(at now: ProcessingTime) -> Int? {
    guard share > 0 else { return nil }
    recent.removeAll { $0.at + Self.attention < now }
    guard !recent.isEmpty, random.chance(Self.flagShare) else { return nil }
    return recent[random.below(recent.count)].picture
  }
}
