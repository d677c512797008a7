/// How to reach and use Redis; every property's default is what a run without a line about it has.
public struct RedisSettings: Hashable, Sendable {
  /// The server's name or address.
  public var host = "127.0.0.1"
  /// The server's TCP port.
  public var port = 6379
  /// The ACL user; nil logs in as `default`, when there is a password.
  public var user: String?
  /// The user's password; nil doesn't log in.
  public var password: String?
  /// The number of the logical database.
  public var database = 0
  /// What every key starts with, so that runs on one server don't meet. With the empty prefix the
  /// keys are the lab's own.
  public var prefix = ""
  /// How long opening a connection may take.
  public var connectTimeout: Duration = .seconds(5)
  /// How long to wait for the server to take or send anything.
  public var commandTimeout: Duration = .seconds(10)
  /// How often a call is tried, when the connection is lost or the server says to come again.
  public var attempts = 4
  /// How long to wait before the second attempt; it doubles with each further one, up to 2 s.
  public var retryPause: Duration = .milliseconds(50)
  /// How many connections are kept open between calls. A call takes one, so threads that call at
  /// once open more.
  public var idleConnections = 8
  /// How long a window's keys outlive the last event counted in them, on the server's clock; nil
  /// for ever. Hygiene only: it must be longer than the retention and than any pause of the stream.
  public var timeToLive: Duration? = .seconds(30 * 86_400)

  /// The defaults.
  public init() {}

  /// `host:port`, as errors name the server.
  var address: String { "\(host):\(port)" }

  /// What is wrong with a setting and how to mend it; nil when nothing is.
  ///
  /// - Parameter retention: how far back events must be kept.
  func problem(retention: Duration) -> String? {
    if host.isEmpty { return "host is empty; name the server" }
    if !(1...65_535).contains(port) { return "port is \(port); choose one of 1 to 65535" }
    if database < 0 { return "database is \(database); the first one is 0" }
    if user != nil, password == nil { return "there is a user but no password; give both" }
    if attempts < 1 { return "attempts is \(attempts); it must be at least 1" }
    if idleConnections < 0 {
      return "idle_connections is \(idleConnections); it can't be negative"
    }
    if retryPause < .zero { return "pause is \(retryPause); it can't be negative" }
    if min(connectTimeout, commandTimeout) < .milliseconds(1) {
      return "a time limit is below 1 ms: connect_limit \(connectTimeout), "
        + "command_limit \(commandTimeout)"
    }
    if let timeToLive, timeToLive <= retention {
      return "time_to_live is \(timeToLive), but events are needed for \(retention); "
        + "make it several times as long"
    }
    return nil
  }
}
