import Moderation
import Ports

/// The tables of ``InMemoryApplicationStore``: a value that carries out transactions.
///
/// What requests call is mutating, whether it changes anything or not: otherwise each call copies
/// the value's own half kilobyte.
struct ApplicationTables {
  private struct ModerationKey: Hashable {
    var request: RequestID
    var mode: String
  }

  /// Boxed as they are handed out, beside their ids: nearly every request asks for its user.
  private var users = IDTable<User, Row>(filler: .visible)
  private var usernames: [String: UserID] = [:]
  private var images = RowTable<Image, Image>()
  private var uploads: [UserID: UploadHistory] = [:]
  private var comments = RowTable<Comment, Comment>()
  private var flags = RowTable<Flag, Flag>()
  private var moderation = RowTable<ModerationRow, ModerationRow>()
  /// Each request's first row.
  private var firstScores = IDTable<ModerationRequest, ModerationID>(
    filler: ModerationID(high: 0, low: 0))
  /// Rows of further modes: a shadow's beside it.
  private var furtherScores: [ModerationKey: ModerationID] = [:]
  private var viewKeys = IDTable<PlatformEvent, Void>(filler: ())
  private var nextSequence: Int64 = 1
  /// What was looked at; says nothing.
  private var looked: UInt64 = 0
  var outbox: [OutboxEntry] = []

  /// Rows by key; nil where there is none.
  mutating func rows(_ keys: [RowKey]) -> [Row?] {
    for key in keys {
      switch key {
      case .user(let id): looked ^= users.look(at: id)
      case .image(let id), .visibleImage(let id): looked ^= images.look(at: id)
      default: break
      }
    }
    var rows: [Row?] = []
    rows.reserveCapacity(keys.count)
    for key in keys { rows.append(row(key)) }
    return rows
  }

  private mutating func row(_ key: RowKey) -> Row? {
    switch key {
    case .user(let id): users[id]
    case .username(let name): if let id = usernames[name] { users[id] } else { nil }
    case .image(let id): images[id].map(Row.image)
    case .visibleImage(let id):
      if let place = images.place(of: id), images.rows[place].deletedAt == nil {
        .visible
      } else {
        nil
      }
    case .comment(let id): comments[id].map(Row.comment)
    case .flag(let id): flags[id].map(Row.flag)
    case .moderation(let id): moderation[id].map(Row.moderation)
    }
  }

  /// Carries out the transaction of a view and its event in one go: nearly all are. Nil for any
  /// other, and when there is no such image.
  mutating func view(_ mutations: [Mutation]) -> [MutationOutcome]? {
    guard mutations.count == 2, case .addView(let id, let key) = mutations[0],
      case .enqueue(let event) = mutations[1], let place = images.place(of: id)
    else { return nil }
    if let key, viewKeys.insert(key, ()) != nil {
      return [.views(images.rows[place].views), .done]
    }
    enqueue(event)
    return [.views(images.change(at: place) { $0.addView() }), .done]
  }

  private mutating func enqueue(_ event: OutboxEvent) {
    outbox.append(OutboxEntry(sequence: nextSequence, event: event))
    nextSequence += 1
  }

  /// The outcomes of a transaction that was done before (rule 2) or whose user name is taken
  /// (rule 3); nil when it is new.
  mutating func repeated(_ mutations: [Mutation]) -> [MutationOutcome]? {
    for index in mutations.indices {
      if case .addView(let id, let key?) = mutations[index], viewKeys[key] != nil {
        let views = MutationOutcome.views(images.place(of: id).map { images.rows[$0].views } ?? 0)
        return mutations.indices.map { $0 == index ? views : .done }
      }
      let existing: Row? =
        switch mutations[index] {
        case .enqueue, .addView: nil
        case .insertUser(let user): row(.user(user.id)) ?? row(.username(user.username))
        case .insertImage(let image): row(.image(image.id))
        case .insertComment(let comment): row(.comment(comment.id))
        case .insertFlag(let flag): row(.flag(flag.id))
        // Scores come many in one transaction and are told apart one by one (rule 5).
        case .insertModeration(let new) where new.requestID == nil: row(.moderation(new.id))
        default: nil
        }
      if let existing {
        return mutations.indices.map { $0 == index ? .existing(existing) : .done }
      }
    }
    return nil
  }

  /// Why a transaction can't be carried out; nil when it can.
  mutating func objection(to mutations: [Mutation]) -> PortError? {
    var staged = StagedRows()
    let lastRow = mutations.lastIndex { !$0.isEnqueue } ?? 0
    for index in mutations.indices.prefix(lastRow + 1) {
      if let error = objection(to: mutations[index], staged) { return error }
      if index < lastRow { staged.add(mutations[index]) }
    }
    return nil
  }

