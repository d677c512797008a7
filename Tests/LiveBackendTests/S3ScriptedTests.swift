import Ports
import Synchronization
import Testing

@testable import ObjectStorageBackend

/// Answers that the servers at hand don't give.
@Suite("S3 answers of odd servers", .timeLimit(.minutes(10)))
struct S3ScriptedTests {
  private typealias Answer = ScriptedServer.Answer

  private func store(
    _ port: Int, _ change: (inout S3Settings) -> Void = { _ in }
  ) throws -> S3ObjectStore {
    var settings = S3Settings()
    settings.endpoint = "http://127.0.0.1:\(port)"
    settings.bucket = "lake"
    settings.accessKey = "key"
    settings.secretKey = "secret"
    settings.prefix = "p/"
    settings.attempts = 3
    settings.firstDelay = .milliseconds(1)
    change(&settings)
    return try S3ObjectStore(settings)
  }

  private static func error(_ code: String) -> String { "<Error><Code>\(code)</Code></Error>" }

  /// Gives answers one after the other, then the last for ever.
  private static func turns(
    _ answers: [Answer]
  ) -> @Sendable (ScriptedServer.Request) -> Answer {
    let rest = Mutex(answers[...])
    return { _ in rest.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? Answer() } }
  }

  @Test("What may pass is tried again", arguments: [429, 500, 502, 503, 504, 408])
  func again(status: Int) async throws {
    let server = try ScriptedServer(
      Self.turns([Answer(status: status), Answer(status: status), Answer(body: "here")]))
    #expect(try await store(server.port).get("k") == Array("here".utf8))
    #expect(server.requests.count == 3)
  }

  @Test("A server that stays overloaded is unavailable, and one that fails isn't known about")
  func lasting() async throws {
    let slow = try ScriptedServer { _ in Answer(status: 503, body: Self.error("SlowDown")) }
    #expect(await code { try await store(slow.port).put("k", [1]) } == .unavailable)
    let broken = try ScriptedServer { _ in Answer(status: 500, body: Self.error("InternalError")) }
    #expect(await code { try await store(broken.port).put("k", [1]) } == .unknownOutcome)
    #expect(await code { try await store(broken.port).get("k") } == .unavailable)
  }

  @Test("What every request says: its signature, and the hash of its body")
  func headers() async throws {
    let server = try ScriptedServer { _ in Answer() }
    try await store(server.port) { $0.sessionToken = "token" }.put("a b", Array("abc".utf8))
    let request = try #require(server.requests.first)
    #expect(request.method == "PUT")
    #expect(request.target == "/lake/p/a%20b")
    #expect(request.body == Array("abc".utf8))
    #expect(request.headers["host"] == "127.0.0.1:\(server.port)")
    #expect(
      request.headers["x-amz-content-sha256"]
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(request.headers["x-amz-security-token"] == "token")
    #expect(request.headers["authorization"]?.contains("content-type;host;") == true)
    #expect(request.headers["expect"] == nil)
  }

  @Test("Without an access key nothing is signed")
  func anonymous() async throws {
    let server = try ScriptedServer { _ in Answer(body: "x") }
    _ = try await store(server.port) { $0.accessKey = "" }.get("k")
    #expect(server.requests.first?.headers["authorization"] == nil)
  }

  @Test("A move for good is remembered, another is followed anew", arguments: [301, 307])
  func moves(status: Int) async throws {
    let target = try ScriptedServer { _ in Answer(body: "there") }
    let targetPort = target.port
    let server = try ScriptedServer { request in
      Answer(
        status: status,
        headers: ["Location": "http://127.0.0.1:\(targetPort)\(request.target)"])
    }
    let store = try store(server.port)
    for _ in 0..<2 { #expect(try await store.get("k") == Array("there".utf8)) }
    #expect(server.requests.count == (status == 301 ? 1 : 2))
    #expect(
      target.requests.map(\.headers["host"]) == [
        "127.0.0.1:\(targetPort)", "127.0.0.1:\(targetPort)",
      ])
    #expect(Set(target.requests.map(\.headers["authorization"])).count <= 2)
  }

  @Test("The region that a server names is signed for from then on")
  func region() async throws {
    let server = try ScriptedServer { request in
      request.headers["authorization"]?.contains("/eu-west-1/s3/") == true
        ? Answer(body: "here")
        : Answer(
          status: 400,
          body: "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
        )
    }
    let store = try store(server.port)
    for _ in 0..<2 { #expect(try await store.get("k") == Array("here".utf8)) }
    #expect(server.requests.count == 3)
  }

  @Test(
    "A listing that isn't XML, or goes in circles, is corrupt",
    arguments: [
      "no XML", "<html></html>", "<ListBucketResult><Contents>",
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t"
        + "</NextContinuationToken></ListBucketResult>",
    ])
  func badListing(body: String) async throws {
    let server = try ScriptedServer { _ in Answer(body: body) }
    let error = await failure { try await store(server.port).list(prefix: "") }
    #expect(error?.code == .corrupt)
    #expect(error?.hint.contains("127.0.0.1:\(server.port)") == true)
    #expect(server.requests.count <= 2)
  }

  @Test("A listing is asked for page by page, and given sorted, without others' keys")
  func listing() async throws {
    let server = try ScriptedServer { request in
      request.target.contains("continuation-token=a%2Bb")
        ? Answer(
          body: "<ListBucketResult><Contents><Key>p/a</Key></Contents><Contents><Key>q</Key>"
            + "</Contents></ListBucketResult>")
        : Answer(
          body: "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a+b"
            + "</NextContinuationToken><Contents><Key>p/b</Key></Contents><Contents>"
            + "<Key>p/c/</Key></Contents></ListBucketResult>")
    }
    #expect(try await store(server.port).list(prefix: "") == ["a", "b"])
    #expect(
      server.requests.first?.target
        == "/lake/?encoding-type=url&list-type=2&max-keys=1000&prefix=p%2F")
  }

  @Test("The end of an upload that fails in an answer of success is tried again")
  func lateFailure() async throws {
    let ends = Mutex(0)
    let server = try ScriptedServer { request in
      switch (request.method, request.target.contains("uploads=")) {
      case ("POST", true):
        return Answer(
          body: "<InitiateMultipartUploadResult><UploadId>u</UploadId>"
            + "</InitiateMultipartUploadResult>")
      case ("POST", false):
        let end = ends.withLock { ends in
          ends += 1
          return ends
        }
        return Answer(
          body: end == 1 ? Self.error("InternalError") : "<CompleteMultipartUploadResult/>")
      default: return Answer(headers: ["ETag": "\"tag\""])
      }
    }
    try await store(server.port) { $0.partSize = 10 }.put("k", Array(repeating: 1, count: 25))
    #expect(server.requests.map(\.method) == ["POST", "PUT", "PUT", "PUT", "POST", "POST"])
    let body = server.requests.last.map { String(decoding: $0.body, as: UTF8.self) }
    #expect(body?.contains("<PartNumber>3</PartNumber><ETag>&quot;tag&quot;</ETag>") == true)
  }

  @Test("The end of an upload whose answer is lost is known by the mark", arguments: [true, false])
  func lostEnd(isOwn: Bool) async throws {
    let mark = Mutex("")
    let ends = Mutex([Answer(isLost: true), Answer(status: 404, body: Self.error("NoSuchUpload"))])
    let server = try ScriptedServer { request in
      switch (request.method, request.target.contains("uploads=")) {
      case ("POST", true):
        mark.withLock { $0 = request.headers["x-amz-meta-rehearsal-attempt"] ?? "" }
        return Answer(
          body: "<InitiateMultipartUploadResult><UploadId>u</UploadId>"
            + "</InitiateMultipartUploadResult>")
      case ("POST", false): return ends.withLock { $0.removeFirst() }
      case ("HEAD", _):
        let stored = isOwn ? mark.withLock { $0 } : "another's"
        return Answer(headers: ["x-amz-meta-rehearsal-attempt": stored])
      default: return Answer(headers: ["ETag": "\"tag\""])
      }
    }
    let store = try store(server.port) { $0.partSize = 10 }
    let error = await failure { try await store.put("k", Array(repeating: 1, count: 15)) }
    #expect(error?.code == (isOwn ? nil : .unknownOutcome), "\(error as Any)")
  }

  @Test("A bucket in the host's name is asked for there")
  func hostStyle() async throws {
    let server = try ScriptedServer { _ in Answer(body: "here") }
    let store = try store(server.port) {
      $0.endpoint = "http://localhost:\(server.port)"
      $0.style = .host
    }
    #expect(try await store.get("k") == Array("here".utf8))
    #expect(server.requests.first?.headers["host"] == "lake.localhost:\(server.port)")
    #expect(server.requests.first?.target == "/p/k")
  }

  @Test("An upload whose part is refused is abandoned")
  func abandoned() async throws {
    let server = try ScriptedServer { request in
      switch request.method {
      case "POST":
        Answer(
          body: "<InitiateMultipartUploadResult><UploadId>u</UploadId>"
            + "</InitiateMultipartUploadResult>")
      case "PUT": Answer(status: 403, body: Self.error("AccessDenied"))
      default: Answer(status: 204)
      }
    }
    let store = try store(server.port) { $0.partSize = 10 }
    #expect(await code { try await store.put("k", Array(repeating: 1, count: 25)) } == .denied)
    #expect(server.requests.map(\.method) == ["POST", "PUT", "DELETE"])
    #expect(server.requests.last?.target == "/lake/p/k?uploadId=u")
  }

  @Test("The check finds a server that ignores put-if-absent")
  func ignoredCondition() throws {
    let server = try ScriptedServer { _ in Answer(body: "<ListBucketResult/>") }
    let checks = try store(server.port).check()
    let problem = checks.last?.problem
    #expect(checks.last?.what == "put if absent")
    #expect(problem?.contains("Iceberg commits and uploads aren't safe") == true)
  }

  @Test("The check finds a clock that is wrong")
  func clock() throws {
    let server = try ScriptedServer { _ in
      Answer(headers: ["Date": "Fri, 24 May 2013 00:00:00 GMT"], body: "<ListBucketResult/>")
    }
    let checks = try store(server.port).check()
    #expect(checks.first { $0.what == "clock" }?.problem?.contains("set this machine's") == true)
  }

  @Test("A key that can't be deleted with the others is named")
  func cleanFails() throws {
    let server = try ScriptedServer { request in
      request.method == "POST"
        ? Answer(
          body:
            "<DeleteResult><Error><Key>p/a</Key><Code>AccessDenied</Code></Error></DeleteResult>")
        : Answer(body: "<ListBucketResult><Contents><Key>p/a</Key></Contents></ListBucketResult>")
    }
    let store = try store(server.port)
    let error = #expect(throws: PortError.self) { try store.clean() }
    #expect(error?.hint.contains("s3://lake/p/a") == true)
    #expect(error?.hint.contains("AccessDenied") == true)
  }

  private func code<Value>(_ operation: () async throws -> Value) async -> PortError.Code? {
    await failure(operation)?.code
  }

  private func failure<Value>(_ operation: () async throws -> Value) async -> PortError? {
    do {
      _ = try await operation()
      return nil
    } catch {
      return error as? PortError
    }
  }
}
