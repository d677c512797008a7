import GRDB
import Moderation
import Ports

/// The application's tables within one transaction: what they hold, and what a commit finds there.
struct ApplicationTransaction {
  /// What a commit's errors are about.
  static let operation = PortMethod("ApplicationStore", "commit")
  /// The connection, inside the transaction.
  let db: Database

  /// The row that a key names.
  func row(_ key: RowKey) throws -> Ports.Row? {
    switch key {
    case .user(let id): try db.row(id).map { .user($0) }
    case .username(let name): try user(named: name).map { .user($0) }
    case .image(let id): try db.row(id).map { .image($0) }
    case .visibleImage(let id): try isVisible(id) ? .visible : nil
    case .comment(let id): try db.row(id).map { .comment($0) }
    case .flag(let id): try db.row(id).map { .flag($0) }
    case .moderation(let id): try db.row(id).map { .moderation($0) }
    }
  }

  /// The user who has a name, compared byte by byte.
  func user(named name: String) throws -> User? {
    // Cut off at its NUL, the name would be somebody else's.
    if name.hasNUL { return nil }
    return try db.first(Self.userByName, [name]) { try User(from: &$0) }
  }

  /// The outcomes of a transaction that was done before (rule 2) or whose user name is taken
  /// (rule 3); nil when it is new.
  func repeated(_ mutations: [Mutation]) throws -> [MutationOutcome]? {
    for index in mutations.indices {
      if let outcome = try repeated(mutations[index]) {
        return mutations.indices.map { $0 == index ? outcome : .done }
      }
    }
    return nil
  }

  /// What a mutation finds that its transaction has left when it was done before.
  private func repeated(_ mutation: Mutation) throws -> MutationOutcome? {
    switch mutation {
    case .addView(let id, let key?): try countedBefore(key) ? .views(views(of: id)) : nil
    case .insertUser(let user):
      try (db.row(user.id) ?? self.user(named: user.username)).map { .existing(.user($0)) }
    case .insertImage(let image): try db.row(image.id).map { .existing(.image($0)) }
    case .insertComment(let comment): try db.row(comment.id).map { .existing(.comment($0)) }
    case .insertFlag(let flag): try db.row(flag.id).map { .existing(.flag($0)) }
    // Scores come many in one transaction and are told apart one by one (rule 5).
    case .insertModeration(let row) where row.requestID == nil:
      try db.row(row.id).map { .existing(.moderation($0)) }
    default: nil
    }
  }

  private func isVisible(_ id: ImageID) throws -> Bool {
    try db.has("SELECT 1 FROM images WHERE id = ? AND deleted_at IS NULL", [id.description])
  }

  private func countedBefore(_ key: EventID) throws -> Bool {
    try db.has("SELECT 1 FROM view_keys WHERE key = ?", [key.description])
  }

  private func views(of id: ImageID) throws -> Int {
    try db.first("SELECT views FROM images WHERE id = ?", [id.description]) { try $0.integer() }
      ?? 0
  }

  private static let userByName =
    "SELECT \(User.table.columns.joined(separator: ", ")) FROM users WHERE username = ?"
}
