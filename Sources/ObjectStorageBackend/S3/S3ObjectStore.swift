import Ports
import Synchronization

/// An ``ObjectStore`` in a bucket of S3 or a server that speaks like it.
///
/// A key is the object's, after the settings' prefix; the bytes are the object's. Calls block their
/// thread; any number of threads may make them. A call that gets no answer is repeated, within the
/// settings' limits. When that doesn't help, it is `unavailable` if nothing was done, and
/// `unknownOutcome` if something may have been; then it may be made again.
///
/// *After a lost reply*, `put` and `delete` are simply repeated. `putIfAbsent` marks what it stores
/// (`x-amz-meta-rehearsal-attempt`), so that a repetition that finds an object knows whose it is:
/// the call that stored the object answers true, and no other.
///
/// *Fidelity.* Not kept, for servers over file systems can't: keys that end in `/`, have an empty
/// part, or a part `.` or `..`; also keys with a backslash or control characters. Putting one is
/// `invalid`; none is found, listed or deleted. A request that the network delivers after this
/// store has given up on it may still be carried out, then: two puts of one key within such a time
/// may be swapped.
public final class S3ObjectStore: ObjectStore {
  /// The header by which a call knows what it has stored.
  static let mark = "x-amz-meta-rehearsal-attempt"

  let client: S3Client
  let settings: S3Settings
  private let marks: Marks

  /// A store by settings; nothing is sent yet. Settings that can't be right are `invalid`.
  ///
  /// - Parameter jitter: from 0 to 1: how much of the second half of a wait between attempts is
  ///   waited.
  public init(
    _ settings: S3Settings, jitter: @escaping @Sendable () -> Double = { 0.5 }
  ) throws(PortError) {
    self.settings = settings
    client = try S3Client(settings, jitter: jitter)
    marks = Marks()
    if S3Key.isNobodys(prefix: settings.prefix) {
      throw PortError(
        .invalid, port: "ObjectStore", operation: "open",
        hint: "S3 prefix '\(settings.prefix)': no part may be empty, '.' or '..', and there "
          + "may be no backslash or control character; choose one such as runs/17/")
    }
  }

  /// See ``ObjectStore``, rule 1.
  public func put(_ key: String, _ bytes: [UInt8]) async throws(PortError) {
    try checkKey(key, "put")
    if bytes.count > settings.partSize { return try putInParts(key, bytes) }
    _ = try client.succeed(Self.put(full(key), bytes), "put")
  }

  /// See ``ObjectStore``, rule 2. Never in parts: not every server refuses to finish those when the
  /// key exists.
  public func putIfAbsent(_ key: String, _ bytes: [UInt8]) async throws(PortError) -> Bool {
    try checkKey(key, "putIfAbsent")
    let mark = marks.next()
    var request = Self.put(full(key), bytes)
    request.headers += [("If-None-Match", "*"), (Self.mark, mark)]
    let response = try client.send(request, "putIfAbsent")
    // Whose it is is asked always, not only after a lost reply of ours: curl repeats a request by
    // itself when a connection that was open turns out to be dead.
    guard response.status == 412 else {
      guard response.isSuccess else { throw client.refusal(response, request, "putIfAbsent") }
      return true
    }
    guard let stored = try storedMark(key, "putIfAbsent") else {
      throw PortError(
        .conflict, port: "ObjectStore", operation: "putIfAbsent",
        hint: "\(client.describe(request)): it was there, and is deleted now; try again")
    }
    return stored == mark
  }

  /// See ``ObjectStore``, rule 3.
  public func get(_ key: String) async throws(PortError) -> [UInt8] {
    try checkIsThinkable(key)
    return try client.succeed(S3Request(method: "GET", key: full(key)), "get").body
  }

