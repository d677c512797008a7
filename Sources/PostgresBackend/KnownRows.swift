import Moderation
import Ports

/// What the tables are asked by key; the answer to all of it is one round trip.
struct RowKeys {
  var users: [UserID] = []
  var usernames: [String] = []
  var images: [ImageID] = []
  var comments: [CommentID] = []
  var flags: [FlagID] = []
  var moderation: [ModerationID] = []
  var scores: [ScoreKey] = []
  var viewKeys: [EventID] = []
  var pending: [ModerationTarget] = []
}

/// What makes a score unique.
struct ScoreKey: Hashable {
  var request: RequestID
  var mode: String
}

/// The rows that were found.
struct KnownRows {
  fileprivate(set) var users: [UserID: User] = [:]
  fileprivate(set) var images: [ImageID: Image] = [:]
  fileprivate(set) var comments: [CommentID: Comment] = [:]
  fileprivate(set) var flags: [FlagID: Flag] = [:]
  fileprivate(set) var moderation: [ModerationID: ModerationRow] = [:]
  fileprivate(set) var scores: [ScoreKey: ModerationRow] = [:]
  fileprivate(set) var viewKeys: Set<EventID> = []
  /// Targets of pending flags, which stay pending until the transaction's end.
  fileprivate(set) var pending: Set<ModerationTarget> = []
  fileprivate var named: [User] = []

  /// Reads the answers to ``Lookup/all(_:)``.
  init(_ lookups: [Lookup], _ answers: [QueryResult]) throws {
    for (lookup, answer) in zip(lookups, answers) { try lookup.take(answer, &self) }
  }

  /// The user who has a name, compared byte by byte.
  func user(named name: String) -> User? {
    named.first { $0.username.utf8.elementsEqual(name.utf8) }
  }
}

/// One query by key, and what is learnt from its answer.
struct Lookup {
  let query: Query
  let take: (QueryResult, inout KnownRows) throws -> Void

  /// The queries that are needed; those that lock come first, so that the others see what the wait
  /// for a lock has brought.
  static func all(_ keys: RowKeys) throws -> [Lookup] {
    var lookups = keys.pending.compactMap(pending)
    if !keys.viewKeys.isEmpty { lookups.append(viewKeys(keys.viewKeys)) }
    // Cut off at its NUL, the name would be somebody else's.
    let names = keys.usernames.filter { !$0.hasNUL }
    if !names.isEmpty { lookups.append(try usernames(names)) }
    if !keys.scores.isEmpty { lookups.append(try scores(keys.scores)) }
    lookups += rows(keys.users) { $0.users[$1.id] = $1 }
    lookups += rows(keys.images) { $0.images[$1.id] = $1 }
    lookups += rows(keys.comments) { $0.comments[$1.id] = $1 }
    lookups += rows(keys.flags) { $0.flags[$1.id] = $1 }
    lookups += rows(keys.moderation) { $0.moderation[$1.id] = $1 }
    return lookups
  }

  private static func rows<Entity: StoredRow>(
    _ ids: [ID<Entity>], _ add: @escaping (inout KnownRows, Entity) -> Void
  ) -> [Lookup] {
    if ids.isEmpty { return [] }
    return [
      Lookup(query: .rows(ids)) { answer, known in
        for row in try answer.all({ try Entity(from: &$0) }) { add(&known, row) }
      }
    ]
  }

  private static func pending(_ target: ModerationTarget) -> Lookup? {
    guard let query = PendingFlags.lock(target) else { return nil }
    return Lookup(query: query) { answer, known in
      if answer.count > 0 { known.pending.insert(target) }
    }
  }

  private static func viewKeys(_ keys: [EventID]) -> Lookup {
    Lookup(query: Query(selectViewKeys, .ids(keys))) { answer, known in
      for key in try answer.all({ try $0.id() as EventID }) { known.viewKeys.insert(key) }
    }
  }

  private static func usernames(_ names: [String]) throws -> Lookup {
    var column = ColumnWriter(["username"])
    for name in names { try column.text(name) }
    return Lookup(query: Query(selectUsernames, column)) { answer, known in
      known.named += try answer.all { try User(from: &$0) }
    }
  }

  private static func scores(_ keys: [ScoreKey]) throws -> Lookup {
    var columns = ColumnWriter(["inference_request_id", "inference_mode"])
    for key in keys {
      columns.id(key.request)
      try columns.text(key.mode)
    }
    return Lookup(query: Query(selectScores, columns)) { answer, known in
      for row in try answer.all({ try ModerationRow(from: &$0) }) {
        if let key = row.scoreKey { known.scores[key] = row }
      }
    }
  }

  private static let selectViewKeys = Statement(
    "SELECT key FROM view_keys WHERE key = ANY ($1)", [.uuid], takesRows: true)
  private static let selectUsernames = Statement(
    "SELECT \(User.table.list) FROM users WHERE username = ANY ($1)", [.text], takesRows: true)
  private static let selectScores = Statement(
    """
    SELECT \(ModerationRow.table.columns(of: "score"))
    FROM unnest($1, $2) AS asked (request, mode)
    JOIN moderation AS score
      ON score.inference_request_id = asked.request AND score.inference_mode = asked.mode
    """, [.uuid, .text], takesRows: true)
}

extension ModerationRow {
  /// What makes it unique, when a request asked for it.
  var scoreKey: ScoreKey? { requestID.map { ScoreKey(request: $0, mode: inferenceMode) } }
}
