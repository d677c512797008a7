import Foundation
import ObjectStorageBackend
import Ports
import Synchronization
import Testing

/// What the object store promises when the way to the server fails. Every test has a store whose
/// connections go through a proxy, and one that looks at the server directly.
@Suite(
  "S3 behind faults", .enabled(if: LiveS3Bucket.settings != nil), .timeLimit(.minutes(10)))
struct S3FaultTests {
  private let bucket: LiveS3Bucket
  private let direct: S3ObjectStore
  private let proxy: FaultProxy

  init() throws {
    bucket = try LiveS3Bucket()
    direct = try S3ObjectStore(bucket.settings)
    proxy = try FaultProxy(to: bucket.settings.endpoint)
  }

  /// A store through the proxy.
  ///
  /// - Parameter limit: of an attempt.
  private func spoiled(limit: Duration = .seconds(20)) throws -> S3ObjectStore {
    var settings = bucket.settings
    settings.endpoint = "http://\(proxy.address)"
    settings.attempts = 3
    settings.firstDelay = .milliseconds(5)
    settings.connectTimeLimit = .seconds(2)
    settings.timeLimit = limit
    settings.partSize = 5 << 20
    return try S3ObjectStore(settings)
  }

  /// Every attempt of a call and more.
  private static let always = 1000

