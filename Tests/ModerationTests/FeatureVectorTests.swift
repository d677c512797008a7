import Testing

@testable import Moderation

@Suite("FeatureVector")
struct FeatureVectorTests {
  /// Saturday.
  private static let upload = EventTime.utc(2026, 1, 10, 17, 59, 59, microsecond: 999_999)

  private static func subject(
    uploadedAt: EventTime = upload, category: String? = nil, captionLength: Int = 0,
    accountCreatedAt: EventTime = .utc(2026, 1, 1), userImageCount: Int = 1
  ) -> ScoringSubject {
    ScoringSubject(
      uploadedAt: uploadedAt, category: category, captionLength: captionLength,
      accountCreatedAt: accountCreatedAt, userImageCount: userImageCount)
  }

  private static func vector(
    _ subject: ScoringSubject = subject(), _ counts: EngagementCounts = EngagementCounts(),
    _ flavour: CountFlavour = .observed, asOf: EventTime = upload
  ) -> FeatureVector {
    FeatureVector(subject, counts: counts, flavour: flavour, asOf: asOf)
  }

  @Test("The 29 names are REFERENCE's, in its order")
  func names() {
    #expect(
      FeatureVector.names == [
        "time_since_upload_seconds", "hour_of_day", "day_of_week", "is_weekend", "views_5min",
        "views_1hr", "comments_5min", "comments_1hr", "flags_5min", "flags_1hr", "total_flags",
        "view_velocity_per_min", "comment_to_view_ratio", "recent_engagement_score",
        "caption_length", "has_caption", "user_image_count", "user_age_days", "category_Bread",
        "category_Dairy", "category_Dessert", "category_Egg", "category_Fried", "category_Meat",
        "category_Noodles", "category_Rice", "category_Seafood", "category_Soup", "category_Veggie",
      ])
    #expect(FeatureVector.names.count == 29)
    #expect(FeatureVector.numericNames == Array(FeatureVector.names.prefix(18)))
    #expect(FeatureVector.fractionalNames.isSubset(of: FeatureVector.numericNames))
  }

  @Test("A name finds its value; other names find nothing")
  func lookup() {
    let vector = Self.vector(Self.subject(captionLength: 12))
    for (index, name) in FeatureVector.names.enumerated() {
      #expect(FeatureVector.index(of: name) == index)
      #expect(vector[name] == vector.values[index])
    }
    #expect(vector["caption_length"] == 12)
    #expect(vector["category"] == nil)
    #expect(FeatureVector.index(of: "Views_5min") == nil)
    #expect(Array(vector.numeric) == Array(vector.values.prefix(18)))
  }

  /// Every tally different, so that no two can be swapped unseen.
  private static let counts = EngagementCounts(
    views5min: .init(observed: 20, governed: 10), views1hr: .init(observed: 40, governed: 32),
    comments5min: .init(observed: 3, governed: 2), comments1hr: .init(observed: 30, governed: 8),
    flags5min: .init(observed: 5, governed: 4), flags1hr: .init(observed: 7, governed: 6),
    totalViews: .init(observed: 100, governed: 90),
    totalComments: .init(observed: 80, governed: 70),
    totalFlags: .init(observed: 11, governed: 9))

  @Test(
    "Each feature of the counts has its formula, in either flavour",
    arguments: [
      ("views_5min", 20, 10), ("views_1hr", 40, 32), ("comments_5min", 3, 2),
      ("comments_1hr", 30, 8),
      ("flags_5min", 5, 4), ("flags_1hr", 7, 6), ("total_flags", 11, 9),
      ("view_velocity_per_min", 4, 2), ("comment_to_view_ratio", 0.75, 0.25),
      ("recent_engagement_score", 35, 20),
    ])
  func counts(name: String, observed: Double, governed: Double) {
    #expect(Self.vector(Self.subject(), Self.counts, .observed)[name] == observed)
    #expect(Self.vector(Self.subject(), Self.counts, .governed)[name] == governed)
  }

  @Test("Counts are all governed unless one of them has an ineligible actor's event")
  func allGoverned() {
    #expect(EngagementCounts().areAllGoverned)
    let all: [WritableKeyPath<EngagementCounts, RollingCounter.Tally>] = [
      \.views5min, \.views1hr, \.comments5min, \.comments1hr, \.flags5min, \.flags1hr,
      \.totalViews, \.totalComments, \.totalFlags,
    ]
    for tally in all {
      var counts = EngagementCounts()
      counts[keyPath: tally] = .init(observed: 3, governed: 3)
      #expect(counts.areAllGoverned)
      counts[keyPath: tally] = .init(observed: 3, governed: 2)
      #expect(!counts.areAllGoverned)
    }
  }

  @Test("Without views, the comment ratio divides by 1")
  func ratioWithoutViews() {
    let counts = EngagementCounts(comments1hr: .init(observed: 3, governed: 2))
    #expect(Self.vector(Self.subject(), counts, .observed)["comment_to_view_ratio"] == 3)
    #expect(Self.vector(Self.subject(), counts, .governed)["comment_to_view_ratio"] == 2)
  }

  @Test(
    "Hour, weekday and weekend are the upload's, in UTC, whenever it is scored",
    arguments: [
      (EventTime.utc(2026, 1, 5), 0.0, 0.0, 0.0), (.utc(2026, 1, 9, 23, 59, 59), 23, 4, 0),
      (.utc(2026, 1, 10), 0, 5, 1), (.utc(2026, 1, 11, 23, 59, 59, microsecond: 999_999), 23, 6, 1),
      (.utc(2026, 1, 12), 0, 0, 0),
    ])
  func uploadTime(upload: EventTime, hour: Double, weekday: Double, isWeekend: Double) {
    let vector = Self.vector(Self.subject(uploadedAt: upload), asOf: upload + .seconds(200_000))
    #expect(vector["hour_of_day"] == hour)
    #expect(vector["day_of_week"] == weekday)
    #expect(vector["is_weekend"] == isWeekend)
  }

  @Test(
    "The time since the upload is whole seconds, rounded down",
    arguments: [
      (0, 0), (1, 0), (999_999, 0), (1_000_000, 1), (1_000_001, 1), (300_000_000, 300), (-1, -1),
      (-1_000_000, -1),
    ] as [(Int64, Double)])
  func sinceUpload(microseconds: Int64, seconds: Double) {
    let vector = Self.vector(asOf: Self.upload + .microseconds(microseconds))
    #expect(vector["time_since_upload_seconds"] == seconds)
  }

  @Test(
    "The account's age is whole days at the instant scored, rounded down",
    arguments: [
      (0, 0), (86_399_999_999, 0), (86_400_000_000, 1), (86_400_000_001, 1), (-1, -1),
      (8_640_000_000_000, 100),
    ] as [(Int64, Double)])
  func userAge(microseconds: Int64, days: Double) {
    let created = EventTime.utc(2025, 6, 1, 12, 34, 56)
    let vector = Self.vector(
      Self.subject(accountCreatedAt: created), asOf: created + .microseconds(microseconds))
    #expect(vector["user_age_days"] == days)
  }

  @Test(
    "A caption has a length and a presence, and the user a number of images",
    arguments: [
      (0, 0.0, 0), (1, 1, 1), (500, 1, 37),
    ])
  func caption(length: Int, hasCaption: Double, images: Int) {
    let vector = Self.vector(Self.subject(captionLength: length, userImageCount: images))
    #expect(vector["caption_length"] == Double(length))
    #expect(vector["has_caption"] == hasCaption)
    #expect(vector["user_image_count"] == Double(images))
  }

  @Test(
    "Each Food-11 name has its own column",
    arguments: [
      ("Bread", "category_Bread"), ("Dairy product", "category_Dairy"),
      ("Dessert", "category_Dessert"), ("Egg", "category_Egg"), ("Fried food", "category_Fried"),
      ("Meat", "category_Meat"), ("Noodles/Pasta", "category_Noodles"), ("Rice", "category_Rice"),
      ("Seafood", "category_Seafood"), ("Soup", "category_Soup"),
      ("Vegetable/Fruit", "category_Veggie"),
    ])
  func category(name: String, column: String) {
    let vector = Self.vector(Self.subject(category: name))
    #expect(vector[column] == 1)
    #expect(vector.values[18...].reduce(0, +) == 1)
  }

  @Test(
    "An unknown category is all zeros", arguments: [nil, "", "soup", "Dairy", "Pizza", "Soup "])
  func unknownCategory(name: String?) {
    #expect(Self.vector(Self.subject(category: name)).values[18...].allSatisfy { $0 == 0 })
  }

  @Test(
    "Flooring rounds towards negative infinity",
    arguments: [
      (7, 2, 3), (-7, 2, -4), (7, -2, -4), (-7, -2, 3), (6, 2, 3), (-6, 2, -3), (0, 5, 0),
      (-1, 5, -1),
    ] as [(Int64, Int64, Int64)])
  func flooredDivision(dividend: Int64, divisor: Int64, quotient: Int64) {
    #expect(dividend.flooredDivision(by: divisor) == quotient)
  }

  @Test(
    "A caption's length is its number of Unicode scalars",
    arguments: [
      "", "soup", "crème brûlée", "🍜🍲", "e\u{301}", "👩‍🍳",
      "\u{7ff}\u{800}\u{ffff}\u{10000}",
    ])
  func scalars(caption: String) { #expect(caption.scalarCount == caption.unicodeScalars.count) }
}