  /// Those bytes of a key that are in a range, fewer at the object's end.
  public func get(_ key: String, range: Range<Int>) async throws(PortError) -> [UInt8] {
    try checkIsThinkable(key)
    guard range.lowerBound >= 0, !range.isEmpty else {
      throw PortError(
        .invalid, port: "ObjectStore", operation: "get",
        hint: "bytes \(range) of '\(key)': ask for at least one, from 0 on")
    }
    var request = S3Request(method: "GET", key: full(key))
    request.headers = [("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
    let response = try client.send(request, "get")
    if response.status == 416 { return [] }
    guard response.isSuccess else { throw client.refusal(response, request, "get") }
    // Some servers send the part, but call it the whole.
    if response.status == 206 || response.headers["content-range"] != nil { return response.body }
    return Array(response.body.dropFirst(range.lowerBound).prefix(range.count))
  }

  /// See ``ObjectStore``, rule 4.
  public func list(prefix: String) async throws(PortError) -> [String] {
    if S3Key.isNobodys(prefix: prefix) { return [] }
    return try stored(prefix: full(prefix), "list").compactMap { stored -> String? in
      guard let key = String(stored.utf8.dropFirst(settings.prefix.utf8.count)) else { return nil }
      return S3Key.problem(key, prefix: "") == nil ? key : nil
    }
  }

  /// See ``ObjectStore``, rule 5.
  public func delete(_ key: String) async throws(PortError) {
    if S3Key.problem(key, prefix: settings.prefix) != nil { return }
    let request = S3Request(method: "DELETE", key: full(key))
    let response = try client.send(request, "delete")
    let isGone =
      response.status == 404 && S3ErrorDocument(response.body)?.code != "NoSuchBucket"
    guard response.isSuccess || isGone else { throw client.refusal(response, request, "delete") }
  }
}

extension S3ObjectStore {
  /// A request that stores bytes.
  static func put(_ key: String, _ bytes: [UInt8]) -> S3Request {
    S3Request(
      method: "PUT", key: key, headers: [("Content-Type", "application/octet-stream")], body: bytes)
  }

  /// The key in the bucket.
  func full(_ key: String) -> String { settings.prefix + key }

  /// A mark that no other call has, in this process or another.
  func freshMark() -> String { marks.next() }

  /// The mark of the call that stored what is there, empty when it has none; nil when nothing is.
  func storedMark(_ key: String, _ operation: String) throws(PortError) -> String? {
    let request = S3Request(method: "HEAD", key: full(key))
    let response = try client.send(request, operation)
    if response.status == 404 { return nil }
    guard response.isSuccess else { throw client.refusal(response, request, operation) }
    return response.headers[Self.mark] ?? ""
  }

  /// The whole keys in the bucket with a prefix, sorted by their bytes, whatever order the server
  /// has.
  func stored(prefix: String, _ operation: String) throws(PortError) -> [String] {
    var keys: [String] = []
    var token: String?
    repeat {
      let page = try page(prefix: prefix, after: token, operation)
      keys += page.keys
      token = page.next
    } while token != nil
    // Some servers take a prefix for a path, and list what it leads to.
    return keys.filter { $0.utf8.starts(with: prefix.utf8) }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private func page(
    prefix: String, after token: String?, _ operation: String
  ) throws(PortError) -> S3ListPage {
    var request = S3Request(method: "GET")
    request.query = [
      ("list-type", "2"), ("encoding-type", "url"), ("max-keys", String(settings.pageSize)),
      ("prefix", prefix),
    ]
    if let token { request.query.append(("continuation-token", token)) }
    let response = try client.succeed(request, operation)
    let root = try client.document(response, named: "ListBucketResult", request, operation)
    guard let page = S3ListPage(root), page.next == nil || page.next != token else {
      throw PortError(
        .corrupt, port: "ObjectStore", operation: operation,
        hint: "\(client.describe(request)): the listing has keys that can't be decoded, or no end; "
          + "see that the endpoint is an S3 server's")
    }
    return page
  }

  private func checkKey(_ key: String, _ operation: String) throws(PortError) {
    guard let problem = S3Key.problem(key, prefix: settings.prefix) else { return }
    throw PortError(
      .invalid, port: "ObjectStore", operation: operation,
      hint: "key '\(key)' in s3://\(settings.bucket)/\(settings.prefix): \(problem); choose "
        + "another key")
  }

  /// A key that can't be put isn't found.
  private func checkIsThinkable(_ key: String) throws(PortError) {
    guard let problem = S3Key.problem(key, prefix: settings.prefix) else { return }
    throw PortError(
      .notFound, port: "ObjectStore", operation: "get",
      hint: "key '\(key)' in s3://\(settings.bucket)/\(settings.prefix): no such object can be: "
        + problem)
  }

  /// Marks of calls.
  private final class Marks: Sendable {
    private let owner = (0..<2).map { _ in
      String(UInt64.random(in: 0...UInt64.max), radix: 16)
    }.joined()
    private let made = Mutex(0)

    /// One that no other call has.
    func next() -> String {
      let number = made.withLock { made in
        made += 1
        return made
      }
      return "\(owner)-\(number)"
    }
  }
}

/// A page of a listing.
struct S3ListPage: Equatable {
  /// The keys, decoded, as the server orders them.
  var keys: [String] = []
  /// What to ask for the next page with; nil at the end.
  var next: String?

  /// Reads a `ListBucketResult`; nil when a key can't be decoded or the next page not be asked for.
  init?(_ root: XMLElement) {
    let isEncoded = root["EncodingType"]?.text == "url"
    for contents in root.all("Contents") {
      guard let text = contents["Key"]?.text,
        let key = isEncoded ? PercentEncoding.decode(text) : text
      else { return nil }
      keys.append(key)
    }
    if root["IsTruncated"]?.text == "true" {
      guard let token = root["NextContinuationToken"]?.text, !token.isEmpty else { return nil }
      next = token
    }
  }
}