  private static func bytes(_ count: Int, _ seed: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ seed) }
  }

  @Test("Latency and slices change nothing")
  func slow() async throws {
    let store = try spoiled()
    proxy.inject(
      FaultProxy.Faults(
        latency: [.toServer: .milliseconds(5), .toClient: .milliseconds(5)], slice: 700))
    let bytes = Self.bytes(100_000, 1)
    try await store.put("a/b", bytes)
    #expect(try await store.get("a/b") == bytes)
    #expect(try await store.get("a/b", range: 5..<50) == Array(bytes[5..<50]))
    #expect(try await store.putIfAbsent("a/c", [2]))
    #expect(try await store.putIfAbsent("a/c", [3]) == false)
    #expect(try await store.list(prefix: "a/") == ["a/b", "a/c"])
    try await store.delete("a/b")
    #expect(try await direct.list(prefix: "") == ["a/c"])
    #expect(try await direct.get("a/c") == [2])
  }

  @Test("A put whose connection breaks in the midst is repeated", arguments: [false, true])
  func brokenPut(resets: Bool) async throws {
    let store = try spoiled()
    try await direct.put("k", [1])
    proxy.inject(FaultProxy.Cut(direction: .toServer, after: 50_000, resets: resets))
    let bytes = Self.bytes(200_000, 2)
    try await store.put("k", bytes)
    #expect(proxy.counts.cuts == 1)
    #expect(try await direct.get("k") == bytes)
  }

  @Test(
    "Half a put leaves the old bytes, whatever its size",
    arguments: zip([200_000, 11 << 20], [100_000, 3 << 20]))
  func halfPut(size: Int, passed: Int) async throws {
    let store = try spoiled()
    try await direct.put("k", [1])
    proxy.inject(
      FaultProxy.Cut(
        direction: .toServer, after: passed, resets: true, times: Self.always))
    let error = await failure { try await store.put("k", Self.bytes(size, 3)) }
    // Of an object in parts it is known that it wasn't finished; either may be made again.
    #expect(error?.isRetryable == true, "\(error as Any)")
    #expect(proxy.counts.cuts > 0)
    #expect(try await direct.get("k") == [1])
    #expect(try await direct.list(prefix: "") == ["k"])
    try proxy.heal()
    try await store.put("k", Self.bytes(size, 3))
    #expect(try await direct.get("k") == Self.bytes(size, 3))
  }

  @Test("An answer that breaks off is asked for again")
  func brokenGet() async throws {
    let store = try spoiled()
    let bytes = Self.bytes(200_000, 4)
    try await direct.put("k", bytes)
    proxy.inject(FaultProxy.Cut(direction: .toClient, after: 50_000))
    #expect(try await store.get("k") == bytes)
    #expect(proxy.counts.cuts == 1)
    proxy.inject(FaultProxy.Cut(direction: .toClient, after: 50_000, times: Self.always))
    #expect(await failure { try await store.get("k") }?.code == .unavailable)
  }

  /// On a connection that was used before, curl repeats a request by itself.
  @Test("Lost replies of put and delete are made up for", arguments: [false, true])
  func lostReplies(isWarm: Bool) async throws {
    let store = try spoiled()
    if isWarm { #expect(try await store.list(prefix: "") == []) }
    proxy.inject(.lostReply())
    try await store.put("k", [1, 2])
    #expect(proxy.counts.cuts == 1)
    #expect(try await direct.get("k") == [1, 2])
    proxy.inject(.lostReply())
    try await store.delete("k")
    #expect(proxy.counts.cuts == 2)
    #expect(try await direct.list(prefix: "") == [])
  }

  @Test(
    "A put-if-absent whose reply is lost knows its own object",
    arguments: [false, true], [false, true])
  func lostPutIfAbsent(isWarm: Bool, resets: Bool) async throws {
    let store = try spoiled()
    if isWarm { #expect(try await store.list(prefix: "") == []) }
    proxy.inject(.lostReply(resets: resets))
    #expect(try await store.putIfAbsent("k", [1]))
    #expect(proxy.counts.cuts == 1)
    // The same bytes of another call are another's.
    proxy.inject(.lostReply(resets: resets))
    #expect(try await store.putIfAbsent("k", [1]) == false)
    #expect(proxy.counts.cuts == 2)
    #expect(try await direct.get("k") == [1])
  }

  @Test("A put-if-absent that never gets a reply says that it doesn't know")
  func unknownPutIfAbsent() async throws {
    let store = try spoiled()
    proxy.inject(.lostReply(times: Self.always))
    let error = await failure { try await store.putIfAbsent("k", [1]) }
    #expect(error?.code == .unknownOutcome)
    #expect(error?.hint.contains(proxy.address) == true, "\(error as Any)")
    #expect(try await direct.get("k") == [1])
  }

  @Test("A finished upload whose reply is lost is known to be finished")
  func lostFinish() async throws {
    let store = try spoiled()
    let bytes = Self.bytes(6 << 20, 5)
    // Start, two parts, end: the fourth reply of one connection, which the server keeps open.
    let replies = try await repliesBeforeLast(of: store, bytes)
    // Servers that close connections are the scripted tests'.
    guard proxy.counts.connections == 1 else { return }
    proxy.inject(FaultProxy.Cut(direction: .toClient, after: replies))
    try await store.put("k", bytes)
    #expect(proxy.counts.cuts == 1)
    #expect(try await direct.get("k") == bytes)
  }

  /// About how many bytes the server says in an upload before its last answer.
  private func repliesBeforeLast(of store: S3ObjectStore, _ bytes: [UInt8]) async throws -> Int {
    let before = proxy.counts.bytes[.toClient] ?? 0
    try await store.put("k", bytes)
    let all = (proxy.counts.bytes[.toClient] ?? 0) - before
    try await direct.delete("k")
    return all - 100
  }

  @Test("In a black hole a call ends at its time limit, and nothing has happened")
  func blackHole() async throws {
    let store = try spoiled(limit: .seconds(1))
    try await direct.put("k", [1])
    proxy.inject(FaultProxy.Faults(blackHole: [.toServer, .toClient]))
    let start = ContinuousClock.now
    #expect(await failure { try await store.put("k", [2]) }?.code == .unknownOutcome)
    #expect(await failure { try await store.get("k") }?.code == .unavailable)
    #expect(ContinuousClock.now - start < .seconds(12))
    #expect(proxy.counts.swallowed == 6)
    try proxy.heal()
    #expect(try await store.get("k") == [1])
    try await store.put("k", [2])
    #expect(try await direct.get("k") == [2])
  }

  @Test("When only replies vanish, the outcome isn't known, and it happened")
  func halfBlackHole() async throws {
    let store = try spoiled(limit: .seconds(1))
    try await direct.put("gone", [1])
    proxy.inject(FaultProxy.Faults(blackHole: [.toClient]))
    #expect(await failure { try await store.put("k", [2]) }?.code == .unknownOutcome)
    #expect(await failure { try await store.delete("gone") }?.code == .unknownOutcome)
    #expect(try await direct.get("k") == [2])
    #expect(try await direct.list(prefix: "") == ["k"])
  }

  @Test("A server that refuses connections is unavailable; it is found again when it's back")
  func refused() async throws {
    let store = try spoiled()
    try await store.put("k", [1])
    proxy.refuse()
    let error = await failure { try await store.put("k", [2]) }
    #expect(error?.code == .unavailable)
    #expect(error?.hint.contains(proxy.address) == true, "\(error as Any)")
    #expect(await failure { try await store.putIfAbsent("l", [2]) }?.code == .unavailable)
    try proxy.heal()
    #expect(try await store.get("k") == [1])
  }

  @Test("Of many that put if absent while replies are lost, one at most is told that it won")
  func race() async throws {
    let stores = [try spoiled(), try spoiled()]
    for round in 0..<4 {
      proxy.inject(.lostReply(times: 3, resets: round % 2 == 1))
      let wins = await withTaskGroup(of: UInt8?.self) { group in
        for writer in 0..<4 as Range<UInt8> {
          group.addTask { @concurrent in
            let store = stores[Int(writer) % 2]
            let isStored = try? await store.putIfAbsent("k\(round)", [writer])
            return isStored == true ? writer : nil
          }
        }
        return await group.reduce(into: [UInt8]()) { wins, win in
          if let win { wins.append(win) }
        }
      }
      #expect(wins.count <= 1)
      let stored = try await direct.get("k\(round)")
      if let winner = wins.first { #expect(stored == [winner]) }
    }
    #expect(proxy.counts.cuts > 0)
  }

  private func failure<Value>(_ operation: () async throws -> Value) async -> PortError? {
    do {
      _ = try await operation()
      return nil
    } catch let error as PortError {
      return error
    } catch {
      Issue.record("not a PortError: \(error)")
      return nil
    }
  }
}

/// A prefix of one test in the bucket that `REHEARSAL_S3` names, emptied at the end.
private final class LiveS3Bucket: Sendable {
  /// How to reach the bucket; nil when there is none.
  static let settings: S3Settings? = variable("REHEARSAL_S3").map { endpoint in
    var settings = S3Settings()
    settings.endpoint = endpoint
    settings.bucket = variable("REHEARSAL_S3_BUCKET") ?? ""
    settings.accessKey = variable("REHEARSAL_S3_ACCESS_KEY") ?? ""
    settings.secretKey = variable("REHEARSAL_S3_SECRET_KEY") ?? ""
    return settings
  }
  private static let made = Mutex(0)

  let settings: S3Settings

  init() throws {
    var settings = try #require(Self.settings)
    let number = Self.made.withLock { made in
      made += 1
      return made
    }
    settings.prefix = "f\(ProcessInfo.processInfo.processIdentifier)_\(number)_"
    self.settings = settings
  }

  // What stays of a failed test is under a prefix that no other test has.
  deinit { try? S3ObjectStore(settings).clean() }

  private static func variable(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }
}
