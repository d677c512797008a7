import ObjectStorageBackend
import Ports
import Testing

/// What only a store in S3 can be asked.
@Suite("S3 adapter", .enabled(if: LiveS3.settings != nil), .timeLimit(.minutes(10)))
struct S3AdapterTests {
  private let folder = TemporaryFolder()

  private func open(
    _ change: (inout S3Settings) -> Void = { _ in }
  ) throws -> S3ObjectStore {
    var settings = try #require(LiveS3.settings)
    settings.firstDelay = .milliseconds(5)
    change(&settings)
    return try LiveS3.store(settings, until: folder)
  }

  @Test("Listings of many pages are whole and sorted")
  func pages() async throws {
    let store = try open { $0.pageSize = 3 }
    let keys = (0..<10).map { "a/\($0)" } + ["a0", "b"]
    for key in keys { try await store.put(key, []) }
    #expect(try await store.list(prefix: "") == keys)
    #expect(try await store.list(prefix: "a/") == Array(keys.prefix(10)))
    try store.clean()
    #expect(try await store.list(prefix: "") == [])
  }

  @Test(
    "Keys that addresses and XML have to encode are kept as they are",
    arguments: [
      "day=2024-01-01/part:1", "a b", "a+b", "a%2Fb", "a%b", "<&>\"'", "é", "e\u{301}", "😀",
      "~!@#$^*()[]{}|;,?`", "a&b=c", " ", "...", ".hidden",
    ])
  func oddKeys(key: String) async throws {
    let store = try open()
    try await store.put(key, Array(key.utf8))
    #expect(try await store.get(key) == Array(key.utf8))
    let listed = try await store.list(prefix: "")
    #expect(listed.map { Array($0.utf8) } == [Array(key.utf8)])
    #expect(try await store.list(prefix: key) == listed)
    #expect(try await store.putIfAbsent(key, []) == false)
    try await store.delete(key)
    #expect(try await store.list(prefix: "") == [])
  }

  @Test(
    "A key that some server takes for a folder or can't list isn't stored, and so isn't found",
    arguments: [
      "", "a/", "a//b", "/a", "..", "../a", "a/../b", "a/.", "a\0b", "a\nb",
      "a\\b",
      String(repeating: "x", count: 1025),
    ])
  func impossible(key: String) async throws {
    let store = try open()
    #expect(await code { try await store.put(key, [1]) } == .invalid)
    #expect(await code { try await store.putIfAbsent(key, [1]) } == .invalid)
    #expect(await code { try await store.get(key) } == .notFound)
    try await store.delete(key)
    #expect(try await store.list(prefix: "") == [])
  }

  @Test("Runs on one bucket don't see each other, and cleaning leaves the other")
  func prefixes() async throws {
    let (store, other) = (try open(), try open())
    for each in [store, other] { try await each.put("a/b", [1]) }
    try await store.delete("a/b")
    #expect(try await other.list(prefix: "") == ["a/b"])
    try await store.put("c", [2])
    try store.clean()
    #expect(try await store.list(prefix: "") == [])
    #expect(try await other.get("a/b") == [1])
  }

  @Test(
    "Under TLS the server's certificate is verified, and one that can't be is refused",
    .enabled(if: LiveServices.tls != nil))
  func tls() async throws {
    let tls = try #require(LiveServices.tls)
    let endpoint = try #require(LiveServices.variable("REHEARSAL_S3_TLS"))
    let store = try open {
      $0.endpoint = endpoint
      $0.certificates = tls.authority
    }
    try await store.put("k", [1, 2, 3])
    #expect(try await store.get("k") == [1, 2, 3])
    var settings = try #require(LiveS3.settings)
    settings.endpoint = endpoint
    // None: the system's authorities. curl trusts whatever certificate it is told to.
    for file in ["/no/such.pem", ""] {
      settings.certificates = file
      let store = try S3ObjectStore(settings)
      let error = await #expect(throws: PortError.self) { try await store.get("k") }
      #expect(error?.code == .invalid, "\(error as Any)")
      #expect(error?.hint.contains("certificates") == true, "\(error as Any)")
    }
  }

