import Foundation
import Glibc
import Synchronization

/// A TCP proxy on a free port of the loopback that spoils, as told, what passes between a client
/// and a server: delays, slices, cuts, resets, swallows and refuses it.
///
/// Faults may change at any time and hold for open connections, too. Everything stops when the
/// proxy is let go of.
final class FaultProxy: Sendable {
  /// Which way bytes go.
  enum Direction: Hashable, CaseIterable, Sendable {
    case toServer, toClient
  }

  /// The end of a connection in the midst of something.
  struct Cut: Sendable {
    /// Whose bytes are counted.
    var direction: Direction
    /// How many of them still pass, on each connection and from the injection on. The cut comes
    /// when there is one more, which the other side doesn't see.
    var after: Int
    /// Whether the client's side ends by a reset instead of an orderly close.
    var resets = false
    /// How many connections are cut; those after them pass.
    var times = 1

    /// The server has the whole request, and the client gets no byte of the answer.
    static func lostReply(times: Int = 1, resets: Bool = false) -> Cut {
      Cut(direction: .toClient, after: 0, resets: resets, times: times)
    }
  }

  /// What is done to what passes; as made, nothing.
  struct Faults: Sendable {
    /// How much later bytes arrive.
    var latency: [Direction: Duration] = [:]
    /// The most bytes that are passed on at a time: from 1 to so many, by turns.
    var slice: Int?
    /// The end of connections.
    var cut: Cut?
    /// Which bytes vanish without a word. A connection that loses some never recovers.
    var blackHole: Set<Direction> = []
  }

  /// What has passed and what was done.
  struct Counts: Equatable, Sendable {
    /// Connections accepted.
    var connections = 0
    /// Bytes passed on.
    var bytes: [Direction: Int] = [.toServer: 0, .toClient: 0]
    /// Connections that a cut has ended.
    var cuts = 0
    /// Connections that have lost bytes in a black hole.
    var swallowed = 0
  }

  /// What a call of the operating system said when there could be no proxy.
  struct Problem: Error {
    /// The call, and why it failed.
    let reason: String

    /// The failure of the call made last.
    init(_ call: String) { reason = "\(call): \(String(cString: strerror(errno)))" }
  }

  /// The proxy's port.
  let port: Int
  private let core: ProxyCore

  /// A proxy for a server, `host:port` or a URL that contains that.
  init(to server: String) throws(Problem) {
    let listener = try Sockets.listen(port: 0)
    port = Sockets.port(of: listener)
    core = ProxyCore(server: Self.authority(of: server), listener: listener)
    let core = core
    Thread { core.acceptAll() }.start()
  }

  deinit { core.stop() }

  /// The proxy's address, `127.0.0.1:port`.
  var address: String { "127.0.0.1:\(port)" }

  /// What has passed and what was done, so far.
  var counts: Counts { core.state.withLock { $0.counts } }

  /// Does that to what passes from now on, and nothing else.
  func inject(_ faults: Faults) { core.inject(faults) }

  /// Cuts connections.
  func inject(_ cut: Cut) { core.inject(Faults(cut: cut)) }

  /// Refuses connections, and resets those there are.
  func refuse() {
    core.state.withLock { $0.closeListener() }
    core.resetAll()
  }

  /// Resets the connections there are; new ones are accepted.
  func resetAll() { core.resetAll() }

  /// Lets everything pass again, and accepts connections.
  func heal() throws(Problem) {
    core.inject(Faults())
    let isClosed = core.state.withLock { $0.listener == nil }
    guard isClosed else { return }
    let listener = try Sockets.listen(port: port)
    core.state.withLock { $0.listener = listener }
  }

  private static func authority(of server: String) -> String {
    let rest = server.range(of: "://").map { server[$0.upperBound...] } ?? server[...]
    return String(rest.prefix { $0 != "/" })
  }
}