  /// Why a mutation can't be carried out after those `staged` before it in its transaction.
  private mutating func objection(to mutation: Mutation, _ staged: StagedRows) -> PortError? {
    switch mutation {
    case .insertModeration, .enqueue: return nil
    case .insertUser(let row):
      return staged.has(.username(row.username)) ? taken(row.username) : nil
    case .insertImage(let row): return has(.user(row.userID), staged) ? nil : noUser(row.userID)
    case .insertComment(let row):
      guard has(.image(row.imageID), staged) else { return missing("image_id", row.imageID) }
      return has(.user(row.userID), staged) ? nil : noUser(row.userID)
    case .insertFlag(let row):
      guard has(.user(row.userID), staged) else { return noUser(row.userID) }
      if let id = row.imageID, !has(.image(id), staged) { return missing("image_id", id) }
      if let id = row.commentID, !has(.comment(id), staged) { return missing("comment_id", id) }
      return nil
    case .updateUser(let row):
      guard has(.user(row.id), staged) else { return absent("user", row.id) }
      return usernames[row.username].map { $0 != row.id } == true ? taken(row.username) : nil
    case .addView(let id, _), .deleteImage(let id, _):
      return has(.image(id), staged) ? nil : absent("image", id)
    case .requirePending(let target):
      if flags.rows.contains(where: { $0.reviewStatus == .pending && reviewTarget($0) == target }) {
        return nil
      }
      return PortError(
        .conflict, port: "ApplicationStore", operation: "commit",
        hint: "\(target.type) \(target.idText) has no pending flag any more")
    case .deleteComment(let id, _): return has(.comment(id), staged) ? nil : absent("comment", id)
    case .hideComment(let id, let by):
      guard has(.comment(id), staged) else { return absent("comment", id) }
      return has(.moderation(by), staged) ? nil : missing("moderator_action_id", by)
    case .resolveFlags(let target, _, let by, _):
      switch target {
      case .image(let id): if !has(.image(id), staged) { return absent("image", id) }
      case .comment(let id): if !has(.comment(id), staged) { return absent("comment", id) }
      case .account:
        return PortError(
          .invalid, port: "ApplicationStore", operation: "commit",
          hint: "flags are about images and comments, not accounts")
      }
      return has(.moderation(by), staged) ? nil : missing("moderation_action_id", by)
    }
  }

  /// Whether a row is there, or comes with the same transaction.
  private mutating func has(_ key: RowKey, _ staged: StagedRows) -> Bool {
    let isThere =
      switch key {
      case .user(let id): users[id] != nil
      case .username(let name): usernames[name] != nil
      case .image(let id), .visibleImage(let id): images.contains(id)
      case .comment(let id): comments.contains(id)
      case .flag(let id): flags.contains(id)
      case .moderation(let id): moderation.contains(id)
      }
    return isThere || staged.has(key)
  }

  mutating func carryOut(_ mutation: Mutation) -> MutationOutcome {
    switch mutation {
    case .insertUser(let user):
      users.put(user.id, .user(user))
      usernames[user.username] = user.id
    case .insertImage(let image):
      images.put(image, at: image.id)
      uploads[image.userID, default: UploadHistory()].add(image)
    case .insertComment(let comment): comments.put(comment, at: comment.id)
    case .insertFlag(let flag): flags.put(flag, at: flag.id)
    case .insertModeration(let row): return insert(row)
    case .updateUser(let user):
      if let old = users[user.id]?.user { usernames[old.username] = nil }
      users.put(user.id, .user(user))
      usernames[user.username] = user.id
    case .requirePending: return .done
    case .addView(let id, let key):
      if let key { _ = viewKeys.insert(key, ()) }
      return .views(images.change(id) { $0.addView() } ?? 0)
    case .deleteImage(let id, let time):
      if let owner = images.change(id, { $0.delete(at: time) }) ?? nil {
        uploads[owner]?.add(deleted: time)
      }
    case .deleteComment(let id, let time):
      comments.change(id) { $0.deletedAt = $0.deletedAt ?? time }
    case .hideComment(let id, let action):
      comments.change(id) { comment in
        comment.isModeratorHidden = true
        comment.moderatorActionID = action
      }
    case .resolveFlags(let target, let status, let action, let time):
      return .changed(resolve(target, status, action, time))
    case .enqueue(let event): enqueue(event)
    }
    return .done
  }

  mutating func subject(_ id: ImageID, asOf: EventTime) -> SubjectRecord? {
    guard var image = images[id], image.createdAt <= asOf,
      let uploader = users[image.userID]?.user
    else { return nil }
    if let deletedAt = image.deletedAt, deletedAt > asOf { image.deletedAt = nil }
    let uploads = uploads[image.userID] ?? UploadHistory()
    return SubjectRecord(
      image: image, uploader: uploader, existingImages: uploads.existing(asOf: asOf),
      createdImages: uploads.created(asOf: asOf))
  }

  mutating func snapshot() -> ApplicationSnapshot {
    var snapshot = ApplicationSnapshot()
    snapshot.users = users.values.compactMap(\.user).sorted {
      ($0.createdAt, $0.id) < ($1.createdAt, $1.id)
    }
    snapshot.images = images.sorted { ($0.createdAt, $0.id) }
    snapshot.comments = comments.sorted { ($0.createdAt, $0.id) }
    snapshot.flags = flags.sorted { ($0.createdAt, $0.id) }
    snapshot.moderation = moderation.sorted { ($0.createdAt, $0.id) }
    return snapshot
  }