  @Test("Without a prefix nothing is cleaned")
  func cleanNothing() throws {
    let store = try S3ObjectStore(try #require(LiveS3.settings))
    let error = #expect(throws: PortError.self) { try store.clean() }
    #expect(error?.code == .invalid)
  }

  @Test("Objects over a part's size go up in parts, and are whole", arguments: [0, 1, 700_000])
  func parts(beyond: Int) async throws {
    let store = try open { $0.partSize = 5 << 20 }
    let bytes = (0..<(10 << 20) + beyond).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
    try await store.put("k", [1])
    try await store.put("k", bytes)
    #expect(try await store.get("k") == bytes)
    #expect(try await store.list(prefix: "") == ["k"])
  }

  @Test(
    "A range gives the bytes there are",
    arguments: [
      (0..<3, [1, 2, 3]), (3..<5, [4, 5]), (3..<50, [4, 5]), (5..<9, []), (0..<50, nil),
    ]
      as [(Range<Int>, [UInt8]?)])
  func ranges(range: Range<Int>, expected: [UInt8]?) async throws {
    let store = try open()
    try await store.put("k", [1, 2, 3, 4, 5])
    #expect(try await store.get("k", range: range) == expected ?? [1, 2, 3, 4, 5])
    #expect(await code { try await store.get("none", range: range) } == .notFound)
  }

  @Test("Of many threads that put if absent one wins, and its bytes stay")
  func race() async throws {
    let stores = [try open(), try open()]
    for round in 0..<3 {
      let wins = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
        for writer in 0..<4 as Range<UInt8> {
          group.addTask { @concurrent in
            let bytes: [UInt8] = Array(repeating: writer, count: 1000)
            return try await stores[0].putIfAbsent("k\(round)", bytes) ? bytes : nil
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let winners = wins.compactMap { $0 }
      #expect(winners.count == 1)
      #expect(try await stores[0].get("k\(round)") == winners.first)
    }
  }

  @Test("A wrong secret or access key is denied, with the cure and without the secret")
  func denied() async throws {
    let store = try open { $0.secretKey = "not-the-secret" }
    let error = await failure { try await store.put("k", [1]) }
    #expect(error?.code == .denied)
    #expect(error?.hint.contains("secret key") == true, "\(error as Any)")
    #expect(error?.hint.contains("not-the-secret") == false)
    #expect(store.check().first?.problem?.contains("secret key") == true)
    let nobody = try open { $0.accessKey = "nobody" }
    #expect(await code { try await nobody.get("k") } == .denied)
  }

  @Test("A bucket that isn't there is named, with the cure")
  func noBucket() async throws {
    let store = try open { $0.bucket = "not-there" }
    // No put: SeaweedFS makes the bucket for whoever may.
    for error in [
      await failure { try await store.get("k") }, await failure { try await store.delete("k") },
      await failure { try await store.list(prefix: "") },
    ] {
      #expect(error?.code == .notFound)
      #expect(error?.hint.contains("create the bucket 'not-there'") == true, "\(error as Any)")
    }
    #expect(store.check().first?.problem?.contains("create the bucket") == true)
  }

  @Test("A server that isn't there is unavailable, with its address")
  func unreachable() async throws {
    let store = try open {
      $0.endpoint = "http://127.0.0.1:1"
      $0.attempts = 2
    }
    let error = await failure { try await store.putIfAbsent("k", [1]) }
    #expect(error?.code == .unavailable)
    #expect(error?.hint.contains("http://127.0.0.1:1") == true, "\(error as Any)")
    #expect(error?.hint.contains("attempt 2") == true)
    #expect(store.check().map(\.what) == ["reachable"])
  }

  @Test("A server without TLS isn't talked to with it")
  func noTLS() async throws {
    let store = try open {
      $0.endpoint = $0.endpoint.replacing("http://", with: "https://")
      $0.attempts = 2
    }
    #expect(await code { try await store.put("k", [1]) } == .unavailable)
  }

  @Test("The check finds nothing wrong, and leaves nothing")
  func check() async throws {
    let store = try open()
    let checks = store.check()
    #expect(
      checks.map(\.what) == ["reachable", "version", "clock", "permissions", "put if absent"])
    #expect(checks.compactMap(\.problem) == [])
    #expect(try await store.list(prefix: "") == [])
  }
}