/// What the proxy's threads share.
private final class ProxyCore: Sendable {
  struct State {
    var listener: Int32?
    var isStopped = false
    var faults = FaultProxy.Faults()
    /// Counts injections: from each on, a cut counts bytes anew.
    var injection = 0
    /// Counts resets: a connection of an earlier one is to be reset.
    var resets = 0
    /// How many connections there are, by the resets before they were accepted.
    var open: [Int: Int] = [:]
    var counts = FaultProxy.Counts()

    /// Refuses connections from now on. The shutdown does so at once: a socket that is only closed
    /// goes on listening as long as a thread waits for it.
    mutating func closeListener() {
      guard let socket = listener else { return }
      shutdown(socket, Int32(SHUT_RDWR))
      close(socket)
      listener = nil
    }
  }

  /// How long a thread waits before it looks whether something has changed, in milliseconds.
  static let glance: Int32 = 5

  let state: Mutex<State>
  private let server: String

  init(server: String, listener: Int32) {
    self.server = server
    state = Mutex(State(listener: listener))
  }

  func inject(_ faults: FaultProxy.Faults) {
    state.withLock { state in
      state.faults = faults
      state.injection += 1
    }
  }

  /// Waits until all connections there were are gone: a client finds them so when this returns.
  func resetAll() {
    let now = state.withLock { state in
      state.resets += 1
      return state.resets
    }
    let limit = ContinuousClock.now + .seconds(5)
    while ContinuousClock.now < limit,
      state.withLock({ $0.open.contains { $0.key < now && $0.value > 0 } })
    {
      poll(nil, 0, 1)
    }
  }

  /// A connection of so many resets is gone.
  func didEnd(resets: Int) { state.withLock { $0.open[resets, default: 0] -= 1 } }

  func stop() {
    state.withLock { state in
      state.isStopped = true
      state.closeListener()
    }
  }

  /// Accepts connections until the proxy stops; each has a thread.
  func acceptAll() {
    while !state.withLock({ $0.isStopped }) {
      var waiting = pollfd(
        fd: state.withLock { $0.listener } ?? -1, events: Int16(POLLIN), revents: 0)
      poll(&waiting, 1, Self.glance)
      // Under the lock nobody closes the listener; it doesn't block.
      let accepted = state.withLock { state -> (client: Int32, resets: Int)? in
        guard let listener = state.listener else { return nil }
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return nil }
        state.counts.connections += 1
        state.open[state.resets, default: 0] += 1
        return (client, state.resets)
      }
      guard let accepted else { continue }
      let server = server
      Thread {
        guard let other = Sockets.connect(to: server) else {
          Sockets.end(accepted.client, resets: true)
          return self.didEnd(resets: accepted.resets)
        }
        var connection = ProxyConnection(
          core: self, client: accepted.client, server: other, resets: accepted.resets)
        connection.run()
      }.start()
    }
  }

  /// Whether a connection may be cut now; counts it if so.
  func claimCut() -> Bool {
    state.withLock { state in
      guard let times = state.faults.cut?.times, times > 0 else { return false }
      state.faults.cut?.times = times - 1
      state.counts.cuts += 1
      return true
    }
  }
}

/// A client's connection and the one to the server, served by one thread.
private struct ProxyConnection {
  /// One direction.
  private struct Lane {
    let direction: FaultProxy.Direction
    let source: Int32
    let sink: Int32
    /// Bytes on their way, with the instant at which they are due.
    var queue: [(due: ContinuousClock.Instant, bytes: [UInt8])] = []
    /// Passed since the injection that counts.
    var passed = 0
    var hasLostBytes = false
    /// No more comes.
    var isAtEnd = false
    /// The sink has been told so.
    var isClosed = false
  }

  /// How a connection ends.
  private enum Ending {
    case close, reset
  }

  /// The most bytes on their way before the source has to wait.
  private static let mostQueued = 1 << 20

