import CCurl
import Glibc
import Synchronization

/// A curl handle with its open connections. Used by one thread at a time: whoever took it from the
/// pool; curl allows handles to change threads between transfers.
final class CurlHandle: @unchecked Sendable {
  private let handle: UnsafeMutableRawPointer

  /// A handle without connections.
  init() throws(TransferFailure) {
    guard Self.isStarted, let handle = curl_easy_init() else {
      throw TransferFailure(
        reason: "curl doesn't start: out of memory?", mayHaveArrived: false, isTransient: true)
    }
    self.handle = handle
  }

  deinit { curl_easy_cleanup(handle) }

  /// curl wants to be started once in a process.
  private static let isStarted = curl_start() == CURLE_OK

  /// Sends a request and waits for its answer.
  func perform(
    _ request: HTTPRequest, _ settings: S3Settings
  ) throws(TransferFailure) -> HTTPResponse {
    curl_easy_reset(handle)
    let lines = try HeaderLines(request.headers)
    let sink = HTTPSink()
    return try withExtendedLifetime((lines, sink)) { () throws(TransferFailure) in
      try setLimits(settings)
      try setSink(sink)
      try set(CURLOPT_URL, request.url)
      try check(curl_set_pointer(handle, CURLOPT_HTTPHEADER, lines.first))
      try send(request)
      return sink.response
    }
  }

