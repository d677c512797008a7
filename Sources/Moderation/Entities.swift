/// The id of a row of `users`.
public typealias UserID = ID<User>
/// The id of a row of `images`.
public typealias ImageID = ID<Image>
/// The id of a row of `comments`.
public typealias CommentID = ID<Comment>
/// The id of a row of `flags`.
public typealias FlagID = ID<Flag>
/// The id of a row of `moderation`.
public typealias ModerationID = ID<ModerationRow>

/// A row of `users` (REFERENCE §1).
public struct User: Hashable, Sendable {
  /// Primary key.
  public var id: UserID
  // What decides about eligibility lies together: every request of a user asks for it.
  /// An internal account, whose actions never train a model.
  public var isTestAccount: Bool
  /// The exact birth date where the user gave one; ours, beside the lab's `year_of_birth`.
  public var dateOfBirth: CivilDate?
  /// 1900 … the current year, if known.
  public var yearOfBirth: Int?
  /// Unique.
  public var username: String
  /// At least 1.
  public var tosVersionAccepted: Int
  /// When the terms were accepted, if known.
  public var tosAcceptedAt: EventTime?
  /// ISO 3166 alpha-2.
  public var countryOfResidence: String?
  /// When the account was made.
  public var createdAt: EventTime
  /// When a correction first took from them what they had been eligible for, if one did; ours. What
  /// erasure goes by.
  public var foundIneligibleAt: EventTime?

  /// A user; every argument is a column.
  public init(
    id: UserID, username: String, tosVersionAccepted: Int = 1, tosAcceptedAt: EventTime? = nil,
    countryOfResidence: String? = nil, yearOfBirth: Int? = nil, dateOfBirth: CivilDate? = nil,
    isTestAccount: Bool = false, createdAt: EventTime, foundIneligibleAt: EventTime? = nil
  ) {
    self.id = id
    self.username = username
    self.tosVersionAccepted = tosVersionAccepted
    self.tosAcceptedAt = tosAcceptedAt
    self.countryOfResidence = countryOfResidence
    self.yearOfBirth = yearOfBirth
    self.dateOfBirth = dateOfBirth
    self.isTestAccount = isTestAccount
    self.createdAt = createdAt
    self.foundIneligibleAt = foundIneligibleAt
  }
}

/// A row of `images`.
public struct Image: Hashable, Sendable {
  /// Primary key.
  public var id: ImageID
  /// The uploader.
  public var userID: UserID
  /// `<endpoint>/<bucket>/<key>` of the file.
  public var s3URL: String
  /// `user_upload`, `synthetic` or `import`.
  public var source: String
  /// Free text.
  public var caption: String?
  /// A Food-11 name, or anything else.
  public var category: String?
  /// The upload's instant.
  public var createdAt: EventTime
  /// Soft delete.
  public var deletedAt: EventTime?
  /// The running total of views.
  public var views: Int

  /// An image; every argument is a column.
  public init(
    id: ImageID, userID: UserID, s3URL: String, source: String = "user_upload",
    caption: String? = nil, category: String? = nil, createdAt: EventTime,
    deletedAt: EventTime? = nil, views: Int = 0
  ) {
    self.id = id
    self.userID = userID
    self.s3URL = s3URL
    self.source = source
    self.caption = caption
    self.category = category
    self.createdAt = createdAt
    self.deletedAt = deletedAt
    self.views = views
  }
}

/// A row of `comments`.
public struct Comment: Hashable, Sendable {
  /// Primary key.
  public var id: CommentID
  /// The image commented on.
  public var imageID: ImageID
  /// The author.
  public var userID: UserID
  /// The text.
  public var content: String
  /// Hidden by a moderator.
  public var isModeratorHidden: Bool
  /// The decision that hid it.
  public var moderatorActionID: ModerationID?
  /// Soft delete.
  public var deletedAt: EventTime?
  /// When it was written.
  public var createdAt: EventTime

