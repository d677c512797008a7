import Moderation

/// The application's database: users, images, comments, flags, moderation rows, and the outbox of
/// events not published yet.
///
/// Contract (rule N is test N of `ApplicationStoreConformance`):
/// 1. `commit` is one transaction: all its mutations or none.
/// 2. Inserting a row whose id exists, or a view whose key was seen, makes the whole commit a no-op
///    that reports what is there: a retried request is done once.
/// 3. A user whose name is taken isn't inserted; the outcome is the row that has the name.
/// 4. A row that refers to one that doesn't exist throws `missingReference` with the field's name.
/// 5. A moderation row whose (request, mode) exists is ignored and reported as existing.
/// 6. Changing or deleting a row that doesn't exist throws `notFound`; deleting twice keeps the
///    first instant.
/// 7. The outbox gives entries in commit order, until marked published; marking is idempotent.
/// 8. `subjects` answers for the instant asked: nothing that was created after it is seen, nor is a
///    deletion after it.
/// 9. `snapshot` is consistent: one state between commits, rows sorted by (creation, id).
/// 10. `reviewQueue` has pending items by risk, highest first, then by id, each once, without
///     deleted ones. A shadow's scores decide nothing, so they don't count.
/// 11. An image is visible when it exists and isn't deleted.
public protocol ApplicationStore: Sendable {
  /// Carries out one transaction; one outcome per mutation, in order.
  func commit(_ mutations: [Mutation]) async throws(PortError) -> [MutationOutcome]

  /// Rows by key; nil where there is none.
  func fetch(_ keys: [RowKey]) async throws(PortError) -> [Row?]

  /// What scoring needs to know of images as of instants; nil for an image unknown at its instant.
  func subjects(_ questions: [CountQuestion]) async throws(PortError) -> [SubjectRecord?]

  /// The oldest entries of the outbox.
  func outbox(limit: Int) async throws(PortError) -> [OutboxEntry]

  /// Removes entries that the log holds by now.
  func markPublished(_ sequences: [Int64]) async throws(PortError)

  /// All tables at one moment.
  func snapshot() async throws(PortError) -> ApplicationSnapshot

  /// Items that wait for a moderator.
  func reviewQueue(limit: Int) async throws(PortError) -> [ReviewItem]
}

/// A change within a transaction; rows are boxed, so that passing one on costs a reference count.
public enum Mutation: Sendable {
  indirect case insertUser(User)
  indirect case insertImage(Image)
  indirect case insertComment(Comment)
  indirect case insertFlag(Flag)
  indirect case insertModeration(ModerationRow)
  /// A corrected user: birth year, country, and so on.
  indirect case updateUser(User)
  /// One more view; with a key, a transaction that has it is done once.
  case addView(ImageID, key: EventID? = nil)
  /// Demands pending flags of a target; without, the transaction throws `conflict`.
  case requirePending(ModerationTarget)
  case deleteImage(ImageID, at: EventTime)
  case deleteComment(CommentID, at: EventTime)
  case hideComment(CommentID, by: ModerationID)
  /// Settles the pending flags of a target.
  indirect case resolveFlags(
    ModerationTarget, status: ReviewStatus, by: ModerationID, at: EventTime)
  /// An event to publish; the store gives it its sequence number.
  indirect case enqueue(OutboxEvent)
}

/// What a mutation did.
public enum MutationOutcome: Sendable {
  /// It was carried out.
  case done
  /// The row, or one with the same unique key, was there already.
  case existing(Row)
  /// The image's views after the increment.
  case views(Int)
  /// How many rows were changed.
  case changed(Int)
}

/// A row's primary or unique key.
public enum RowKey: Hashable, Sendable {
  case user(UserID)
  case username(String)
  case image(ImageID)
  /// Whether an image can be seen, that is, exists and isn't deleted; answered by ``Row/visible``.
  case visibleImage(ImageID)
  case comment(CommentID)
  case flag(FlagID)
  case moderation(ModerationID)
}

/// A row of any table.
public enum Row: Hashable, Sendable {
  indirect case user(User)
  indirect case image(Image)
  /// The image of ``RowKey/visibleImage(_:)`` is there; its columns weren't asked for.
  case visible
  indirect case comment(Comment)
  indirect case flag(Flag)
  indirect case moderation(ModerationRow)
}

/// An event on its way from a transaction to the log.
public struct OutboxEvent: Hashable, Sendable {
  /// The topic's name.
  public var name: TopicName
  /// The record's key: the image's id.
  public var key: ImageID?
  /// The event's JSON.
  public var value: [UInt8]
  /// When the event happened: the record's timestamp.
  public var time: EventTime

  /// An event to publish.
  public init(topic: String, key: ImageID?, value: [UInt8], time: EventTime) {
    self.init(TopicName(topic), key: key, value: value, time: time)
  }

  /// An event to publish.
  public init(_ name: TopicName, key: ImageID?, value: [UInt8], time: EventTime) {
    self.name = name
    self.key = key
    self.value = value
    self.time = time
  }

  /// The topic.
  public var topic: String { name.text }
}

/// An event in the outbox.
public struct OutboxEntry: Hashable, Sendable {
  /// Its place in commit order.
  public var sequence: Int64
  /// The event.
  public var event: OutboxEvent

  /// An entry.
  public init(sequence: Int64, event: OutboxEvent) {
    self.sequence = sequence
    self.event = event
  }
}

/// What the database knows of an image at an instant.
public struct SubjectRecord: Hashable, Sendable {
  /// The image.
  public var image: Image
  /// The uploader's account.
  public var uploader: User
  /// The uploader's images created up to the instant and not deleted by then.
  public var existingImages: Int
  /// The uploader's images created up to the instant, deleted or not.
  public var createdImages: Int

  /// A record.
  public init(image: Image, uploader: User, existingImages: Int, createdImages: Int) {
    self.image = image
    self.uploader = uploader
    self.existingImages = existingImages
    self.createdImages = createdImages
  }

  /// The subject of a feature vector.
  public func subject(countsDeletedImages: Bool) -> ScoringSubject {
    ScoringSubject(
      uploadedAt: image.createdAt, category: image.category,
      captionLength: image.caption?.scalarCount ?? 0,
      accountCreatedAt: uploader.createdAt,
      userImageCount: countsDeletedImages ? createdImages : existingImages)
  }
}

/// All tables at one moment, rows sorted by (creation, id).
public struct ApplicationSnapshot: Sendable {
  /// `users`.
  public var users: [User] = []
  /// `images`.
  public var images: [Image] = []
  /// `comments`.
  public var comments: [Comment] = []
  /// `flags`.
  public var flags: [Flag] = []
  /// `moderation`.
  public var moderation: [ModerationRow] = []

  /// An empty snapshot.
  public init() {}
}

/// An item that waits for a moderator.
public struct ReviewItem: Hashable, Sendable {
  /// The image or comment.
  public var target: ModerationTarget
  /// The highest risk among its scores; a comment takes its image's.
  public var riskScore: Double
  /// Its pending flags.
  public var pendingFlags: Int

  /// An item.
  public init(target: ModerationTarget, riskScore: Double, pendingFlags: Int) {
    self.target = target
    self.riskScore = riskScore
    self.pendingFlags = pendingFlags
  }
}
