import Foundation
import Glibc
import Synchronization
import Testing

@Suite("Fault proxy", .timeLimit(.minutes(10)))
struct FaultProxyTests {
  private let server: EchoServer
  private let proxy: FaultProxy

  init() throws {
    server = try EchoServer()
    proxy = try FaultProxy(to: "tcp://127.0.0.1:\(server.port)/path")
  }

  private static let text = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }

  @Test("Without faults everything passes, and is counted")
  func passing() throws {
    let client = try EchoClient(proxy)
    client.send(Self.text)
    #expect(client.receive(Self.text.count) == Self.text)
    let second = try EchoClient(proxy)
    second.send([1, 2, 3])
    #expect(second.receive(3) == [1, 2, 3])
    let bytes = Self.text.count + 3
    #expect(
      proxy.counts
        == FaultProxy.Counts(connections: 2, bytes: [.toServer: bytes, .toClient: bytes]))
  }

  @Test("An end is passed on after the bytes before it")
  func ending() throws {
    proxy.inject(FaultProxy.Faults(latency: [.toServer: .milliseconds(20)]))
    let client = try EchoClient(proxy)
    client.send(Self.text)
    client.finish()
    #expect(client.receive(Self.text.count) == Self.text)
    #expect(client.ending() == .closed)
  }

  @Test("Sliced bytes arrive whole")
  func slicing() throws {
    proxy.inject(FaultProxy.Faults(slice: 7))
    let client = try EchoClient(proxy)
    client.send(Array(Self.text.prefix(2000)))
    #expect(client.receive(2000) == Array(Self.text.prefix(2000)))
  }

  @Test("Latency is added in each direction, and ends with healing")
  func latency() throws {
    let client = try EchoClient(proxy)
    func roundTrip() -> Duration {
      ContinuousClock().measure {
        client.send([1])
        #expect(client.receive(1) == [1])
      }
    }
    proxy.inject(
      FaultProxy.Faults(latency: [.toServer: .milliseconds(60), .toClient: .milliseconds(40)]))
    #expect(roundTrip() >= .milliseconds(100))
    try proxy.heal()
    let fastest = (0..<5).map { _ in roundTrip() }.min() ?? .zero
    #expect(fastest < .milliseconds(100))
  }

  @Test("A cut passes so many bytes of a connection, and the next connection whole")
  func cut() throws {
    let client = try EchoClient(proxy)
    client.send([1])
    #expect(client.receive(1) == [1])
    // Counted from the injection on, though the connection is older.
    proxy.inject(FaultProxy.Cut(direction: .toServer, after: 10))
    client.send(Array(Self.text.prefix(50)))
    #expect(client.ending() != .open)
    #expect(server.received(11) == 11)
    let second = try EchoClient(proxy)
    second.send(Array(Self.text.prefix(50)))
    #expect(second.receive(50) == Array(Self.text.prefix(50)))
    #expect(proxy.counts.cuts == 1)
    #expect(proxy.counts.bytes[.toServer] == 61)
  }

  @Test("A lost reply: the server has it all, the client gets nothing", arguments: [false, true])
  func lostReply(resets: Bool) throws {
    proxy.inject(.lostReply(resets: resets))
    let client = try EchoClient(proxy)
    client.send(Array(Self.text.prefix(300)))
    #expect(client.ending() == (resets ? .reset : .closed))
    #expect(server.received(300) == 300)
    #expect(proxy.counts.bytes[.toClient] == 0)
  }

  @Test("A cut in the answer passes its first bytes")
  func cutAnswer() throws {
    proxy.inject(FaultProxy.Cut(direction: .toClient, after: 5))
    let client = try EchoClient(proxy)
    client.send([1, 2, 3, 4, 5, 6, 7])
    #expect(client.receive(7) == [1, 2, 3, 4, 5])
  }

  @Test("A reset ends the connections there are, and no new ones")
  func reset() throws {
    let client = try EchoClient(proxy)
    client.send([1])
    #expect(client.receive(1) == [1])
    proxy.resetAll()
    #expect(client.ending() == .reset)
    let second = try EchoClient(proxy)
    second.send([2])
    #expect(second.receive(1) == [2])
  }

  @Test("A black hole swallows what comes, and its connections don't recover")
  func blackHole() throws {
    let client = try EchoClient(proxy)
    client.send([1])
    #expect(client.receive(1) == [1])
    proxy.inject(FaultProxy.Faults(blackHole: [.toServer, .toClient]))
    let second = try EchoClient(proxy)
    for lost in [client, second] { lost.send([2]) }
    for lost in [client, second] { #expect(lost.ending(within: .milliseconds(50)) == .open) }
    #expect(server.received(2, within: .milliseconds(50)) == 1)
    #expect(proxy.counts.swallowed == 2)
    try proxy.heal()
    client.send([3])
    #expect(client.ending(within: .milliseconds(50)) == .open)
    let third = try EchoClient(proxy)
    third.send([4])
    #expect(third.receive(1) == [4])
  }

  @Test("A black hole for answers lets requests pass")
  func halfBlackHole() throws {
    proxy.inject(FaultProxy.Faults(blackHole: [.toClient]))
    let client = try EchoClient(proxy)
    client.send([1, 2])
    #expect(server.received(2) == 2)
    #expect(client.ending(within: .milliseconds(50)) == .open)
  }

  @Test("Refused connections are accepted again after healing, on the same port")
  func refusing() throws {
    let client = try EchoClient(proxy)
    client.send([1])
    #expect(client.receive(1) == [1])
    proxy.refuse()
    #expect(client.ending() == .reset)
    #expect(throws: FaultProxy.Problem.self) { try EchoClient(proxy) }
    try proxy.heal()
    let second = try EchoClient(proxy)
    second.send([2])
    #expect(second.receive(1) == [2])
  }

  @Test("A server that isn't there is a reset for the client")
  func noServer() throws {
    let closed = try Sockets.listen(port: 0)
    let port = Sockets.port(of: closed)
    close(closed)
    let client = try EchoClient(try FaultProxy(to: "127.0.0.1:\(port)"))
    #expect(client.ending() == .reset)
  }
}