  /// A comment; every argument is a column.
  public init(
    id: CommentID, imageID: ImageID, userID: UserID, content: String,
    isModeratorHidden: Bool = false, moderatorActionID: ModerationID? = nil,
    deletedAt: EventTime? = nil, createdAt: EventTime
  ) {
    self.id = id
    self.imageID = imageID
    self.userID = userID
    self.content = content
    self.isModeratorHidden = isModeratorHidden
    self.moderatorActionID = moderatorActionID
    self.deletedAt = deletedAt
    self.createdAt = createdAt
  }
}

/// What a moderator has said of a flag.
public enum ReviewStatus: String, Hashable, Sendable {
  case pending, confirmed, rejected
}

/// A row of `flags`: a report of an image, of a comment, or of both.
public struct Flag: Hashable, Sendable {
  /// Primary key.
  public var id: FlagID
  /// The reporter.
  public var userID: UserID
  /// The image reported, if any.
  public var imageID: ImageID?
  /// The comment reported, if any.
  public var commentID: CommentID?
  /// Free text.
  public var reason: String
  /// The decision that settled it.
  public var moderationActionID: ModerationID?
  /// `pending` until reviewed.
  public var reviewStatus: ReviewStatus
  /// When it was settled.
  public var resolvedAt: EventTime?
  /// When it was reported.
  public var createdAt: EventTime

  /// A flag; every argument is a column.
  public init(
    id: FlagID, userID: UserID, imageID: ImageID?, commentID: CommentID?, reason: String,
    moderationActionID: ModerationID? = nil, reviewStatus: ReviewStatus = .pending,
    resolvedAt: EventTime? = nil, createdAt: EventTime
  ) {
    self.id = id
    self.userID = userID
    self.imageID = imageID
    self.commentID = commentID
    self.reason = reason
    self.moderationActionID = moderationActionID
    self.reviewStatus = reviewStatus
    self.resolvedAt = resolvedAt
    self.createdAt = createdAt
  }
}

/// What a moderation row is about.
public enum ModerationTarget: Hashable, Sendable {
  case image(ImageID)
  case comment(CommentID)
  case account(UserID)

  /// `image`, `comment` or `account`.
  public var type: String {
    switch self {
    case .image: "image"
    case .comment: "comment"
    case .account: "account"
    }
  }

  /// The target's id as text.
  public var idText: String {
    switch self {
    case .image(let id): id.description
    case .comment(let id): id.description
    case .account(let id): id.description
    }
  }
}

/// A row of `moderation`: one score, or one moderator's decision.
public struct ModerationRow: Hashable, Sendable {
  /// Primary key.
  public var id: ModerationID
  /// The request that was scored; with `inferenceMode` unique.
  public var requestID: RequestID?
  /// What was scored.
  public var target: ModerationTarget
  /// `heuristic`, `model`, `shadow`, or `human` for a review.
  public var inferenceMode: String
  /// The model's version; nil for the heuristic.
  public var modelVersion: String?
  /// 0…1.
  public var riskScore: Double
  /// What asked for the score.
  public var triggerType: String?
  /// The rules' version.
  public var policyVersion: String
  /// Which rules fired, in order.
  public var rationale: String?
  /// When the row was stored.
  public var createdAt: EventTime

  /// A moderation row; every argument is a column.
  public init(
    id: ModerationID, requestID: RequestID?, target: ModerationTarget, inferenceMode: String,
    modelVersion: String? = nil, riskScore: Double, triggerType: String?,
    policyVersion: String = "v1", rationale: String? = nil, createdAt: EventTime
  ) {
    self.id = id
    self.requestID = requestID
    self.target = target
    self.inferenceMode = inferenceMode
    self.modelVersion = modelVersion
    self.riskScore = riskScore
    self.triggerType = triggerType
    self.policyVersion = policyVersion
    self.rationale = rationale
    self.createdAt = createdAt
  }
}
