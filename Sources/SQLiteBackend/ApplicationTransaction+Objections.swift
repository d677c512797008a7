import Moderation
import Ports

/// Why a commit can't be carried out. All of its mutations are looked at before the first is done:
/// an objection is about the tables as they were, and about the rows that the commit inserted
/// before.
extension ApplicationTransaction {
  /// Why a transaction can't be carried out; nil when it can.
  func objection(to mutations: [Mutation]) throws -> PortError? {
    var staged = StagedRows()
    for mutation in mutations {
      if let error = try objection(to: mutation, staged) { return error }
      // An event is most often the only other mutation, and nothing refers to one.
      if mutations.count > 1 { staged.add(mutation) }
    }
    return nil
  }

  /// Why a mutation can't be carried out after those `staged` before it in its transaction.
  private func objection(to mutation: Mutation, _ staged: StagedRows) throws -> PortError? {
    switch mutation {
    case .insertModeration, .enqueue: nil
    case .insertUser(let row):
      staged.usernames.contains(row.username) ? taken(row.username) : nil
    case .insertImage(let row): try user(row.userID, staged)
    case .insertComment(let row):
      try image(row.imageID, staged) ?? user(row.userID, staged)
        ?? action("moderator_action_id", row.moderatorActionID, staged)
    case .insertFlag(let row):
      try user(row.userID, staged) ?? row.imageID.flatMap { try image($0, staged) }
        ?? row.commentID.flatMap { try comment($0, staged) }
        ?? action("moderation_action_id", row.moderationActionID, staged)
    case .updateUser(let row): try objection(toUpdate: row, staged)
    case .addView(let id, _), .deleteImage(let id, _): try noImage(id, staged)
    case .requirePending(let target): try notPending(target)
    case .deleteComment(let id, _): try noComment(id, staged)
    case .hideComment(let id, let by):
      try noComment(id, staged) ?? action("moderator_action_id", by, staged)
    case .resolveFlags(.image(let id), _, let by, _):
      try noImage(id, staged) ?? action("moderation_action_id", by, staged)
    case .resolveFlags(.comment(let id), _, let by, _):
      try noComment(id, staged) ?? action("moderation_action_id", by, staged)
    case .resolveFlags(.account, _, _, _):
      Self.operation.error(
        .invalid, "target_type: flags are about images and comments, not accounts")
    }
  }

  private func objection(toUpdate row: User, _ staged: StagedRows) throws -> PortError? {
    if try !staged.users.contains(row.id) && !db.has(row.id) { return absent("user", row.id) }
    guard let owner = try user(named: row.username), owner.id != row.id else { return nil }
    return taken(row.username)
  }

  private func user(_ id: UserID, _ staged: StagedRows) throws -> PortError? {
    try staged.users.contains(id) || db.has(id) ? nil : missing("user_id", id)
  }

  private func image(_ id: ImageID, _ staged: StagedRows) throws -> PortError? {
    try staged.images.contains(id) || db.has(id) ? nil : missing("image_id", id)
  }

  private func comment(_ id: CommentID, _ staged: StagedRows) throws -> PortError? {
    try staged.comments.contains(id) || db.has(id) ? nil : missing("comment_id", id)
  }

  private func action(
    _ field: String, _ id: ModerationID?, _ staged: StagedRows
  ) throws -> PortError? {
    guard let id else { return nil }
    return try staged.moderation.contains(id) || db.has(id) ? nil : missing(field, id)
  }

  private func noImage(_ id: ImageID, _ staged: StagedRows) throws -> PortError? {
    try staged.images.contains(id) || db.has(id) ? nil : absent("image", id)
  }

  private func noComment(_ id: CommentID, _ staged: StagedRows) throws -> PortError? {
    try staged.comments.contains(id) || db.has(id) ? nil : absent("comment", id)
  }

  private func notPending(_ target: ModerationTarget) throws -> PortError? {
    if let flags = PendingFlags(of: target), try db.has(flags.select, [flags.id]) { return nil }
    return Self.operation.error(
      .conflict, "\(target.type) \(target.idText) has no pending flag any more")
  }

  private func taken(_ username: String) -> PortError {
    Self.operation.error(.conflict, "username: '\(username)' is taken")
  }

  private func missing<Entity>(_ field: String, _ id: ID<Entity>) -> PortError {
    Self.operation.error(.missingReference, "\(field): there is no row \(id)")
  }

  private func absent<Entity>(_ what: String, _ id: ID<Entity>) -> PortError {
    Self.operation.error(.notFound, "there is no \(what) \(id)")
  }
}

/// The flags that wait for a moderator to look at a target: those that name the comment, or name
/// the image and no comment; none once the target is deleted.
struct PendingFlags {
  /// The target's id, the one argument of ``select``.
  let id: String
  /// Whether there is one.
  let select: String
  /// Settles them; arguments are status, action, instant and the id.
  let settle: String

  /// The flags of an image or a comment; an account has none.
  init?(of target: ModerationTarget) {
    switch target {
    case .image: self.init(target, Self.selectOfImage, Self.settleOfImage)
    case .comment: self.init(target, Self.selectOfComment, Self.settleOfComment)
    case .account: return nil
    }
  }

  private init(_ target: ModerationTarget, _ select: String, _ settle: String) {
    id = target.idText
    self.select = select
    self.settle = settle
  }

  private static let ofImage = """
    image_id = ? AND comment_id IS NULL AND review_status = 'pending'
    AND EXISTS (SELECT 1 FROM images WHERE id = flags.image_id AND deleted_at IS NULL)
    """
  private static let ofComment = """
    comment_id = ? AND review_status = 'pending'
    AND EXISTS (SELECT 1 FROM comments WHERE id = flags.comment_id AND deleted_at IS NULL)
    """
  private static let change =
    "UPDATE flags SET review_status = ?, moderation_action_id = ?, resolved_at = ? WHERE "
  private static let selectOfImage = "SELECT 1 FROM flags WHERE \(ofImage) LIMIT 1"
  private static let selectOfComment = "SELECT 1 FROM flags WHERE \(ofComment) LIMIT 1"
  private static let settleOfImage = change + ofImage
  private static let settleOfComment = change + ofComment
}

/// Rows that a transaction inserts before the mutation at hand.
private struct StagedRows {
  var users: [UserID] = []
  var usernames: [String] = []
  var images: [ImageID] = []
  var comments: [CommentID] = []
  var moderation: [ModerationID] = []

  mutating func add(_ mutation: Mutation) {
    switch mutation {
    case .insertUser(let row):
      users.append(row.id)
      usernames.append(row.username)
    case .insertImage(let row): images.append(row.id)
    case .insertComment(let row): comments.append(row.id)
    // Only a review's row is referred to, and it comes alone; scores come by the hundred.
    case .insertModeration(let row) where row.requestID == nil: moderation.append(row.id)
    default: break
    }
  }
}