  func reviewQueue() -> [ReviewItem] {
    var risk: [ImageID: Double] = [:]
    for row in moderation.rows where row.inferenceMode != "shadow" {
      if case .image(let id) = row.target { risk[id] = max(risk[id] ?? 0, row.riskScore) }
    }
    var pending: [ModerationTarget: Int] = [:]
    for flag in flags.rows where flag.reviewStatus == .pending {
      guard let target = reviewTarget(flag) else { continue }
      pending[target, default: 0] += 1
    }
    let items = pending.map { target, count in
      let image: ImageID? =
        switch target {
        case .image(let id): id
        case .comment(let id): comments.place(of: id).map { comments.rows[$0].imageID }
        case .account: nil
        }
      return ReviewItem(
        target: target, riskScore: image.flatMap { risk[$0] } ?? 0, pendingFlags: count)
    }
    return items.sorted { a, b in
      a.riskScore != b.riskScore
        ? a.riskScore > b.riskScore
        : (a.target.idText, a.target.type) < (b.target.idText, b.target.type)
    }
  }

  /// What a flag asks to have reviewed: the comment where it names one, unless that is gone.
  private func reviewTarget(_ flag: Flag) -> ModerationTarget? {
    if let id = flag.commentID {
      guard let place = comments.place(of: id) else { return .comment(id) }
      return comments.rows[place].deletedAt == nil ? .comment(id) : nil
    }
    guard let id = flag.imageID else { return nil }
    guard let place = images.place(of: id) else { return .image(id) }
    return images.rows[place].deletedAt == nil ? .image(id) : nil
  }

  private mutating func insert(_ row: ModerationRow) -> MutationOutcome {
    if let existing = scored(row) { return .existing(.moderation(existing)) }
    moderation.put(row, at: row.id)
    return .done
  }

  /// The row that its request has of its mode (rule 5); nil when there is none: then it is noted.
  private mutating func scored(_ row: ModerationRow) -> ModerationRow? {
    guard let request = row.requestID, let first = firstScores.insert(request, row.id)
    else { return nil }
    if let existing = moderation[first], existing.inferenceMode == row.inferenceMode {
      return existing
    }
    let key = ModerationKey(request: request, mode: row.inferenceMode)
    if let further = furtherScores[key] { return moderation[further] }
    furtherScores[key] = row.id
    return nil
  }

  private mutating func resolve(
    _ target: ModerationTarget, _ status: ReviewStatus, _ action: ModerationID, _ time: EventTime
  ) -> Int {
    var changed = 0
    for flag in flags.rows where flag.reviewStatus == .pending && reviewTarget(flag) == target {
      flags.change(flag.id) { flag in
        flag.reviewStatus = status
        flag.moderationActionID = action
        flag.resolvedAt = time
      }
      changed += 1
    }
    return changed
  }

  private func taken(_ username: String) -> PortError {
    PortError(
      .conflict, port: "ApplicationStore", operation: "commit",
      hint: "username: '\(username)' is taken")
  }

  private func noUser(_ id: UserID) -> PortError { missing("user_id", id) }

  private func missing<Entity>(_ field: String, _ id: ID<Entity>) -> PortError {
    PortError(
      .missingReference, port: "ApplicationStore", operation: "commit",
      hint: "\(field): there is no row \(id)")
  }

  private func absent<Entity>(_ what: String, _ id: ID<Entity>) -> PortError {
    PortError(
      .notFound, port: "ApplicationStore", operation: "commit",
      hint: "there is no \(what) \(id)")
  }
}

/// Rows that a transaction inserts before the mutation at hand.
private struct StagedRows {
  private var keys: [RowKey] = []

  func has(_ key: RowKey) -> Bool { keys.contains(key) }

  mutating func add(_ mutation: Mutation) {
    switch mutation {
    case .insertUser(let row): keys += [.user(row.id), .username(row.username)]
    case .insertImage(let row): keys.append(.image(row.id))
    case .insertComment(let row): keys.append(.comment(row.id))
    // Only a review's row is referred to, and it comes alone; scores come by the hundred.
    case .insertModeration(let row) where row.requestID == nil: keys.append(.moderation(row.id))
    default: break
    }
  }
}

extension Row {
  /// The user that it is, if it is one.
  fileprivate var user: User? {
    if case .user(let user) = self { user } else { nil }
  }
}

extension Image {
  fileprivate mutating func addView() -> Int {
    views += 1
    return views
  }

  /// The owner, if the image wasn't deleted before.
  fileprivate mutating func delete(at time: EventTime) -> UserID? {
    guard deletedAt == nil else { return nil }
    deletedAt = time
    return userID
  }
}

extension Mutation {
  fileprivate var isEnqueue: Bool {
    if case .enqueue = self { true } else { false }
  }
}
