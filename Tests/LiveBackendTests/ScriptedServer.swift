import Foundation
import Glibc
import Synchronization

/// An HTTP server on a free port of the loopback whose answers a test writes.
final class ScriptedServer: Sendable {
  /// What came.
  struct Request: Sendable {
    /// Such as `PUT`.
    var method: String
    /// Path and query, encoded.
    var target: String
    /// Values by name in lower case.
    var headers: [String: String]
    /// The body.
    var body: [UInt8]
  }

  /// What goes out.
  struct Answer: Sendable {
    /// The status.
    var status = 200
    /// More headers; the length is sent by itself.
    var headers: [String: String] = [:]
    /// The body.
    var body = ""
    /// Whether nothing is sent, and the connection closed.
    var isLost = false
  }

  /// The server's port.
  let port: Int
  private let core: Core

  /// A server that answers so; answers come from several threads, one request at a time.
  init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    let listener = try Sockets.listen(port: 0)
    port = Sockets.port(of: listener)
    core = Core(answer)
    let core = core
    Thread { core.serve(listener) }.start()
  }

  deinit { core.state.withLock { $0.isStopped = true } }

  /// All that has come, in order.
  var requests: [Request] { core.state.withLock { $0.requests } }

  private final class Core: Sendable {
    let state = Mutex((requests: [Request](), isStopped: false))
    private let answer: @Sendable (Request) -> Answer

    init(_ answer: @escaping @Sendable (Request) -> Answer) { self.answer = answer }

    func serve(_ listener: Int32) {
      defer { close(listener) }
      while !state.withLock({ $0.isStopped }) {
        var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, 5)
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { continue }
        Thread { self.converse(connection) }.start()
      }
    }

    private func converse(_ connection: Int32) {
      defer { close(connection) }
      var bytes: [UInt8] = []
      while let request = Self.read(connection, &bytes) {
        let answer = state.withLock { state in
          state.requests.append(request)
          return self.answer(request)
        }
        if answer.isLost { return }
        let isHead = request.method == "HEAD"
        let lines =
          ["HTTP/1.1 \(answer.status) x"] + answer.headers.map { "\($0): \($1)" }
          + (isHead ? [] : ["Content-Length: \(answer.body.utf8.count)"])
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n" + (isHead ? "" : answer.body)
        let out = Array(text.utf8)
        guard Glibc.send(connection, out, out.count, Int32(MSG_NOSIGNAL)) == out.count else {
          return
        }
      }
    }

    /// The next request of a connection; nil at its end.
    private static func read(_ connection: Int32, _ bytes: inout [UInt8]) -> Request? {
      while true {
        if let (request, length) = parse(bytes) {
          bytes.removeFirst(length)
          return request
        }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(connection, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        bytes += buffer[..<count]
      }
    }

    /// A whole request at the beginning of bytes, and how long it is.
    private static func parse(_ bytes: [UInt8]) -> (Request, length: Int)? {
      guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
      let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        .components(separatedBy: "\r\n")
      let words = lines[0].split(separator: " ").map { String($0) }
      var headers: [String: String] = [:]
      for line in lines.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        headers[parts[0].lowercased()] = parts.count < 2 ? "" : String(parts[1].dropFirst())
      }
      let length = end.upperBound + (headers["content-length"].flatMap { Int($0) } ?? 0)
      guard bytes.count >= length, words.count > 1 else { return nil }
      let body = Array(bytes[end.upperBound..<length])
      return (Request(method: words[0], target: words[1], headers: headers, body: body), length)
    }
  }
}
