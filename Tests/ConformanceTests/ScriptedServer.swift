import Foundation
import Glibc
import Synchronization

/// A server of one test that speaks Redis' protocol and misbehaves as the test says: by itself, or
/// between a client and a real server.
final class ScriptedServer: Sendable {
  /// What is done with one request.
  enum Step: Sendable {
    /// Answers so.
    case reply(String)
    /// Hands it to the real server, and its answer back.
    case forward
    /// As ``forward``, and closes the connection then.
    case forwardAndClose
    /// Hands it to the real server and closes the connection instead of answering.
    case loseReply
    /// Closes the connection.
    case close
    /// Never answers.
    case ignore
  }

  /// Where it listens, on 127.0.0.1.
  let port: Int
  private let listener: Int32
  private let upstream: Int?
  private let steps: Mutex<[Step]>
  private let taken = Mutex(0)

  /// Starts to listen. Steps are taken in order, over all connections; logging in and loading
  /// scripts takes none. After the last one requests are forwarded, or the connection is closed
  /// when there is no real server.
  init(_ steps: [Step], upstream: Int? = nil) throws {
    (listener, port) = try Loopback.listener()
    self.upstream = upstream
    self.steps = Mutex(steps)
    Thread.detachNewThread { self.serve() }
  }

  /// How many requests took a step, or came after the last one.
  var requests: Int { taken.withLock { $0 } }

  /// Accepts no more connections.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func serve() {
    while true {
      let client = accept(listener, nil, nil)
      guard client >= 0 else { break }
      let server = upstream.map(Loopback.connected)
      while let request = Self.receive(from: client, replies: nil), answer(request, client, server)
      {}
      if let server { Glibc.close(server) }
      Glibc.close(client)
    }
    Glibc.close(listener)
  }

  /// Does what a request's step says; false when that ends the connection.
  private func answer(_ request: [UInt8], _ client: Int32, _ server: Int32?) -> Bool {
    switch step(for: request) {
    case .reply(let text): return Self.send(Array(text.utf8), to: client)
    case .close: return false
    case .ignore: return true
    case let step:
      guard let server, Self.send(request, to: server),
        let reply = Self.receive(from: server, replies: RESP.count(in: request))
      else { return false }
      if case .loseReply = step { return false }
      guard Self.send(reply, to: client) else { return false }
      if case .forwardAndClose = step { return false }
      return true
    }
  }

  private func step(for request: [UInt8]) -> Step {
    let text = String(decoding: request.prefix(64), as: UTF8.self)
    if ["AUTH", "SELECT", "SCRIPT"].contains(where: text.contains) {
      return upstream == nil ? .reply("+0123456789abcdef\r\n") : .forward
    }
    taken.withLock { $0 += 1 }
    return steps.withLock { steps in
      if steps.isEmpty { return upstream == nil ? .close : .forward }
      return steps.removeFirst()
    }
  }

  /// Bytes up to the end of a whole message; with a number, up to the end of so many messages.
  private static func receive(from socket: Int32, replies: Int?) -> [UInt8]? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      bytes += buffer.prefix(count)
      if let whole = RESP.count(in: bytes), whole >= replies ?? 1 { return bytes }
    }
  }

  private static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
    Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }
}

/// The frame of Redis' protocol (RESP2): where a message ends.
private enum RESP {
  /// How many messages bytes are; nil when the last one isn't whole.
  static func count(in bytes: [UInt8]) -> Int? {
    var count = 0
    var index = 0
    while index < bytes.count {
      guard let end = end(of: index, in: bytes) else { return nil }
      index = end
      count += 1
    }
    return count
  }

  private static func end(of start: Int, in bytes: [UInt8]) -> Int? {
    guard start < bytes.count, let newline = bytes[start...].firstIndex(of: 10) else { return nil }
    let number = Int(String(decoding: bytes[(start + 1)..<(newline - 1)], as: UTF8.self)) ?? 0
    switch bytes[start] {
    case UInt8(ascii: "$") where number >= 0:
      let end = newline + 1 + number + 2
      return end <= bytes.count ? end : nil
    case UInt8(ascii: "*"):
      var index = newline + 1
      for _ in 0..<max(number, 0) {
        guard let end = end(of: index, in: bytes) else { return nil }
        index = end
      }
      return index
    default: return newline + 1
    }
  }
}
