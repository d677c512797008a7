import Foundation
import Glibc
import Synchronization

/// A broker of Kafka's protocol that lets nobody in: it takes SASL PLAIN's user and password, and
/// refuses them.
final class LoginBroker: Sendable {
  /// Where it listens, on 127.0.0.1.
  let port: Int
  private let listener: Int32
  private let refusal: String
  private let taken = Mutex<[String]>([])

  /// Starts to listen.
  ///
  /// - Parameter refusal: what it says to whoever logs in.
  init(refusal: String) throws {
    self.refusal = refusal
    let listener: Int32
    (listener, port) = try Loopback.listener()
    self.listener = listener
    Thread.detachNewThread { Self.serve(listener) { [weak self] in self?.answer($0) } }
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  /// What clients sent to log in.
  var tokens: [String] { taken.withLock { $0 } }

  private static func serve(_ listener: Int32, _ answer: ([UInt8]) -> [UInt8]?) {
    while true {
      let client = accept(listener, nil, nil)
      guard client >= 0 else { break }
      while let request = frame(from: client), let reply = answer(request) {
        let bytes = int32(reply.count) + reply
        guard send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { break }
      }
      close(client)
    }
    close(listener)
  }

  /// The reply to a request, from its correlation id on; nil ends the connection.
  private func answer(_ request: [UInt8]) -> [UInt8]? {
    let (api, version) = (Self.int16(request, 0), Self.int16(request, 2))
    let body: [UInt8]
    switch (api, version) {
    // Which requests there are, in the oldest form; newer ones it doesn't know.
    case (18, 0):
      let known = [(18, 0, 0), (17, 0, 1), (36, 0, 0)]
      body =
        Self.int16(0) + Self.int32(known.count)
        + known.flatMap { Self.int16($0) + Self.int16($1) + Self.int16($2) }
    case (18, _): body = Self.int16(35) + Self.int32(0)
    case (17, _): body = Self.int16(0) + Self.int32(1) + Self.text("PLAIN")
    case (36, _):
      // Behind the header with the client's name: the token's length and bytes.
      let start = 10 + Self.int16(request, 8)
      let token = String(decoding: request.dropFirst(start + 4), as: UTF8.self)
      taken.withLock { $0.append(token) }
      body = Self.int16(58) + Self.text(refusal) + Self.int32(0)
    default: return nil
    }
    return Array(request[4..<8]) + body
  }

  /// The next request; nil at the end.
  private static func frame(from client: Int32) -> [UInt8]? {
    guard let head = bytes(4, from: client) else { return nil }
    return bytes(int16(head, 0) << 16 + int16(head, 2), from: client)
  }

  private static func bytes(_ count: Int, from client: Int32) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var buffer = [UInt8](repeating: 0, count: count - bytes.count)
      let got = recv(client, &buffer, buffer.count, 0)
      guard got > 0 else { return nil }
      bytes += buffer.prefix(got)
    }
    return bytes
  }

  private static func int16(_ bytes: [UInt8], _ place: Int) -> Int {
    Int(bytes[place]) << 8 | Int(bytes[place + 1])
  }

  private static func int16(_ number: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
  }

  private static func int32(_ number: Int) -> [UInt8] { int16(number >> 16) + int16(number) }

  private static func text(_ text: String) -> [UInt8] {
    int16(text.utf8.count) + Array(text.utf8)
  }
}
