/// The id of an event; redelivery keeps it.
public typealias EventID = ID<PlatformEvent>

/// Something that happened on the platform, as the stream carries it (REFERENCE §3).
public struct PlatformEvent: Hashable, Sendable {
  /// What happened, with the fields of its kind; all but the most frequent are boxed, so that an
  /// event is small and passing one on costs a reference count.
  public enum Subject: Hashable, Sendable {
    /// An image was uploaded by the actor.
    indirect case upload(image: ImageID, category: String?, caption: String?, s3URL: String)
    /// An image was seen.
    case view(image: ImageID)
    /// The actor commented on an image.
    indirect case comment(comment: CommentID, image: ImageID, content: String)
    /// The actor reported an image, a comment, or both.
    indirect case flag(flag: FlagID, image: ImageID?, comment: CommentID?, reason: String)
  }

  /// The event's id, or one derived from what it is about when the producer sent none.
  public var id: EventID
  /// When it happened.
  public var time: EventTime
  /// Who did it; nil for an anonymous view.
  public var actor: UserID?
  /// Whether the actor was eligible (not a minor, not a test account) at that moment, as intake
  /// stamped it; nil when the producer stamped nothing.
  public var actorEligible: Bool?
  /// What happened.
  public var subject: Subject

  /// An event; `actorEligible` is nil when unknown.
  public init(
    id: EventID, time: EventTime, actor: UserID?, actorEligible: Bool?, subject: Subject
  ) {
    self.id = id
    self.time = time
    self.actor = actor
    self.actorEligible = actorEligible
    self.subject = subject
  }

  /// The kind of event, which decides its topic.
  public var kind: EventKind {
    switch subject {
    case .upload: .upload
    case .view: .view
    case .comment: .comment
    case .flag: .flag
    }
  }

  /// The image that the event is about; nil for a flag on a comment.
  public var image: ImageID? {
    switch subject {
    case .upload(let image, _, _, _), .view(let image), .comment(_, let image, _): image
    case .flag(_, let image, _, _): image
    }
  }
}

/// The four kinds of platform event.
public enum EventKind: String, Hashable, Sendable, CaseIterable {
  case upload, view, comment, flag

  /// The topic that carries this kind.
  public var topic: String {
    switch self {
    case .upload: "gourmetgram.uploads"
    case .view: "gourmetgram.views"
    case .comment: "gourmetgram.comments"
    case .flag: "gourmetgram.flags"
    }
  }

  /// The rolling count that this kind feeds; nil for uploads.
  public var metric: Metric? {
    switch self {
    case .upload: nil
    case .view: .views
    case .comment: .comments
    case .flag: .flags
    }
  }
}

/// The topics that aren't event kinds.
public enum Topic {
  /// Requests for a score.
  public static let moderationRequests = "gourmetgram.moderation_requests"
  /// Records that couldn't be understood, with the reason.
  public static let deadLetters = "gourmetgram.dead_letters"
  /// Resolved timestamps: up to which event time the relay has published everything.
  public static let resolved = "gourmetgram.resolved"
  /// Every scored vector, as the scorer saw it.
  public static let featureLog = "gourmetgram.feature_log"
}
