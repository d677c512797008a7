/// The 29 features of an image as of an instant (REFERENCE §5; the order is the contract).
public struct FeatureVector: Hashable, Sendable {
  /// The 29 values, in the order of ``names``.
  public private(set) var values: [Double]

  /// The names, in order.
  public static let names: [String] = numericNames + categories.map { "category_\($0.suffix)" }

  /// The 18 features that aren't categories, in order: also the training table's columns.
  public static let numericNames: [String] = [
    "time_since_upload_seconds", "hour_of_day", "day_of_week", "is_weekend",
    "views_5min", "views_1hr", "comments_5min", "comments_1hr", "flags_5min", "flags_1hr",
    "total_flags", "view_velocity_per_min", "comment_to_view_ratio", "recent_engagement_score",
    "caption_length", "has_caption", "user_image_count", "user_age_days",
  ]

  /// Those of the 18 that are fractions by nature; the others are whole numbers.
  public static let fractionalNames: Set<String> = [
    "view_velocity_per_min", "comment_to_view_ratio", "recent_engagement_score",
  ]

  /// Those of the 18 that depend on whose events count: observed and governed values may differ.
  public static let countedNames: [String] = Array(numericNames[4..<14])

  /// The Food-11 categories: the name in the data and the suffix of the one-hot column.
  public static let categories: [(name: String, suffix: String)] = [
    ("Bread", "Bread"), ("Dairy product", "Dairy"), ("Dessert", "Dessert"), ("Egg", "Egg"),
    ("Fried food", "Fried"), ("Meat", "Meat"), ("Noodles/Pasta", "Noodles"), ("Rice", "Rice"),
    ("Seafood", "Seafood"), ("Soup", "Soup"), ("Vegetable/Fruit", "Veggie"),
  ]

  private static let categoryNames = categories.map(\.name)

  /// A category's place in ``categories``; most names differ in length already.
  private static func place(of category: String) -> Int? {
    categoryNames.firstIndex { $0.utf8.count == category.utf8.count && $0 == category }
  }

  private static let indices: [String: Int] = Dictionary(
    uniqueKeysWithValues: names.enumerated().map { ($1, $0) })

  /// The position of a feature, or nil when there is none of that name.
  public static func index(of name: String) -> Int? { indices[name] }

  /// The value of a feature, or nil when there is none of that name.
  public subscript(name: String) -> Double? { Self.index(of: name).map { values[$0] } }

  /// The 18 features that aren't categories.
  public var numeric: ArraySlice<Double> { values[..<18] }

  /// Computes the vector from what is known of the image at `asOf`.
  ///
  /// - Parameter flavour: whose events count.
  public init(
    _ subject: ScoringSubject, counts: EngagementCounts, flavour: CountFlavour, asOf: EventTime
  ) {
    func tally(_ tally: RollingCounter.Tally) -> Double {
      Double(flavour == .observed ? tally.observed : tally.governed)
    }
    let sinceUpload = asOf.microseconds - subject.uploadedAt.microseconds
    let accountAge = asOf.microseconds - subject.accountCreatedAt.microseconds
    let weekday = subject.uploadedAt.weekday
    let views5min = tally(counts.views5min)
    let views1hr = tally(counts.views1hr)
    let comments5min = tally(counts.comments5min)
    let comments1hr = tally(counts.comments1hr)
    let category = subject.category.flatMap { Self.place(of: $0) }
    values = Array(repeating: 0, count: 18 + Self.categoryNames.count)
    values.withUnsafeMutableBufferPointer { values in
      var place = 0
      func put(_ value: Double) {
        values[place] = value
        place += 1
      }
      put(Double(sinceUpload.flooredDivision(by: 1_000_000)))
      put(Double(subject.uploadedAt.hour))
      put(Double(weekday))
      put(weekday >= 5 ? 1 : 0)
      put(views5min)
      put(views1hr)
      put(comments5min)
      put(comments1hr)
      put(tally(counts.flags5min))
      put(tally(counts.flags1hr))
      put(tally(counts.totalFlags))
      put(views5min / 5)
      put(comments1hr / max(views1hr, 1))
      put(views5min + 5 * comments5min)
      put(Double(subject.captionLength))
      put(subject.captionLength > 0 ? 1 : 0)
      put(Double(subject.userImageCount))
      put(Double(accountAge.flooredDivision(by: 86_400_000_000)))
      if let category { values[18 + category] = 1 }
    }
  }
}

/// Whose events a count includes.
public enum CountFlavour: String, Hashable, Sendable {
  /// Everybody's: triggers and the heuristic use it, because a child's report counts for safety.
  case observed
  /// Eligible actors' only: the model's vector and the training rows.
  case governed
}

/// What the database contributes to a feature vector.
public struct ScoringSubject: Hashable, Sendable {
  /// When the image was uploaded.
  public var uploadedAt: EventTime
  /// The image's category as stored.
  public var category: String?
  /// Unicode scalars of the caption; 0 without one.
  public var captionLength: Int
  /// When the uploader's account was made.
  public var accountCreatedAt: EventTime
  /// The uploader's images: which ones count is the caller's definition.
  public var userImageCount: Int

  /// A subject.
  public init(
    uploadedAt: EventTime, category: String?, captionLength: Int, accountCreatedAt: EventTime,
    userImageCount: Int
  ) {
    self.uploadedAt = uploadedAt
    self.category = category
    self.captionLength = captionLength
    self.accountCreatedAt = accountCreatedAt
    self.userImageCount = userImageCount
  }
}

extension String {
  /// The number of Unicode scalars: a caption's length (REFERENCE §5).
  public var scalarCount: Int {
    // Each scalar has one byte that isn't a continuation.
    var text = self
    return text.withUTF8 { bytes in
      var count = 0
      for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
      return count
    }
  }
}

extension Int64 {
  /// The quotient rounded towards negative infinity.
  func flooredDivision(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor != 0 && (self < 0) != (divisor < 0) ? quotient - 1 : quotient
  }
}