  private let core: ProxyCore
  private let client: Int32
  private let server: Int32
  private let resets: Int
  private var lanes: [Lane]
  private var faults = FaultProxy.Faults()
  private var injection = -1
  private var turn = 0

  init(core: ProxyCore, client: Int32, server: Int32, resets: Int) {
    self.core = core
    self.client = client
    self.server = server
    self.resets = resets
    lanes = [
      Lane(direction: .toServer, source: client, sink: server),
      Lane(direction: .toClient, source: server, sink: client),
    ]
    for socket in [client, server] { Sockets.prepare(socket) }
  }

  /// Passes bytes until either side, a fault or the proxy ends it.
  mutating func run() {
    var ending = Ending.close
    while true {
      wait()
      // After the wait: what comes after an injection is treated by it.
      guard let isReset = lookAround() else { break }
      if isReset {
        ending = .reset
        break
      }
      if let end = step() {
        ending = end
        break
      }
    }
    Sockets.end(client, resets: ending == .reset)
    Sockets.end(server, resets: ending == .reset)
    core.didEnd(resets: resets)
  }

  /// Takes over the faults; whether the connection is to be reset, nil when the proxy stops.
  private mutating func lookAround() -> Bool? {
    let (faults, injection, resets, isStopped) = core.state.withLock {
      ($0.faults, $0.injection, $0.resets, $0.isStopped)
    }
    self.faults = faults
    if injection != self.injection {
      self.injection = injection
      for index in lanes.indices { lanes[index].passed = 0 }
    }
    return isStopped ? nil : resets != self.resets
  }

  /// Waits for something to read, for room to write what is due, or for a glance.
  private func wait() {
    let now = ContinuousClock.now
    var events: [Int32: Int32] = [:]
    var limit = Duration.milliseconds(Int(ProxyCore.glance))
    for lane in lanes {
      if canRead(lane) { events[lane.source, default: 0] |= POLLIN }
      guard let due = lane.queue.first?.due else { continue }
      if due <= now { events[lane.sink, default: 0] |= Int32(POLLOUT) }
      limit = min(limit, max(due - now, .milliseconds(1)))
    }
    var waiting = events.map { pollfd(fd: $0.key, events: Int16($0.value), revents: 0) }
    let milliseconds = Int32(limit.components.attoseconds / 1_000_000_000_000_000)
    poll(&waiting, nfds_t(waiting.count), milliseconds)
  }

  private func canRead(_ lane: Lane) -> Bool {
    !lane.isAtEnd && lane.queue.reduce(0) { $0 + $1.bytes.count } < Self.mostQueued
  }

  /// Reads and writes what it can without waiting; how the connection ends when it does.
  private mutating func step() -> Ending? {
    for index in lanes.indices {
      if canRead(lanes[index]), let ending = read(index) { return ending }
      if let ending = write(index) { return ending }
    }
    return lanes.allSatisfy(\.isClosed) ? .close : nil
  }