  private func setLimits(_ settings: S3Settings) throws(TransferFailure) {
    // Signals are for programs with one thread.
    try set(CURLOPT_NOSIGNAL, 1)
    try set(CURLOPT_PROTOCOLS_STR, "http,https")
    try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    // A key's dots are signed as they are.
    try set(CURLOPT_PATH_AS_IS, 1)
    try set(CURLOPT_TCP_KEEPALIVE, 1)
    try set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeLimit.milliseconds)
    try set(CURLOPT_TIMEOUT_MS, settings.timeLimit.milliseconds)
    try set(CURLOPT_LOW_SPEED_LIMIT, 1)
    try set(CURLOPT_LOW_SPEED_TIME, max(settings.stallTimeLimit.milliseconds / 1000, 1))
    try set(CURLOPT_SSL_VERIFYPEER, settings.verifiesTLS ? 1 : 0)
    try set(CURLOPT_SSL_VERIFYHOST, settings.verifiesTLS ? 2 : 0)
    if !settings.certificates.isEmpty { try set(CURLOPT_CAINFO, settings.certificates) }
  }

  private func setSink(_ sink: HTTPSink) throws(TransferFailure) {
    let context = Unmanaged.passUnretained(sink).toOpaque()
    try check(curl_set_pointer(handle, CURLOPT_WRITEDATA, context))
    try check(curl_set_pointer(handle, CURLOPT_HEADERDATA, context))
    try check(curl_set_transfer(handle, CURLOPT_WRITEFUNCTION) { HTTPSink.take($0, $1, $2, $3) })
    try check(
      curl_set_transfer(handle, CURLOPT_HEADERFUNCTION) { HTTPSink.takeHeader($0, $1, $2, $3) })
  }

  private func send(_ request: HTTPRequest) throws(TransferFailure) {
    if request.method == "HEAD" { try set(CURLOPT_NOBODY, 1) }
    guard let body = request.body else {
      try set(CURLOPT_CUSTOMREQUEST, request.method)
      return try perform()
    }
    let failure = body.withUnsafeBytes { bytes -> TransferFailure? in
      do throws(TransferFailure) {
        try set(CURLOPT_POST, 1)
        try set(CURLOPT_POSTFIELDSIZE_LARGE, bytes.count)
        // Not copied: the bytes stay where they are until the transfer is over. Without any, curl
        // must still be given some place.
        let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress) ?? handle
        try check(curl_set_pointer(handle, CURLOPT_POSTFIELDS, start))
        try set(CURLOPT_CUSTOMREQUEST, request.method)
        try perform()
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  private func perform() throws(TransferFailure) {
    let (code, message) = withUnsafeTemporaryAllocation(
      of: CChar.self, capacity: Int(CURL_ERROR_SIZE)
    ) { buffer in
      buffer.initialize(repeating: 0)
      _ = curl_set_pointer(handle, CURLOPT_ERRORBUFFER, buffer.baseAddress)
      let code = curl_perform_without_sigpipe(handle)
      _ = curl_set_pointer(handle, CURLOPT_ERRORBUFFER, nil)
      return (code, buffer.baseAddress.map { String(cString: $0) } ?? "")
    }
    guard code != CURLE_OK else { return }
    let reason = message.isEmpty ? String(cString: curl_easy_strerror(code)) : message
    // Counted from the call's start, whatever curl has tried meanwhile.
    var sent = 0
    _ = curl_get_long(handle, CURLINFO_REQUEST_SIZE, &sent)
    throw TransferFailure(
      reason: reason, mayHaveArrived: sent > 0, isTransient: !Self.lasting.contains(code.rawValue))
  }

  /// What another attempt won't mend: the address, or trust in the server.
  private static let lasting = [
    CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_PEER_FAILED_VERIFICATION,
    CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
  ].map(\.rawValue)

  private func set(_ option: CURLoption, _ number: Int) throws(TransferFailure) {
    try check(curl_set_long(handle, option, number))
  }

  private func set(_ option: CURLoption, _ text: String) throws(TransferFailure) {
    try check(curl_set_text(handle, option, text))
  }

  private func check(_ code: CURLcode) throws(TransferFailure) {
    guard code != CURLE_OK else { return }
    throw TransferFailure(
      reason: String(cString: curl_easy_strerror(code)), mayHaveArrived: false, isTransient: false)
  }
}

/// Handles that wait for the next transfer with their connections open.
final class CurlPool: Sendable {
  private let settings: S3Settings
  private let idle = Mutex<[CurlHandle]>([])

  /// No handles yet.
  init(_ settings: S3Settings) { self.settings = settings }

  /// Sends a request and waits for its answer. After a failure the handle is let go of with its
  /// connections.
  func perform(_ request: HTTPRequest) throws(TransferFailure) -> HTTPResponse {
    let waiting = idle.withLock { $0.popLast() }
    let handle = if let waiting { waiting } else { try CurlHandle() }
    let response = try handle.perform(request, settings)
    idle.withLock { if $0.count < settings.connections { $0.append(handle) } }
    return response
  }
}

/// Headers as curl's list of lines.
private final class HeaderLines {
  private(set) var first: UnsafeMutablePointer<curl_slist>?

  init(_ headers: [HTTPField]) throws(TransferFailure) {
    // curl would wait a second for leave to send a large body.
    for line in headers.map({ "\($0.name): \($0.value)" }) + ["Expect:"] {
      guard let longer = curl_slist_append(first, line) else {
        throw TransferFailure(reason: "out of memory", mayHaveArrived: false, isTransient: true)
      }
      first = longer
    }
  }

  deinit { curl_slist_free_all(first) }
}

/// Where an answer is gathered.
private final class HTTPSink {
  /// As much as room is made for beforehand.
  private static let mostReserved = 64 << 20

  private(set) var response = HTTPResponse()

  static func take(
    _ bytes: UnsafePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
  ) -> Int {
    guard let bytes, let context else { return 0 }
    let sink = Unmanaged<HTTPSink>.fromOpaque(context).takeUnretainedValue()
    sink.response.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
  }

  static func takeHeader(
    _ bytes: UnsafePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
  ) -> Int {
    guard let bytes, let context else { return 0 }
    let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
    let sink = Unmanaged<HTTPSink>.fromOpaque(context).takeUnretainedValue()
    sink.takeHeader(String(decoding: buffer, as: UTF8.self))
    return size * count
  }

  private func takeHeader(_ line: String) {
    let text = line.filter { !$0.isNewline }
    if text.hasPrefix("HTTP/") {
      // Another answer: the one before was only about going on.
      let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
      response = HTTPResponse(status: status ?? 0)
    } else if let colon = text.firstIndex(of: ":") {
      let value = text[text.index(after: colon)...].drop { $0 == " " }
      response.headers[text[..<colon].lowercased()] = String(value)
      if text[..<colon].lowercased() == "content-length", let length = Int(value) {
        response.body.reserveCapacity(min(max(length, 0), Self.mostReserved))
      }
    }
  }
}

extension Duration {
  /// Whole milliseconds.
  var milliseconds: Int {
    Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }
}
