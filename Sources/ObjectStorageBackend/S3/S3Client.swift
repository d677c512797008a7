import CCurl
import Glibc
import Ports
import Synchronization

/// One request to a bucket, before it is addressed and signed.
struct S3Request {
  /// The method, in upper case.
  var method: String
  /// The whole key; nil when the bucket is asked.
  var key: String?
  /// Parameters, not encoded.
  var query: [HTTPField] = []
  /// Headers beyond those that every request has.
  var headers: [HTTPField] = []
  /// The body; nil for a method that has none.
  var body: [UInt8]?
  /// Whether an answer of success may hold an error, as that about the end of an upload.
  var mayFailLate = false

  /// Whether it changes what is stored.
  var changes: Bool { !["GET", "HEAD"].contains(method) }
}

/// Sends requests to a bucket: addressed, signed, repeated where that helps.
final class S3Client: Sendable {
  /// What it was made with.
  let settings: S3Settings
  private let pool: CurlPool
  private let route: Mutex<S3Route>
  private let jitter: @Sendable () -> Double

  /// Nothing is sent yet; `invalid` for settings that can't be right.
  init(_ settings: S3Settings, jitter: @escaping @Sendable () -> Double) throws(PortError) {
    self.settings = settings
    self.jitter = jitter
    pool = CurlPool(settings)
    route = Mutex(try S3Route(settings))
  }

  /// Sends a request until there is an answer that would stay the same, whatever it says.
  ///
  /// Throws `unavailable` when there was none and nothing was done, `unknownOutcome` when something
  /// may have been, `invalid` when the server can't be talked to, `conflict` when it keeps saying
  /// that others are at it.
  func send(_ request: S3Request, _ operation: String) throws(PortError) -> HTTPResponse {
    var attempts = S3Attempts(settings, changes: request.changes)
    var route = self.route.withLock { $0 }
    let bodyHash = SHA256.hexHash(request.body ?? [])
    while true {
      let outcome = attempt(request, bodyHash, on: route)
      switch attempts.next(after: outcome, on: route, jitter: jitter()) {
      case .answer(let response): return response
      case .again(let delay): Self.pause(delay)
      case .follow(let other, let isPermanent):
        route = other
        if isPermanent { self.route.withLock { $0 = other } }
      case .giveUp(let code, let reason):
        throw PortError(
          code, port: "ObjectStore", operation: operation,
          hint: "\(describe(request)): \(reason); see that the server runs, and that the "
            + "settings' endpoint and certificates are right")
      }
    }
  }

  /// Sends a request that must succeed; throws what ``send(_:_:)`` does and what the server's
  /// refusal means.
  func succeed(_ request: S3Request, _ operation: String) throws(PortError) -> HTTPResponse {
    let response = try send(request, operation)
    guard response.isSuccess else { throw refusal(response, request, operation) }
    return response
  }

  /// What an answer that isn't success means.
  func refusal(
    _ response: HTTPResponse, _ request: S3Request, _ operation: String
  ) -> PortError {
    S3Refusal(
      status: response.status, error: S3ErrorDocument(response.body), request: describe(request),
      bucket: settings.bucket, date: response.headers["date"]
    ).portError(operation)
  }

  /// The document that an answer holds; `corrupt` when it isn't one of that name.
  func document(
    _ response: HTTPResponse, named name: String, _ request: S3Request, _ operation: String
  ) throws(PortError) -> XMLElement {
    var reason = "it begins with another element"
    do throws(XMLFlaw) {
      let root = try XMLReader.read(response.body)
      if root.name == name { return root }
    } catch {
      reason = "\(error.reason) at byte \(error.offset)"
    }
    throw PortError(
      .corrupt, port: "ObjectStore", operation: operation,
      hint: "\(describe(request)): the answer isn't a '\(name)': \(reason); see that the endpoint "
        + "is an S3 server's")
  }

  /// A request for a person: `PUT s3://bucket/key at http://127.0.0.1:9000`.
  func describe(_ request: S3Request) -> String {
    let endpoint = route.withLock { $0.endpoint }
    return "\(request.method) s3://\(settings.bucket)/\(request.key ?? "") at \(endpoint)"
  }

  private func attempt(
    _ request: S3Request, _ bodyHash: String, on route: S3Route
  ) -> Result<HTTPResponse, TransferFailure> {
    Result { () throws(TransferFailure) in
      var response = try pool.perform(signed(request, bodyHash, on: route))
      if request.mayFailLate, response.isSuccess, S3ErrorDocument(response.body) != nil {
        response.status = 500
      }
      return response
    }
  }

  private func signed(
    _ request: S3Request, _ bodyHash: String, on route: S3Route
  ) -> HTTPRequest {
    let path = route.path(request.key)
    let query = Self.canonical(request.query)
    var headers = [(name: "Host", value: route.host)] + request.headers
    if !settings.accessKey.isEmpty {
      let signature = S3Signature(
        credentials: S3Signature.Credentials(
          accessKey: settings.accessKey, secretKey: settings.secretKey,
          sessionToken: settings.sessionToken),
        region: route.region, time: Self.time())
      headers = signature.headers(
        method: request.method, path: path, query: query, headers: headers, bodyHash: bodyHash)
    }
    let address = "\(route.scheme)://\(route.host)\(path)" + (query.isEmpty ? "" : "?\(query)")
    return HTTPRequest(method: request.method, url: address, headers: headers, body: request.body)
  }

  /// Parameters encoded and sorted, as they are signed and sent; one without a value has its `=`.
  static func canonical(_ query: [HTTPField]) -> String {
    query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
      .sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "&")
  }

  /// The present as signatures have it: `20251123T071900Z`.
  private static func time() -> String {
    var seconds = Glibc.time(nil)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    func digits(_ number: Int32, _ count: Int) -> String {
      String((String(repeating: "0", count: count) + String(number)).suffix(count))
    }
    return digits(fields.tm_year + 1900, 4) + digits(fields.tm_mon + 1, 2)
      + digits(fields.tm_mday, 2) + "T" + digits(fields.tm_hour, 2) + digits(fields.tm_min, 2)
      + digits(fields.tm_sec, 2) + "Z"
  }

  private static func pause(_ delay: Duration) {
    let (seconds, attoseconds) = delay.components
    var rest = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    var left = timespec()
    while nanosleep(&rest, &left) != 0, errno == EINTR { rest = left }
  }
}
