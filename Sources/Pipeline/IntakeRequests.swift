import Moderation

/// Why the API refuses a request: an HTTP status, the field at fault, and what is wrong with it.
public struct IntakeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// 400, 404, 422, or 503 when a backend doesn't answer.
  public var status: Int
  /// The field at fault, if one is.
  public var field: String?
  /// What is wrong, with the value seen.
  public var reason: String

  /// An error.
  public init(status: Int, field: String? = nil, reason: String) {
    self.status = status
    self.field = field
    self.reason = reason
  }

  /// `422 user_id: …`.
  public var description: String { "\(status) " + (field.map { "\($0): " } ?? "") + reason }
}

/// A client's key of one request: sent again with it, the request is done once.
public typealias IdempotencyKey = ID<RequestIdentity>

/// What every request may carry.
public struct RequestIdentity: Hashable, Sendable {
  /// The client's key, from which the ids of rows and events are made; nil makes fresh ones.
  public var key: IdempotencyKey?
  /// When it happened, for clients that were offline; nil means now. Never later than now.
  public var occurredAt: EventTime?

  /// A request's identity.
  public init(key: IdempotencyKey? = nil, occurredAt: EventTime? = nil) {
    self.key = key
    self.occurredAt = occurredAt
  }
}

/// `POST /users/`.
public struct NewUser: Hashable, Sendable {
  /// 1…64 characters, unique.
  public var username: String
  /// At least 1.
  public var tosVersionAccepted = 1
  /// When the terms were accepted.
  public var tosAcceptedAt: EventTime?
  /// Two capital letters.
  public var countryOfResidence: String?
  /// 1900 … this year.
  public var yearOfBirth: Int?
  /// The exact date; the year follows from it.
  public var dateOfBirth: CivilDate?
  /// An internal account.
  public var isTestAccount = false

  /// A user to create.
  public init(username: String) { self.username = username }
}

/// `POST /upload/`.
public struct NewImage: Hashable, Sendable {
  /// The uploader.
  public var userID: UserID
  /// Free text, at most 2,000 characters.
  public var caption: String?
  /// A Food-11 name, or anything else.
  public var category: String?
  /// `user_upload`, `synthetic` or `import`.
  public var source = "user_upload"
  /// The file's extension without a dot.
  public var fileExtension = "jpg"
  /// The file.
  public var file: [UInt8]

  /// An image to upload.
  public init(userID: UserID, file: [UInt8]) {
    self.userID = userID
    self.file = file
  }
}

/// `POST /comments/`.
public struct NewComment: Hashable, Sendable {
  /// The image.
  public var imageID: ImageID
  /// The author.
  public var userID: UserID
  /// 1…10,000 characters.
  public var content: String

  /// A comment to write.
  public init(imageID: ImageID, userID: UserID, content: String) {
    self.imageID = imageID
    self.userID = userID
    self.content = content
  }
}

/// `POST /flags/`.
public struct NewFlag: Hashable, Sendable {
  /// The reporter.
  public var userID: UserID
  /// The image, if that is reported.
  public var imageID: ImageID?
  /// The comment, if that is reported.
  public var commentID: CommentID?
  /// 1…2,000 characters.
  public var reason: String

  /// A report.
  public init(userID: UserID, imageID: ImageID? = nil, commentID: CommentID? = nil, reason: String)
  {
    self.userID = userID
    self.imageID = imageID
    self.commentID = commentID
    self.reason = reason
  }
}
