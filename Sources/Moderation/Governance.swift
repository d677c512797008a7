/// Whose actions and content may train a model (REFERENCE §7).
public struct Governance: Hashable, Sendable {
  /// How a minor is recognised.
  public enum AgeRule: String, Hashable, Sendable {
    /// The lab's: year of the event minus year of birth below 18, so everybody turns 18 on
    /// New Year's Day.
    case yearOfBirth = "year-of-birth"
    /// Ours: the exact birth date where it is known, else the lab's rule. Born on 29 February
    /// means 18 on 1 March.
    case birthDate = "birth-date"
  }

  /// How a minor is recognised.
  public var ageRule: AgeRule

  /// Governance with an age rule; ours unless said otherwise.
  public init(ageRule: AgeRule = .birthDate) { self.ageRule = ageRule }

  /// Whether `user` was under 18 at `time`; an unknown age is no minor.
  public func isMinor(_ user: User, at time: EventTime) -> Bool {
    if ageRule == .birthDate, let birth = user.dateOfBirth {
      let today = time.date
      let age = today.year - birth.year
      let isBeforeBirthday = (today.month, today.day) < (birth.month, birth.day)
      return age - (isBeforeBirthday ? 1 : 0) < 18
    }
    guard let year = user.yearOfBirth ?? user.dateOfBirth?.year else { return false }
    return time.date.year - year < 18
  }

  /// Whether what `user` did at `time` may be counted in features and labels.
  public func isEligible(_ user: User, at time: EventTime) -> Bool {
    !user.isTestAccount && !isMinor(user, at: time)
  }

  /// Whether a correction made at `time` takes from a user what they had been eligible for.
  public func isFound(_ corrected: User, from before: User, at time: EventTime) -> Bool {
    isEligible(before, at: time) && !isEligible(corrected, at: corrected.createdAt)
  }

  /// Whether a user was found ineligible, and hasn't been corrected back since. Eligibility only
  /// grows with age: who was always eligible was so from the start.
  public func isFound(_ user: User) -> Bool {
    user.foundIneligibleAt != nil && !isEligible(user, at: user.createdAt)
  }

  /// Whether an image may be a training row: not deleted, uploader eligible at the upload.
  public func isEligible(_ image: Image, uploader: User) -> Bool {
    image.deletedAt == nil && isEligible(uploader, at: image.createdAt)
  }
}

/// The training label `label_needs_moderation_24h` (REFERENCE §7).
public enum LabelRule: Hashable, Sendable {
  /// The lab's: a flag in `[upload, upload + 24 h]`, whether those 24 hours are over or not.
  case lab
  /// Ours: a flag after the decision point, up to upload + 24 h, and nil until those are over. So
  /// no label is taken before it is ripe, and no flag is both a feature and the label.
  case ripe

  /// How long after the upload a flag still makes the label.
  public static let horizon = Duration.seconds(86_400)

  /// The label of a decision point.
  ///
  /// - Parameters:
  ///   - flags: when eligible users flagged the image.
  ///   - knownUntil: the instant up to which flags are known.
  public func label(
    upload: EventTime, decisionPoint: Duration, flags: [EventTime], knownUntil: EventTime
  ) -> Bool? {
    let end = upload + Self.horizon
    switch self {
    case .lab:
      return flags.contains { upload <= $0 && $0 <= end }
    case .ripe:
      guard knownUntil >= end else { return nil }
      return flags.contains { upload + decisionPoint < $0 && $0 <= end }
    }
  }
}
