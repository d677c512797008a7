import Moderation
import Ports

/// One transaction of the application: what must be known before it, and what it then does. Pure:
/// the database asks and carries out.
struct ApplicationCommit {
  /// What a commit's errors are about.
  static let operation = PortMethod("ApplicationStore", "commit")
  /// What is to be done.
  let mutations: [Mutation]
  /// What the tables hold of it.
  let known: KnownRows

  /// What to do about the mutations.
  func decision() throws -> Decision<[MutationOutcome]> {
    if let outcomes = repeated() { return .answer(outcomes) }
    if let error = objection() { throw error }
    var changes = ApplicationChanges(scores: known.scores)
    for mutation in mutations { try changes.add(mutation) }
    return changes.decision()
  }

  /// The outcomes of a transaction that was done before (rule 2) or whose user name is taken
  /// (rule 3); nil when it is new.
  private func repeated() -> [MutationOutcome]? {
    for index in mutations.indices {
      if let outcome = repeated(mutations[index]) {
        return mutations.indices.map { $0 == index ? outcome : .done }
      }
    }
    return nil
  }

  /// What a mutation finds that its transaction has left when it was done before.
  private func repeated(_ mutation: Mutation) -> MutationOutcome? {
    switch mutation {
    case .addView(let id, let key?):
      known.viewKeys.contains(key) ? .views(known.images[id]?.views ?? 0) : nil
    case .insertUser(let row):
      (known.users[row.id] ?? known.user(named: row.username)).map { .existing(.user($0)) }
    case .insertImage(let row): known.images[row.id].map { .existing(.image($0)) }
    case .insertComment(let row): known.comments[row.id].map { .existing(.comment($0)) }
    case .insertFlag(let row): known.flags[row.id].map { .existing(.flag($0)) }
    // Scores come many in one transaction and are told apart one by one (rule 5).
    case .insertModeration(let row) where row.requestID == nil:
      known.moderation[row.id].map { .existing(.moderation($0)) }
    default: nil
    }
  }
}

extension RowKeys {
  /// The keys that mutations name.
  init(of mutations: [Mutation]) {
    for mutation in mutations { add(mutation) }
  }

  private mutating func add(_ mutation: Mutation) {
    switch mutation {
    case .insertUser(let row), .updateUser(let row):
      users.append(row.id)
      usernames.append(row.username)
    case .insertImage(let row):
      images.append(row.id)
      users.append(row.userID)
    case .insertComment(let row):
      comments.append(row.id)
      images.append(row.imageID)
      users.append(row.userID)
      if let action = row.moderatorActionID { moderation.append(action) }
    case .insertFlag(let row):
      flags.append(row.id)
      users.append(row.userID)
      if let image = row.imageID { images.append(image) }
      if let comment = row.commentID { comments.append(comment) }
      if let action = row.moderationActionID { moderation.append(action) }
    case .insertModeration(let row):
      if let key = row.scoreKey { scores.append(key) } else { moderation.append(row.id) }
    case .addView(let id, let key):
      images.append(id)
      if let key { viewKeys.append(key) }
    case .requirePending(let target): pending.append(target)
    case .deleteImage(let id, _): images.append(id)
    case .deleteComment(let id, _): comments.append(id)
    case .hideComment(let id, let action):
      comments.append(id)
      moderation.append(action)
    case .resolveFlags(let target, _, let action, _):
      add(target)
      moderation.append(action)
    case .enqueue: break
    }
  }

  private mutating func add(_ target: ModerationTarget) {
    switch target {
    case .image(let id): images.append(id)
    case .comment(let id): comments.append(id)
    case .account: break
    }
  }
}
