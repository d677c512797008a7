import CPostgres
import Glibc

/// One session with the server, in libpq's pipeline mode: statements are sent together and answered
/// together, in one round trip.
///
/// Sendable because the pool hands it to one caller at a time, and because ``cancel()`` uses
/// nothing but libpq's own copy of the address, made for use by other threads.
final class Connection: @unchecked Sendable {
  let handle: OpaquePointer
  /// How long to wait for the next bytes.
  var limit: Duration
  /// The names of the statements that the session has prepared, by their text.
  var prepared: [String: String] = [:]
  /// Names the time since the server last started or recovered from a crash: within it, no number
  /// of a transaction comes twice.
  private(set) var epoch = ""
  /// Whether an answer is missing for good.
  private(set) var isBroken = false
  private var cancellation: OpaquePointer?

  private init(_ handle: OpaquePointer, limit: Duration) {
    self.handle = handle
    self.limit = limit
  }

  deinit {
    PQfreeCancel(cancellation)
    PQfinish(handle)
  }

  /// Connects and logs in.
  static func open(_ settings: PostgresSettings) throws -> Connection {
    let parameters = settings.parameters
    // libpq takes two arrays of C strings that end with NULL.
    let keywords = parameters.map { strdup($0.keyword) }
    let values = parameters.map { strdup($0.value) }
    defer { for text in keywords + values { free(text) } }
    let handle = PQconnectStartParams(
      keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
    guard let handle else {
      throw ConnectionFailure(address: "", said: "there is no memory left", wasOpen: false)
    }
    let connection = Connection(handle, limit: settings.connectLimit)
    try connection.logIn()
    try connection.configure(settings)
    connection.limit = settings.replyLimit
    return connection
  }

  /// The server, as `host:port`.
  var address: String {
    let host = PQhost(handle).map { String(cString: $0) } ?? ""
    let port = PQport(handle).map { String(cString: $0) } ?? ""
    return "\(host.isEmpty ? "localhost" : host):\(port)"
  }

  /// Whether nothing is under way, so that another caller may have it.
  var isIdle: Bool {
    !isBroken && PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE
  }

  /// Asks the server to give up what it is working on for this session; from any thread.
  func cancel() {
    var problem = [CChar](repeating: 0, count: 256)
    // A request that doesn't get through leaves the statement to its time limit.
    if let cancellation { PQcancel(cancellation, &problem, Int32(problem.count)) }
  }

  /// Lets the pool close the connection.
  func retire() { isBroken = true }

  /// The connection is no use any more; says why.
  func broken(_ reason: String? = nil) -> ConnectionFailure {
    isBroken = true
    let said = reason ?? String(cString: PQerrorMessage(handle))
    return ConnectionFailure(
      address: address, said: said.singleLine, state: nil, wasOpen: true)
  }

  /// Waits until the socket is ready for one of `events`.
  func wait(for events: Int32) throws {
    var socket = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
    let deadline = ContinuousClock.now + limit
    while true {
      let left = (deadline - ContinuousClock.now) / .milliseconds(1)
      let ready = left > 0 ? poll(&socket, 1, Int32(min(left.rounded(.up), 3_600_000))) : 0
      if ready > 0 { return }
      if ready == 0 { throw broken("no answer within \(limit)") }
      if errno != EINTR { throw broken("poll: errno \(errno)") }
    }
  }

  private func logIn() throws {
    // With the state in the text: libpq has no other way to say why it was refused.
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
    do {
      var state = PGRES_POLLING_WRITING
      while state != PGRES_POLLING_OK {
        if state == PGRES_POLLING_FAILED || PQstatus(handle) == CONNECTION_BAD { throw broken() }
        try wait(for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT)
        state = PQconnectPoll(handle)
      }
    } catch let failure as ConnectionFailure {
      throw ConnectionFailure(
        address: failure.address, said: failure.said, state: failure.said.errorState,
        wasOpen: false)
    }
    PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    cancellation = PQgetCancel(handle)
    guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
      throw broken()
    }
  }

  /// Sets the session up: the run's schema, time limits, and a planner that plans each statement
  /// once, and doesn't take today's small tables for an excuse to read them whole later.
  ///
  /// A crash of one session's process makes the server recover without starting anew; what shows it
  /// is that the server's statistics begin again.
  private func configure(_ settings: PostgresSettings) throws {
    var values = ColumnWriter(["schema", "statement_timeout", "lock_timeout"])
    try values.text(settings.schema)
    try values.text("\(settings.statementLimit.wholeMilliseconds)")
    try values.text("\(settings.lockLimit.wholeMilliseconds)")
    let answers = try exchange([Query(Self.setUp, values)])
    epoch = try answers[0].first { try $0.text() } ?? ""
  }

  private static let setUp = Statement(
    """
    SELECT concat(pg_postmaster_start_time(), ' ', (SELECT stats_reset FROM pg_stat_bgwriter)),
      set_config('search_path', quote_ident($1), false),
      set_config('statement_timeout', $2, false),
      set_config('idle_in_transaction_session_timeout', $2, false),
      set_config('lock_timeout', $3, false),
      set_config('client_min_messages', 'warning', false),
      set_config('enable_seqscan', 'off', false),
      set_config('plan_cache_mode', 'force_generic_plan', false),
      set_config('jit', 'off', false)
    """, [.text, .text, .text])
}

extension PostgresSettings {
  /// What libpq is told; what comes later takes precedence.
  fileprivate var parameters: [(keyword: String, value: String)] {
    let chosen: [(String, String?)] = [
      ("dbname", conninfo.isEmpty ? nil : conninfo), ("host", host),
      ("port", port.map(String.init)),
      ("user", user), ("dbname", database), ("password", password), ("sslmode", sslMode),
      ("sslrootcert", rootCertificate), ("application_name", applicationName),
      ("client_encoding", "UTF8"), ("tcp_user_timeout", "\(replyLimit.wholeMilliseconds)"),
    ]
    return chosen.compactMap { keyword, value in value.map { (keyword, $0) } }
  }
}

extension Duration {
  /// Milliseconds, at least one: to PostgreSQL, zero is no limit.
  var wholeMilliseconds: Int { max(1, Int(self / .milliseconds(1))) }
}

extension String {
  /// The text in one line.
  var singleLine: String {
    split { $0.isNewline || $0 == "\t" }.joined(separator: "; ")
  }

  /// The state within libpq's verbose text of a refusal: `… FATAL:  28P01: password …`.
  fileprivate var errorState: String? {
    firstMatch(of: #/:  ([0-9A-Z]{5}): /#).map { String($0.1) }
  }
}
