import CPostgres

/// There is no connection, or there is none any more.
struct ConnectionFailure: Error {
  /// The server, as `host:port`.
  let address: String
  /// What libpq or the server says.
  let said: String
  /// The server's five characters for why it refuses the connection, if it got so far.
  var state: String?
  /// Whether a connection was there before, on which something may have been sent.
  let wasOpen: Bool

  /// Whether one side won't talk under the TLS that the settings ask for. libpq says so in words
  /// alone: a connection that breaks while TLS begins is none of these.
  var isAboutTrust: Bool {
    !wasOpen && state == nil
      && ["certificate", "does not support SSL"].contains { said.contains($0) }
  }
}

/// The server's answer that a statement failed.
struct ServerError: Error {
  /// The server, as `host:port`.
  let address: String
  /// PostgreSQL's five characters for the kind of error.
  let state: String
  /// What went wrong, in the server's language.
  let message: String
  /// The key at fault, and the like.
  let detail: String?
  /// The constraint, table and column that it is about.
  let constraint: String?
  let table: String?
  let column: String?

  /// Reads an error's fields; nil when it isn't the server's.
  init?(_ result: OpaquePointer, from address: String) {
    func field(_ code: Unicode.Scalar) -> String? {
      PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
    }
    guard let state = field("C") else { return nil }
    self.address = address
    self.state = state
    message = field("M") ?? "an error without a message"
    detail = field("D")
    constraint = field("n")
    table = field("t")
    column = field("c")
  }

  /// The message with its detail.
  var text: String { detail.map { "\(message): \($0)" } ?? message }

  /// Whether the server closes the connection with it: it is shut down, or has crashed.
  var endsConnection: Bool { ["57P01", "57P02", "57P03"].contains(state) }

  /// Whether another transaction inserted the same key first.
  var isTakenKey: Bool { state == "23505" }

  /// Whether transactions got in each other's way, and the server took this one back.
  var isCollision: Bool { state == "40001" || state == "40P01" }

  /// Whether the connection's prepared statements aren't what they were: a pooler handed out
  /// another session, or a table was altered.
  var isStalePlan: Bool {
    state == "26000" || state == "0A000" && message.contains("cached plan")
  }
}

/// A column holds what no adapter has written.
struct UnreadableColumn: Error {
  /// The column's name.
  let column: String
  /// What it holds.
  let value: String
  /// What it should hold.
  let expected: String
}

/// A value that its column can't hold as it is.
struct UnstorableValue: Error {
  /// The column that it is meant for.
  let column: String
  /// What is wrong with it, and how to mend it.
  let problem: String
}