  private mutating func read(_ index: Int) -> Ending? {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(lanes[index].source, &buffer, buffer.count, 0)
    if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : .reset }
    let direction = lanes[index].direction
    if count == 0 {
      lanes[index].isAtEnd = true
    } else if lanes[index].hasLostBytes || faults.blackHole.contains(direction) {
      if !lanes.contains(where: \.hasLostBytes) {
        core.state.withLock { $0.counts.swallowed += 1 }
      }
      lanes[index].hasLostBytes = true
    } else {
      let due = ContinuousClock.now + (faults.latency[direction] ?? .zero)
      lanes[index].queue.append((due, Array(buffer[..<count])))
    }
    return nil
  }

  private mutating func write(_ index: Int) -> Ending? {
    while let (due, bytes) = lanes[index].queue.first, due <= .now {
      var count = bytes.count
      if let slice = faults.slice {
        turn += 1
        count = min(count, turn % max(slice, 1) + 1)
      }
      if let cut = faults.cut, cut.direction == lanes[index].direction, cut.times > 0 {
        count = min(count, cut.after - lanes[index].passed)
        if count <= 0 {
          if core.claimCut() { return cut.resets ? .reset : .close }
          faults.cut = nil
          continue
        }
      }
      let written = pass(bytes[..<count], index)
      if written < 0 { return [-EAGAIN, -EINTR].contains(Int32(written)) ? nil : .reset }
      didPass(written, index)
    }
    finish(index)
    return nil
  }

  /// Sends what there is room for and gives the count, or the error's number below zero. Under the
  /// lock, so that whoever has the bytes finds them counted; it doesn't block.
  private func pass(_ bytes: ArraySlice<UInt8>, _ index: Int) -> Int {
    let lane = lanes[index]
    return core.state.withLock { state in
      let written = bytes.withUnsafeBytes {
        Glibc.send(lane.sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if written < 0 { return -Int(errno) }
      state.counts.bytes[lane.direction, default: 0] += written
      return written
    }
  }

  private mutating func didPass(_ count: Int, _ index: Int) {
    let rest = Array(lanes[index].queue[0].bytes.dropFirst(count))
    if rest.isEmpty {
      lanes[index].queue.removeFirst()
    } else {
      lanes[index].queue[0].bytes = rest
    }
    lanes[index].passed += count
  }

  /// Passes on the end, unless bytes were lost before it.
  private mutating func finish(_ index: Int) {
    let lane = lanes[index]
    guard lane.isAtEnd, lane.queue.isEmpty, !lane.isClosed else { return }
    if !lane.hasLostBytes { shutdown(lane.sink, Int32(SHUT_WR)) }
    lanes[index].isClosed = true
    // A client that has gone won't take what the server still says, and the other way round.
    if lane.hasLostBytes { for other in lanes.indices { lanes[other].isClosed = true } }
  }
}

/// The calls of the operating system that the proxy is made of.
enum Sockets {
  /// A socket that listens on the loopback and doesn't block; port 0 is any free one.
  static func listen(port: Int) throws(FaultProxy.Problem) -> Int32 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard listener >= 0 else { throw FaultProxy.Problem("socket") }
    var on: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let isBound = withPointer(to: &address) { bind(listener, $0, $1) == 0 }
    guard isBound, Glibc.listen(listener, 64) == 0 else {
      let problem = FaultProxy.Problem("listen on port \(port)")
      close(listener)
      throw problem
    }
    unblock(listener)
    return listener
  }

  /// The port that a socket is bound to.
  static func port(of socket: Int32) -> Int {
    var address = sockaddr_in()
    withPointer(to: &address) { pointer, size in
      var size = size
      _ = getsockname(socket, pointer, &size)
    }
    return Int(in_port_t(bigEndian: address.sin_port))
  }

  /// A connection to `host:port`; nil when there is none to be had.
  static func connect(to authority: String) -> Int32? {
    let parts = authority.split(separator: ":")
    guard parts.count == 2 else { return nil }
    var hints = addrinfo()
    hints.ai_family = AF_INET
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(String(parts[0]), String(parts[1]), &hints, &found) == 0, let found else {
      return nil
    }
    defer { freeaddrinfo(found) }
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if Glibc.connect(connection, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 {
      return connection
    }
    close(connection)
    return nil
  }

  /// Makes a connection not block, and pass on small pieces at once.
  static func prepare(_ socket: Int32) {
    unblock(socket)
    var on: Int32 = 1
    setsockopt(
      socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Closes a connection, in order or by a reset.
  static func end(_ socket: Int32, resets: Bool) {
    if resets {
      var now = linger(l_onoff: 1, l_linger: 0)
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }
    close(socket)
  }

  private static func unblock(_ socket: Int32) {
    _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
  }

  private static func withPointer<Value>(
    to address: inout sockaddr_in,
    _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Value
  ) -> Value {
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
    }
  }
}