/// Sends back what it gets, and counts it.
private final class EchoServer: Sendable {
  let port: Int
  private let listener: Int32
  private let count = Counter()

  init() throws {
    listener = try Sockets.listen(port: 0)
    port = Sockets.port(of: listener)
    let (listener, count) = (listener, count)
    Thread { Self.serve(listener, count) }.start()
  }

  deinit {
    count.bytes.withLock { $0.isStopped = true }
  }

  /// How many bytes have come, once there are so many or the time is over.
  func received(_ expected: Int, within limit: Duration = .seconds(5)) -> Int {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end, count.bytes.withLock({ $0.received }) < expected {
      poll(nil, 0, 1)
    }
    return count.bytes.withLock { $0.received }
  }

  private static func serve(_ listener: Int32, _ count: Counter) {
    defer { close(listener) }
    while !count.bytes.withLock({ $0.isStopped }) {
      var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
      poll(&waiting, 1, 5)
      let connection = accept(listener, nil, nil)
      if connection < 0 { continue }
      Thread { echo(connection, count) }.start()
    }
  }

  private static func echo(_ connection: Int32, _ count: Counter) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let read = recv(connection, &buffer, buffer.count, 0)
      guard read > 0 else { break }
      count.bytes.withLock { $0.received += read }
      _ = Glibc.send(connection, buffer, read, Int32(MSG_NOSIGNAL))
    }
    close(connection)
  }

  private final class Counter: Sendable {
    let bytes = Mutex((received: 0, isStopped: false))
  }
}

/// A client that notices how its connection ends.
private final class EchoClient {
  enum Ending: Equatable {
    case open, closed, reset
  }

  private let socket: Int32

  init(_ proxy: FaultProxy) throws {
    guard let socket = Sockets.connect(to: proxy.address) else {
      throw FaultProxy.Problem("connect")
    }
    self.socket = socket
  }

  deinit { close(socket) }

  /// Sends bytes, all of them; the proxy takes more than a test sends.
  func send(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      done += count
    }
  }

  /// Sends no more.
  func finish() { shutdown(socket, Int32(SHUT_WR)) }

  /// So many bytes, or those before the end.
  func receive(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var buffer = [UInt8](repeating: 0, count: count - bytes.count)
      let read = recv(socket, &buffer, buffer.count, 0)
      guard read > 0 else { break }
      bytes += buffer[..<read]
    }
    return bytes
  }

  /// How the connection ends; `open` when nothing comes for so long.
  func ending(within limit: Duration = .seconds(5)) -> Ending {
    let milliseconds =
      Int32(limit.components.seconds * 1000)
      + Int32(limit.components.attoseconds / 1_000_000_000_000_000)
    while true {
      var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      guard poll(&waiting, 1, milliseconds) > 0 else { return .open }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let read = recv(socket, &buffer, buffer.count, 0)
      if read == 0 { return .closed }
      if read < 0 { return .reset }
    }
  }
}
