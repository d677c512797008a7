import Foundation
import Glibc
import Synchronization

/// Stands between a client and a server on this machine, and breaks a connection at a chosen point.
///
/// A pipeline of a few hundred bytes is one piece from the client, so pieces count round trips.
final class LossyProxy: Sendable {
  /// What goes wrong, once.
  enum Loss {
    /// The piece with this number, the next being 1, doesn't reach the server.
    case request(Int)
    /// The piece reaches the server, and its answer doesn't come back.
    case answer(Int)
  }

  /// Where clients connect to, on 127.0.0.1.
  let port: Int
  private let listener: Int32
  private let targetPort: Int
  private let loss = Mutex<Loss?>(nil)

  /// Listens on a free port for connections to a port of this machine.
  init(to targetPort: Int) throws {
    self.targetPort = targetPort
    let listener: Int32
    (listener, port) = try Loopback.listener()
    self.listener = listener
    Thread.detachNewThread { [listener, weak self] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0, let self else { return }
        Thread.detachNewThread { self.serve(client) }
      }
    }
  }

  /// Lets the next loss happen.
  func lose(_ next: Loss) { loss.withLock { $0 = next } }

  /// Takes no more connections.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  deinit { close(listener) }

  private func serve(_ client: Int32) {
    let server = Loopback.connected(to: targetPort)
    defer {
      close(client)
      close(server)
    }
    var isMuted = false
    while true {
      var ends = [
        pollfd(fd: client, events: Int16(POLLIN), revents: 0),
        pollfd(fd: server, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&ends, 2, 30_000) > 0 else { return }
      if ends[0].revents != 0 {
        guard let piece = Self.read(client) else { return }
        switch verdict() {
        case .request?: return
        case .answer?: isMuted = true
        case nil: break
        }
        guard Self.write(piece, to: server) else { return }
      }
      if ends[1].revents != 0 {
        guard let piece = Self.read(server), !isMuted, Self.write(piece, to: client) else { return }
      }
    }
  }

  /// What is to go wrong with the piece that has come.
  private func verdict() -> Loss? {
    loss.withLock { loss in
      switch loss {
      case .request(1)?, .answer(1)?:
        defer { loss = nil }
        return loss
      case .request(let number)?: loss = .request(number - 1)
      case .answer(let number)?: loss = .answer(number - 1)
      case nil: break
      }
      return nil
    }
  }

  private static func read(_ socket: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = recv(socket, &bytes, bytes.count, 0)
    return count > 0 ? Array(bytes.prefix(count)) : nil
  }

  private static func write(_ bytes: [UInt8], to socket: Int32) -> Bool {
    send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }
}
