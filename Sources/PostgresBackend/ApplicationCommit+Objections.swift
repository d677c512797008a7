import Moderation
import Ports

/// Why a commit can't be carried out. All of its mutations are looked at before the first is done:
/// an objection is about the tables as they were, and about the rows that the commit inserted
/// before.
extension ApplicationCommit {
  /// Why a transaction can't be carried out; nil when it can.
  func objection() -> PortError? {
    var staged = StagedRows()
    for mutation in mutations {
      if let error = objection(to: mutation, staged) { return error }
      // An event is most often the only other mutation, and nothing refers to one.
      if mutations.count > 1 { staged.add(mutation) }
    }
    return nil
  }

  /// Why a mutation can't be carried out after those `staged` before it in its transaction.
  private func objection(to mutation: Mutation, _ staged: StagedRows) -> PortError? {
    switch mutation {
    case .insertModeration, .enqueue: nil
    case .insertUser(let row):
      staged.usernames.contains(row.username) ? taken(row.username) : nil
    case .insertImage(let row): user(row.userID, staged)
    case .insertComment(let row):
      image(row.imageID, staged) ?? user(row.userID, staged)
        ?? action("moderator_action_id", row.moderatorActionID, staged)
    case .insertFlag(let row):
      user(row.userID, staged) ?? row.imageID.flatMap { image($0, staged) }
        ?? row.commentID.flatMap { comment($0, staged) }
        ?? action("moderation_action_id", row.moderationActionID, staged)
    case .updateUser(let row): objection(toUpdate: row, staged)
    case .addView(let id, _), .deleteImage(let id, _): noImage(id, staged)
    case .requirePending(let target): notPending(target)
    case .deleteComment(let id, _): noComment(id, staged)
    case .hideComment(let id, let by):
      noComment(id, staged) ?? action("moderator_action_id", by, staged)
    case .resolveFlags(.image(let id), _, let by, _):
      noImage(id, staged) ?? action("moderation_action_id", by, staged)
    case .resolveFlags(.comment(let id), _, let by, _):
      noComment(id, staged) ?? action("moderation_action_id", by, staged)
    case .resolveFlags(.account, _, _, _):
      Self.operation.error(
        .invalid, "target_type: flags are about images and comments, not accounts")
    }
  }

  private func objection(toUpdate row: User, _ staged: StagedRows) -> PortError? {
    if !staged.users.contains(row.id) && known.users[row.id] == nil {
      return absent("user", row.id)
    }
    guard let owner = known.user(named: row.username), owner.id != row.id else { return nil }
    return taken(row.username)
  }

  private func user(_ id: UserID, _ staged: StagedRows) -> PortError? {
    staged.users.contains(id) || known.users[id] != nil ? nil : missing("user_id", id)
  }

  private func image(_ id: ImageID, _ staged: StagedRows) -> PortError? {
    staged.images.contains(id) || known.images[id] != nil ? nil : missing("image_id", id)
  }

  private func comment(_ id: CommentID, _ staged: StagedRows) -> PortError? {
    staged.comments.contains(id) || known.comments[id] != nil ? nil : missing("comment_id", id)
  }

  private func action(
    _ field: String, _ id: ModerationID?, _ staged: StagedRows
  ) -> PortError? {
    guard let id else { return nil }
    return staged.moderation.contains(id) || known.moderation[id] != nil ? nil : missing(field, id)
  }

  private func noImage(_ id: ImageID, _ staged: StagedRows) -> PortError? {
    staged.images.contains(id) || known.images[id] != nil ? nil : absent("image", id)
  }

  private func noComment(_ id: CommentID, _ staged: StagedRows) -> PortError? {
    staged.comments.contains(id) || known.comments[id] != nil ? nil : absent("comment", id)
  }

  private func notPending(_ target: ModerationTarget) -> PortError? {
    if known.pending.contains(target) { return nil }
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
